/**
 * A wall clock that is moved while processes run under it (libfaketime, its offset in a file), and what that needs.
 */
import { spawnSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import type { TestContext } from 'vitest';

/** Skips, loudly, where a command does not work; where `ATTEMPT_REQUIRE` names it, fails. */
export function canRun(command: string, args: readonly string[], skip: TestContext['skip'], name = command): void {
  if (spawnSync(command, args, { stdio: 'ignore' }).status === 0) return;
  if ((process.env['ATTEMPT_REQUIRE'] ?? '').split(',').includes(name)) throw new Error(`ATTEMPT_REQUIRE: ${name} does not work here`);
  console.warn(`SKIPPED: ${name} is missing, or not allowed here`);
  skip();
}

/** A clock that all processes with its `env` share. */
export class SteppingClock {
  readonly #file: string;
  readonly env: Readonly<Record<string, string>>;
  #byMs = 0;

  /** @param monotonicToo its monotonic clocks move with it: as in a process that has slept, if moved back by as much */
  constructor(file: string, { monotonicToo = false } = {}) {
    this.#file = file;
    const preload = spawnSync('faketime', ['-f', '+0s', 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' }).stdout.trim();
    this.env = {
      LD_PRELOAD: preload, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1',
      ...(!monotonicToo && { FAKETIME_DONT_FAKE_MONOTONIC: '1' }),
    };
    this.step(0);
  }

  /** @param byMs from now on it is so far from the true time */
  step(byMs: number): void {
    this.#byMs = byMs;
    writeFileSync(`${this.#file}.new`, `${byMs < 0 ? '' : '+'}${byMs / 1_000}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }

  now(): number {
    return Date.now() + this.#byMs;
  }
}
