/**
 * `checkRunner`: the incident family as properties against somebody else's runner.
 * Owns: the order in which modes are exercised, and the options. Must not know: any runner.
 */
import { expect, expectMs } from '../../config-checks.js';
import { AttemptError } from '../../errors.js';
import type { Abilities } from './abilities.js';
import { MODE_IDS, type ModeId } from './modes.js';
import { contextOf, planOf, type Known } from './plan.js';
import { checkPort } from './port-check.js';
import { PortFault, type MakePort } from './port.js';
import { watchRejections } from './rejections.js';
import { junitOf, textOf } from './render.js';
import { replayMode } from './replay.js';
import type { CheckResult, CheckResultData, ModeResult } from './result.js';
import { ModeRun, notExercised, type ModeSettings } from './run-mode.js';
import type { FastCheck } from './sequences/context.js';
import type { Cause } from './watched-attempt.js';

export interface CheckRunnerOptions {
  /** Draws the same sequences again. An integer. Default: a new one, in the result. */
  readonly seed?: number;
  /** Most sequences drawn for a mode (M01: for each kind of abort), 1 to 1 000 000. Default: 100. */
  readonly sequences?: number;
  /** Only these; M07, M01 and M03 are exercised first whenever others build on them. Default: all. */
  readonly modes?: readonly ModeId[];
  /** Modes that must have been exercised; `"all"`: those a port can show. Default: none. */
  readonly require?: readonly ModeId[] | 'all';
  /** How long a mode (M01: a kind) may draw and shrink, milliseconds from 1. Default: 10 000. */
  readonly modeMs?: number;
  /**
   * How many modes are exercised at a time, 1 to 64. Raise it only for ports in real time that share
   * nothing with each other, such as a global limit or a faked clock. Default: 1.
   */
  readonly concurrency?: number;
  /**
   * Runs one sequence instead: `breach.replay` of a result, or one written by hand, `"M01: START RUN
   * ABORT(user)"`.
   */
  readonly replay?: string;
}

/**
 * Each needs what those before it found: a broken kind or path is left out of all that follows, and told
 * once.
 */
const FIRST: readonly ModeId[] = ['M07', 'M01', 'M03'];

/** Stops the whole process for a moment, so nothing else may run beside it. */
const ALONE: readonly ModeId[] = ['M11'];

const OPTIONS = ['seed', 'sequences', 'modes', 'require', 'modeMs', 'concurrency', 'replay'];

function settingsOf(options: CheckRunnerOptions) {
  for (const key of Object.keys(options))
    expect(OPTIONS.includes(key), key, `one of ${OPTIONS.join(', ')}`, key);
  const {
    seed = Math.trunc(Math.random() * 2 ** 31),
    sequences = 100,
    modes = MODE_IDS,
    require = [],
  } = options;
  const { modeMs = 10_000, concurrency = 1, replay } = options;
  expect(Number.isSafeInteger(seed), 'seed', 'an integer', seed);
  const inRange = (value: number, most: number): boolean =>
    Number.isInteger(value) && value >= 1 && value <= most;
  expect(inRange(sequences, 1_000_000), 'sequences', 'an integer from 1 to 1000000', sequences);
  expect(inRange(concurrency, 64), 'concurrency', 'an integer from 1 to 64', concurrency);
  expectMs('modeMs', modeMs, { min: 1 });
  expect(replay === undefined || typeof replay === 'string', 'replay', 'a string', replay);
  const isMode = (id: unknown): boolean => (MODE_IDS as readonly unknown[]).includes(id);
  expect(
    require === 'all' || (Array.isArray(require) && require.every(isMode)),
    'require',
    'ids from M01 to M22, or "all"',
    require,
  );
  expect(Array.isArray(modes) && modes.every(isMode), 'modes', 'ids from M01 to M22', modes);
  return { seed, sequences, modes, require, modeMs, concurrency, replay };
}

async function loadFastCheck(): Promise<FastCheck> {
  try {
    return (await import('fast-check')).default;
  } catch (cause) {
    throw new AttemptError(
      'CONFIG_INVALID',
      'checkRunner needs the package fast-check; install it beside attempt-lifecycle',
      { cause },
    );
  }
}

class Check {
  readonly results = new Map<ModeId, ModeResult>();
  readonly #settings: Omit<ModeSettings, 'required'>;
  readonly #isRequired: (id: ModeId) => boolean;
  readonly #runs = new Map<ModeId, ModeRun>();
  readonly #broken = new Set<ModeId>();
  readonly #brokenCauses = new Set<Cause>();
  readonly #abilities: Abilities;

  constructor(
    settings: Omit<ModeSettings, 'required'>,
    isRequired: (id: ModeId) => boolean,
    abilities: Abilities,
  ) {
    this.#settings = settings;
    this.#isRequired = isRequired;
    this.#abilities = abilities;
  }

