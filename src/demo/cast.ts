/**
 * The processes of the demonstration, seen from the one that directs them: started, told, listened to, ended.
 * Owns: that none is left behind, whatever happens here.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command, Saying, Word } from './protocol.js';

const SCRIPT = fileURLToPath(new URL('./actor.js', import.meta.url));

/** Nothing here takes this long; whatever does will not come any more. */
const MOST_MS = 30_000;

type Said<W extends Word> = Extract<Saying, { is: W }>;

interface Listener {
  readonly heard: (saying: Saying) => void;
  readonly gone: () => void;
}

export class Actor {
  readonly #child: ChildProcess;
  readonly #said: Saying[] = [];
  readonly #listeners = new Set<Listener>();
  readonly #exit: Promise<unknown>;
  #gone = false;

  /** @param heard told everything it says */
  constructor(heard: (saying: Saying) => void) {
    // No debugger port of the parent's, no output of its own but warnings.
    this.#child = fork(SCRIPT, [], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#exit = once(this.#child, 'exit');
    this.#child.on('message', (message) => {
      const saying = message as Saying;
      this.#said.push(saying);
      heard(saying);
      for (const listener of this.#listeners) listener.heard(saying);
    });
    this.#child.once('exit', () => {
      this.#gone = true;
      for (const listener of this.#listeners) listener.gone();
    });
    this.#child.on('error', () => {}); // a channel that broke: its end says so
  }

  get isGone(): boolean {
    return this.#gone;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  tell(command: Command): void {
    this.#child.send(command, () => {}); // one that has gone is missed by whoever waits for its answer
  }

  /** Everything it has said of an attempt so far. */
  saidOf(name: string): readonly Saying[] {
    return this.#said.filter((saying) => 'name' in saying && saying.name === name);
  }

  /**
   * Waits for a fact; what has been said before counts.
   * @returns the first such saying
   * @throws Error naming the fact, if it does not come or the process has ended without it
   */
  when<W extends Word>(is: W, name?: string, matches: (saying: Said<W>) => boolean = () => true): Promise<Said<W>> {
    const isIt = (saying: Saying): saying is Said<W> => saying.is === is
      && (name === undefined || ('name' in saying && saying.name === name)) && matches(saying as Said<W>);
    const before = this.#said.find(isIt);
    if (before) return Promise.resolve(before as Said<W>);
    const what = `"${is}" of ${name ?? 'a process'}`;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
      };
      const fail = (why: string) => (): void => {
        end();
        reject(new Error(`${what} never came: ${why}`));
      };
      const timer = setTimeout(fail(`waited ${MOST_MS} ms`), MOST_MS);
      const listener: Listener = {
        heard: (saying) => {
          if (!isIt(saying)) return;
          end();
          resolve(saying as Said<W>);
        },
        gone: fail('its process has ended'),
      };
      this.#listeners.add(listener);
      if (this.#gone) listener.gone();
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it in peace: it gives back what it holds and exits. */
  async leave(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#exit;
  }

  /** Ends it as a crash would; works on a stopped one too. */
  async kill(): Promise<void> {
    this.killNow();
    await this.#exit;
  }

  /** The same, where nothing can be waited for. */
  killNow(): void {
    if (!this.#gone) this.#child.kill('SIGKILL');
  }
}

/** All actors of one demonstration. */
export class Cast {
  readonly #actors = new Set<Actor>();
  readonly #directory: string;

  readonly #heard: (saying: Saying) => void;

  /**
   * @param directory where they may rehearse
   * @param heard told everything that any of them says
   */
  constructor(directory: string, heard: (saying: Saying) => void) {
    this.#directory = directory;
    this.#heard = heard;
  }

  /** Starts one and waits until it has rehearsed. */
  async enter(): Promise<Actor> {
    const actor = new Actor(this.#heard);
    this.#actors.add(actor);
    actor.tell({ do: 'rehearse', session: join(this.#directory, `rehearsal-${actor.pid}.jsonl`) });
    await actor.when('ready');
    return actor;
  }

  /** Three that live, so that a row can have its attempt, the next one, and one in between. */
  async company(): Promise<readonly [Actor, Actor, Actor]> {
    for (const actor of this.#actors) if (actor.isGone) this.#actors.delete(actor);
    const missing = Math.max(0, 3 - this.#actors.size);
    await Promise.all(Array.from({ length: missing }, () => this.enter()));
    const [first, second, third] = this.#actors;
    if (!first || !second || !third) throw new Error('a process ended as soon as it began');
    return [first, second, third];
  }

  async dismiss(): Promise<void> {
    await Promise.all([...this.#actors].map((actor) => actor.kill()));
    this.#actors.clear();
  }

  dismissNow(): void {
    for (const actor of this.#actors) actor.killNow();
  }
}
