// One process of the soak: attempt after attempt, and under each lock writing that nothing fences but the gate.
// The witness is not ours: link(2) of a file of this process onto one name for each session. Who finds it there while
// its maker lives has caught two at once. With `lock: "plain"` the same under bare proper-lockfile,
// with the name of one of broken.mjs under that.
import { linkSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { fileRecords, localFileLocks, runAttempt } from '../../../dist/src/index.js';
import { BROKEN } from './broken.mjs';

const { lock, directory, sessions, leaseMs } = JSON.parse(process.argv[2]);
const now = () => Number(process.hrtime.bigint()) / 1e6;
const say = (fact) => process.stdout.write(`${JSON.stringify(fact)}\n`);
const random = (from, to) => from + Math.random() * (to - from);
const own = join(directory, `witness.${process.pid}`);
writeFileSync(own, JSON.stringify({ pid: process.pid }));
/** Lies there from before the gate is asked until the write is done: whoever stops us looks for it. */
const inside = join(directory, `inside.${process.pid}`);

let ending = false;
process.stdin.on('data', () => { ending = true; }).on('end', () => process.exit(1));

function isAlive(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

/** The unfenced write: alone, or caught. */
function write(session, token) {
  const witness = `${session}.witness`;
  for (;;) {
    try {
      linkSync(own, witness);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    let other;
    try {
      other = JSON.parse(readFileSync(witness, 'utf8')).pid;
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
      say({ overlap: session, token, with: null, at: now() }); // it was there, and went while we looked
      return;
    }
    if (isAlive(other)) {
      say({ overlap: session, token, with: other, at: now() });
      return;
    }
    say({ leftByDead: other });
    rmSync(witness, { force: true });
  }
  for (const until = now() + random(0.5, 3); now() < until;);
  unlinkSync(witness);
}

const block = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, random(0.3, 1.6) * leaseMs);

/** Some writes with pauses, and now and then a blocked event loop, between two writes. */
async function hold(session, token, writes, over) {
  for (let left = Math.ceil(random(1, 40)); left > 0 && !over(); left -= 1) {
    writeFileSync(inside, '');
    try {
      await writes();
    } finally {
      unlinkSync(inside);
    }
    const what = Math.random();
    if (what < 0.01) {
      say({ blocked: true });
      block();
    } else if (what < 0.7) await pause(random(0, 12));
    else if (what < 0.72) await pause(random(0, leaseMs));
  }
}

/** Ours, and the lease of each attempt: to tell whether one has outlived it between the gate and the end of its write. */
const { store, records: kept } = BROKEN[lock]?.({ directory, leaseMs }) ?? { store: localFileLocks({ leaseMs }), records: fileRecords() };
const leases = new Map();
const locks = {
  capabilities: store.capabilities,
  acquire: async (request) => {
    const result = await store.acquire(request);
    if (result.status === 'granted') leases.set(result.lease.token, result.lease);
    return result;
  },
  releaseOwner: (session, owner) => store.releaseOwner(session, owner),
  query: (session) => store.query(session),
  forceRelease: (session, proof) => store.forceRelease(session, proof),
};
let records = 0;

async function ours(session) {
  const report = await runAttempt({
    session, locks, records: kept, waitMs: 120_000, settleMs: 200,
    async work({ session: writer, guard, token, signal }) {
      const tell = (is, record, at = now()) => say({ is, session, token, at, record });
      const lease = leases.get(token);
      leases.delete(token);
      tell('granted');
      await hold(session, token, async () => {
        try {
          const at = now();
          guard(() => {
            const deadline = lease.deadline;
            tell('holds', undefined, at);
            write(session, token);
            say({ wrote: true });
            if (performance.now() >= deadline) say({ outlived: session, token, from: at, to: now() });
          });
        } catch (error) {
          if (!['LEASE_IN_DOUBT', 'WRITE_FENCED', 'WRITER_CLOSED'].includes(error.code)) throw error;
          say({ refused: error.code });
        }
        if (Math.random() > 0.2) return;
        records += 1;
        const record = `${process.pid}/${records}`;
        tell('writes', record);
        await writer.append({ record }).then(() => tell('written', record), (error) => tell(error.code === 'WRITE_FAILED' ? 'failed' : 'refused', record));
      }, () => signal.aborted);
    },
  });
  say({ ended: session, token: report.token, lease: report.lease, outcome: report.outcome, error: report.error && String(report.error) });
}

async function plain(session) {
  let compromised = false;
  const options = { stale: leaseMs, update: leaseMs / 2, realpath: false, retries: { forever: true, factor: 1, minTimeout: 50, randomize: true } };
  const release = await lockfile.lock(session, { ...options, onCompromised: () => { compromised = true; } });
  say({ plainGrant: session });
  await hold(session, null, async () => {
    if (compromised) return;
    write(session, null);
    say({ wrote: true });
  }, () => compromised);
  await release().catch(() => {});
  say({ plainEnded: session });
}

say({ ready: true });
while (!ending) await (lock === 'plain' ? plain : ours)(sessions[Math.floor(Math.random() * sessions.length)]);
say({ over: true });
process.stdin.destroy();
