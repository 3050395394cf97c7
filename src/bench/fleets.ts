/**
 * `npm run bench:fleets [-- --json] [--no-fsync]`: what locks in PostgreSQL and Redis cost beside the bare statements, and how fast
 * they are handed over, on servers of this machine started for it. Ratios of one run; nothing here passes or fails.
 */
import { tmpdir } from 'node:os';
import { freePort, startPostgres, startRedis } from './engine-servers.js';
import { BARE, casesOn, casesWithSessions, connectTo, type Engines } from './fleets-cases.js';
import { handoversAmong, WAYS } from './fleets-handover.js';
import { interleaved, type Samples } from './interleaved.js';
import { machineOf } from './machine.js';
import { summaryOf } from './statistics.js';

const COST = { warmUp: 200, rounds: 1_000 };
const SIZES = [10, 100, 1_000, 10_000] as const;
const MANY = { warmUp: 100, rounds: 600 };
const HANDOVER = { processes: 8, rounds: 40, blocks: 3 };

const column = (text: string): string => text.padStart(9);

function printCosts(samples: Samples, against: (name: string) => string): void {
  console.log(`${'microseconds'.padEnd(44)}${['median', 'p10', 'p90', 'x bare'].map(column).join('')}`);
  for (const [name, values] of Object.entries(samples)) {
    const { median, p10, p90 } = summaryOf(values);
    const ratio = median / summaryOf(samples[against(name)] ?? []).median;
    console.log(`${name.padEnd(44)}${[median, p10, p90].map((time) => column(time.toFixed(0))).join('')}${column(ratio.toFixed(2))}`);
  }
}

async function measure(engines: Engines, ports: { postgres: number; redis: number }, json: boolean): Promise<void> {
  const costs = await interleaved(casesOn(engines), COST);
  const many = await interleaved(await casesWithSessions(engines, SIZES), MANY);
  const handovers = await handoversAmong(HANDOVER, ports, engines.redis);
  const { cpu, cores, node, system, filesystem } = machineOf(tmpdir());
  if (json) return console.log(JSON.stringify({ machine: machineOf(tmpdir()), costs, many, handovers }));
  const disk = `PostgreSQL ${fsync ? 'waits' : 'does not wait'} for the disk, Redis does not`;
  console.log(`${cpu}, ${cores} cores; ${system}; node ${node}; ${filesystem}. ${disk}.`);
  console.log(`\nTaken and given back, nobody else about. ${COST.rounds} rounds, interleaved.`);
  printCosts(costs, (name) => (/redis/i.test(name) ? BARE.redis : BARE.postgres));
  console.log('\nThe same pair on one of many sessions; x: of the fewest.');
  printCosts(many, (name) => name.replace(/\d+/, String(SIZES[0])));
  console.log(`\nFrom a release to the next grant, ${HANDOVER.processes} processes waiting, milliseconds.`);
  for (const way of WAYS) {
    const { count, median, p90, p99, max } = summaryOf(handovers[way]);
    const numbers = Object.entries({ p50: median, p90, p99, max }).map(([name, ms]) => `${name} ${ms.toFixed(2)}`);
    console.log([way.padEnd(20), ...numbers, `n ${count}`].join('   '));
  }
}

/** With `--no-fsync` PostgreSQL does not wait for the disk: what is left is the protocol. */
const fsync = !process.argv.includes('--no-fsync');
const ports = { postgres: await freePort(), redis: await freePort() };
const servers = [await startPostgres({ port: ports.postgres, fsync }), await startRedis({ port: ports.redis })];
try {
  if (servers.includes(null)) throw new Error('expected PostgreSQL and Redis to be installed, found neither or one of them');
  const engines = await connectTo(ports);
  try {
    await measure(engines, ports, process.argv.includes('--json'));
  } finally {
    await engines.end();
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
} finally {
  for (const server of servers) await server?.remove();
}
