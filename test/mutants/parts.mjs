// Which tests judge which code. Only what is fast, in this process and the same every time: what judges one folder is
// the tests written about it and the attempts as a whole; no server, no browser, no command.

/** Pure, or held to leave nothing behind: they share a worker. The others replace modules, or keep what they started. */
export const SHARED = ['attempts', 'driver', 'incidents', 'machine', 'model', 'session'].map((folder) => `test/${folder}/`);
export const isShared = (test) => SHARED.some((folder) => test.startsWith(folder));

/** Cheapest and sharpest first: a mutant ends with the first test that fails. */
export const FIRST = [
  'machine/clock', 'machine/guards', 'machine/table', 'machine/shape', 'driver/', 'session/line', 'session/gate', 'session/writer', 'session/file-records', 'attempts/report.test',
  'attempts/windows.test', 'attempts/sections', 'attempts/handle', 'attempts/', 'incidents/', 'session/read-session',
  'session/replace', 'seeded/', 'session/properties', 'locks/contract', 'locks/file/tokens', 'locks/file/surroundings', 'locks/file/line',
  'locks/file/records', 'machine/walk', 'properties/', 'schedules/', 'model/',
];

const ATTEMPTS = ['test/attempts/!(worker-threads).test.ts', 'test/incidents/!(every-row|M01-on-real-files).test.ts'];

/**
 * By the start of a path; the first that fits. The cheap tests meet every mutant, the dear ones those that live.
 * `isolate`: what is worked out while a file is loaded is mutated too (each test file then loads it anew). The machines
 * are made so; elsewhere it is a handful of constants.
 */
export const PARTS = [
  { of: 'machines/attempt.invariants.ts', isolate: true, tests: [['test/machine/*.test.ts']] },
  { of: 'machines/', isolate: true, tests: [
    ['test/machine/{table,shape,clock,guards}.test.ts'],
    ['test/attempts/{report,windows,sections}.test.ts', 'test/incidents/M{06,08}*.test.ts'],
  ] },
  { of: 'src/driver/', tests: [['test/driver/*.test.ts', ...ATTEMPTS], ['test/properties/attempt.test.ts', 'test/schedules/random.test.ts', 'test/seeded/extra/{driver,ends}.test.ts', 'test/trace/*.test.ts']] },
  { of: 'src/session/', tests: [
    ['test/session/!(disk-full|many-writers|properties).test.ts'],
    ['test/session/properties.test.ts', 'test/seeded/extra/ends.test.ts', 'test/faults/{stopped-in-append,append-fails}.test.ts', 'test/attempts/{windows,report-fields,take-over,hostile-work}.test.ts'],
  ] },
  { of: 'src/locks/file/', tests: [
    ['test/locks/file/{tokens,line,surroundings,last-reports,spelling,records,permissions}.test.ts', 'test/seeded/extra/locks.test.ts', 'test/faults/lost-while-taking.test.ts'],
    ['test/locks/contract.test.ts', 'test/locks/file/{owners,every-call,release-fails,asks}.test.ts', 'test/seeded/extra/takeover.test.ts', 'test/incidents/M01-on-real-files.test.ts'],
  ] },
  { of: 'src/locks/', tests: [['test/locks/contract.test.ts', 'test/locks/file/line.test.ts'], ATTEMPTS] },
];

/** Left out, and why: what no fast test in one process can judge. */
export const LEFT_OUT = [
  { path: 'src/session/inherit.ts', why: 'what a child process of an attempt calls; judged by `cli/append`, with real processes' },
  { path: 'src/locks/postgres', why: 'needs a server; judged by `locks/postgres`, `locks/fleets` and the seeded bugs' },
  { path: 'src/locks/redis', why: 'needs a server; judged by `locks/redis`, `locks/fleets` and the seeded bugs' },
  { path: 'src/locks/engine', why: 'what the two engines share; the same' },
];
