// Keeps so many workers going, and kills, stops and continues them at random. Stops may last as long as they like, but
// none between the gate and the end of a write: there nothing but a fence helps, and that is what tokens are for.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Told } from '../fixtures/told.mjs';

const script = fileURLToPath(new URL('worker.mjs', import.meta.url));

/** A wall clock that is so many seconds ahead; everything else is left as it is. */
function clockOf(seconds) {
  if (seconds === 0) return {};
  const { stdout } = spawnSync('faketime', ['-f', '+0s', 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' });
  if (!stdout) throw new Error('expected faketime to be installed');
  return { LD_PRELOAD: stdout.trim(), FAKETIME: `${seconds < 0 ? '' : '+'}${seconds}`, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}

export class Crowd {
  constructor(settings, size, onFact) {
    this.settings = settings;
    this.size = size;
    this.onFact = onFact;
    this.workers = new Set();
    this.stopped = new Set();
    this.counts = { started: 0, killed: 0, stopped: 0, letGo: 0 };
  }

  fill() {
    while (this.workers.size < this.size) {
      const skew = this.settings.skews.length === 0 ? 0 : this.settings.skews[this.counts.started % this.settings.skews.length];
      const worker = new Told(process.execPath, [script, JSON.stringify(this.settings)], { env: { ...process.env, ...clockOf(skew) } });
      this.counts.started += 1;
      worker.facts = { push: (fact) => this.#heard(worker, fact), find: () => undefined };
      this.workers.add(worker);
      void worker.ended.then(({ code, signal }) => {
        this.workers.delete(worker);
        if (signal !== 'SIGKILL' && code !== 0) this.onFact({ crashed: `${code} ${signal}: ${worker.errors}` }, worker.pid);
      });
    }
  }

  #heard(worker, fact) {
    if (fact.ready) worker.isReady = true;
    if (fact.is === 'granted' || fact.plainGrant) worker.holds = true;
    if (fact.ended || fact.plainEnded) worker.holds = false;
    this.onFact(fact, worker.pid);
  }

  /** Until `isOver`: somebody is killed, or stopped for a while, about so many times a second. */
  async trouble(perSecond, leaseMs, isOver) {
    while (!isOver()) {
      this.fill();
      await pause((0.2 + Math.random() * 1.6) * 1_000 / perSecond);
      const ready = [...this.workers].filter((worker) => worker.isReady && !this.stopped.has(worker) && !worker.hasEnded);
      // Mostly those that hold a lock: it is their successors that are of interest.
      const holders = ready.filter((worker) => worker.holds);
      const free = holders.length > 0 && Math.random() < 0.8 ? holders : ready;
      const worker = free[Math.floor(Math.random() * free.length)];
      if (!worker) continue;
      if (Math.random() < 0.4) {
        worker.process.kill('SIGKILL');
        worker.holds = false;
        this.counts.killed += 1;
      } else void this.stop(worker, (Math.random() < 0.3 ? Math.random() : 1 + Math.random() * 0.8) * leaseMs);
    }
  }

  async stop(worker, ms) {
    this.stopped.add(worker);
    worker.process.kill('SIGSTOP');
    while (!worker.hasEnded && !isStopped(worker.pid)) await pause(1);
    if (existsSync(join(this.settings.directory, `inside.${worker.pid}`))) this.counts.letGo += 1;
    else {
      this.counts.stopped += 1;
      await pause(ms);
    }
    worker.process.kill('SIGCONT');
    this.stopped.delete(worker);
  }

  /** All go on, end what they are at, and end. */
  async end() {
    while (this.stopped.size > 0) await pause(10);
    const all = [...this.workers];
    for (const worker of all) worker.send('end');
    await Promise.race([Promise.all(all.map((worker) => worker.ended)), pause(60_000, undefined, { ref: false })]);
    await this.kill();
  }

  async kill() {
    await Promise.all([...this.workers].map((worker) => worker.kill()));
  }
}

function isStopped(pid) {
  try {
    return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true; // it has ended
  }
}
