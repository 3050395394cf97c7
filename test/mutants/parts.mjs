// Which tests judge which code. Only what is fast, in this process and the same every time: what judges one folder is
// the tests written about it and the attempts as a whole; no server, no browser, no command.

/** Pure, or held to leave nothing behind: they share a worker. The others replace modules, or keep what they started. */
export const SHARED = ['attempts', 'driver', 'incidents', 'locks/engine', 'locks/in-process', 'machine', 'model', 'session'].map((folder) => `test/${folder}/`);
/** Of the file locks: what replaces no module; first what waits for nothing. */
const AT_ONCE = 'test/locks/file/{ear,errno,kept-in,lease,lease-told,occupants,open-lock,own-line,own-lock,own-lock-ends,places,tickets,tokens,tries,waiting}.test.ts';
const IN_TIME = 'test/locks/file/{last-reports,spelling,records,permissions,surroundings,store,store-asked,line,asks}.test.ts';
const CONTRACT = 'test/{locks/contract,seeded/extra/locks,faults/lost-while-taking}.test.ts';
export const isShared = (test) => [AT_ONCE, IN_TIME, CONTRACT].includes(test) || SHARED.some((folder) => test.startsWith(folder));

/** Cheapest and sharpest first: a mutant ends with the first test that fails. */
export const FIRST = [
  'machine/clock', 'machine/guards', 'machine/table', 'machine/shape', 'driver/', 'session/line', 'session/gate', 'session/writer', 'session/file-records', 'attempts/report.test',
  'attempts/windows.test', 'attempts/sections', 'attempts/handle', 'attempts/', 'incidents/', 'session/read-session',
  'session/replace', 'seeded/', 'session/properties', 'locks/engine/parts', 'locks/engine/', 'locks/in-process/', 'locks/file/store', 'locks/file/tokens', 'locks/file/records',
  'locks/file/surroundings', 'locks/contract', 'locks/file/line', 'machine/walk', 'properties/', 'schedules/', 'model/',
];

const ATTEMPTS = ['test/attempts/!(worker-threads).test.ts', 'test/incidents/!(every-row|M01-on-real-files).test.ts'];

/**
 * By the start of a path; the first that fits. The cheap tests meet every mutant, the dear ones those that live.
 * `isolate`: what is worked out while a file is loaded is mutated too (each test file then loads it anew). The machines
 * are made so; elsewhere it is a handful of constants. `testMs`: how long a test may take (default 6 000): what hangs is
 * killed by that.
 */
export const PARTS = [
  { of: 'machines/attempt.invariants.ts', isolate: true, tests: [['test/machine/accusations.test.ts']] },
  { of: 'machines/', isolate: true, tests: [
    ['test/machine/{table,shape,clock,guards}.test.ts'],
    ['test/attempts/{report,windows,sections}.test.ts', 'test/incidents/M{06,08}*.test.ts'],
  ] },
  { of: 'src/driver/', tests: [['test/driver/*.test.ts', ...ATTEMPTS], ['test/properties/attempt.test.ts', 'test/schedules/random.test.ts', 'test/seeded/extra/{driver,ends}.test.ts', 'test/trace/*.test.ts']] },
  { of: 'src/session/', tests: [
    ['test/session/!(disk-full|many-writers|properties).test.ts'],
    ['test/session/properties.test.ts', 'test/seeded/extra/ends.test.ts', 'test/faults/{stopped-in-append,append-fails,append-looks,read-at-once}.test.ts', 'test/attempts/{windows,report-fields,take-over,hostile-work}.test.ts'],
  ] },
  // What replaces modules comes last, and what takes seconds (owners, failing-for-long, processes of their own) not at all.
  { of: 'src/locks/file/', testMs: 2_500, tests: [
    [AT_ONCE],
    [IN_TIME, CONTRACT],
    ['test/locks/file/{refusals,meanwhile,left-open,left-open-for-nobody}.test.ts'],
    ['test/locks/file/every-call.test.ts', 'test/locks/file/release-fails.test.ts', 'test/seeded/extra/takeover.test.ts'],
  ] },
  { of: 'src/locks/engine/', tests: [['test/locks/engine/!(steps|fleet).test.ts'], ['test/locks/engine/fleet.test.ts']] },
  { of: 'src/locks/', tests: [['test/locks/in-process/*.test.ts'], ['test/locks/contract.test.ts']] },
];

/** Left out, and why: what no fast test in one process can judge. */
export const LEFT_OUT = [
  { path: 'src/session/inherit.ts', why: 'what a child process of an attempt calls; judged by `cli/append`, with real processes' },
  { path: 'src/locks/file/proper-lockfile.ts', why: 'once in a process: it loads proper-lockfile and orders its exit hooks; judged by `locks/file/exit-hooks`, with real processes' },
  { path: 'src/locks/postgres', why: 'statements, and what a server answers to them; judged on real servers by `locks/postgres`, `locks/fleets` and the seeded bugs' },
  { path: 'src/locks/redis', why: 'scripts, and what a server answers to them; judged on real servers by `locks/redis`, `locks/fleets` and the seeded bugs' },
];