  async run(id: ModeId): Promise<void> {
    const known: Known = {
      abilities: this.#abilities,
      broken: new Set(this.#broken),
      brokenCauses: new Set(this.#brokenCauses),
    };
    const plan = planOf(id, contextOf(this.#settings.fc, known), known);
    const run = new ModeRun(id, plan, { ...this.#settings, required: this.#isRequired(id) });
    const result = await run.run();
    this.#runs.set(id, run);
    this.results.set(id, result);
    this.#learn(id, result);
  }

  /** A case of a mode that itself held is a finding of the mode that met it. */
  async #adoptOrphans(): Promise<void> {
    for (const [id, run] of this.#runs) {
      const orphans = run.foreign.filter((rule) => !this.#broken.has(rule));
      if (orphans.length === 0 || this.#broken.has(id)) continue;
      run.adopt(orphans);
      this.results.set(id, await run.run());
    }
  }

  #learn(id: ModeId, result: ModeResult): void {
    if (result.status !== 'breaks') return;
    this.#broken.add(id);
    for (const way of result.causes) {
      const cause = this.#abilities.causes.find((one) => way === `ABORT(${one})`) ?? 'limit';
      this.#brokenCauses.add(cause);
    }
  }

  async runAll(concurrency: number, wanted: readonly ModeId[]): Promise<void> {
    const last = FIRST.findLastIndex((id) => wanted.includes(id));
    const builds = wanted.some((id) => !FIRST.includes(id));
    for (const id of builds ? FIRST : FIRST.slice(0, last + 1)) await this.run(id);
    const queue = wanted.filter((id) => !FIRST.includes(id) && !ALONE.includes(id));
    const worker = async (): Promise<void> => {
      for (let id = queue.shift(); id !== undefined; id = queue.shift()) await this.run(id);
    };
    const workers = await Promise.allSettled(Array.from({ length: concurrency }, worker));
    const failed = workers.find((one) => one.status === 'rejected');
    if (failed) throw failed.reason;
    for (const id of ALONE.filter((one) => wanted.includes(one))) await this.run(id);
    await this.#adoptOrphans();
  }
}

function finish(data: Omit<CheckResultData, 'ok' | 'sequences'>): CheckResult {
  const { port, modes, strayRejections } = data;
  const ok =
    port.status === 'sound' &&
    strayRejections.length === 0 &&
    modes.every(({ status, required }) => status === 'holds' || (status === 'notExercised' && !required));
  const whole: CheckResultData = {
    ok,
    sequences: modes.reduce((sum, mode) => sum + mode.sequences, 0),
    ...data,
  };
  return { ...whole, toText: () => textOf(whole), toJSON: () => whole, toJUnit: () => junitOf(whole) };
}

/**
 * Exercises the incident family, M01 to M22, on a runner through its port: random sequences of starts,
 * aborts, settles, writes and failures, shrunk to the shortest that breaks. The port itself is checked
 * first.
 *
 * Every wait is bounded by the port's `bounds`; a runner that hangs is a finding. One that blocks the
 * event loop for ever cannot be stopped from inside.
 *
 * @param makePort makes a fresh port; called for each sequence, and `close()` is called on each
 * @param options see {@link CheckRunnerOptions}
 * @returns per mode: holds, breaks with its shortest sequence, or not exercised and why
 * @throws (rejects) AttemptError `CONFIG_INVALID` for a bad option, or without fast-check. Never for what
 * the runner or its port do.
 */
export async function checkRunner(
  makePort: MakePort,
  options: CheckRunnerOptions = {},
): Promise<CheckResult> {
  expect(typeof makePort === 'function', 'makePort', 'a function that makes a port', makePort);
  const { seed, sequences, modes: wanted, require, modeMs, concurrency, replay } = settingsOf(options);
  const isRequired = (id: ModeId): boolean => require === 'all' || require.includes(id);
  const settings = { fc: await loadFastCheck(), makePort, seed, sequences, modeMs };
  const rejections = watchRejections();
  try {
    if (replay !== undefined) {
      const modes = [await replayMode(makePort, replay)];
      return finish({ seed, port: { status: 'sound' }, modes, strayRejections: rejections.strays });
    }
    const check = new Check(settings, isRequired, await checkPort(makePort));
    await check.runAll(concurrency, wanted);
    const modes = MODE_IDS.map(
      (id) => check.results.get(id) ?? notExercised(id, 'not asked for', [], isRequired(id)),
    );
    return finish({ seed, port: { status: 'sound' }, modes, strayRejections: rejections.strays });
  } catch (error) {
    if (!(error instanceof PortFault)) throw error;
    const modes = MODE_IDS.map((id) => notExercised(id, 'the port is faulty', [], isRequired(id)));
    const port = { status: 'faulty', part: error.part, message: error.message } as const;
    return finish({ seed, port, modes, strayRejections: rejections.strays });
  } finally {
    rejections.stop();
  }
}
