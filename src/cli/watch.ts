/**
 * `attempt status --watch`: what goes on, as it goes on. On a terminal it is redrawn: the card of one session, the table
 * of several. Piped, a line is added whenever something changes. It ends by a signal, or when nobody reads it.
 */
import type { WriteStream } from 'node:tty';
import { cardOf } from '../diagnosis/card.js';
import type { Diagnosis } from '../diagnosis/diagnosis.js';
import { fit, harmless, harmlessJson } from '../text.js';
import { diagnoseAll } from './doctor.js';
import { pathFromHere, tableOf } from './status.js';
import { withStore, type OpenedStore } from './store.js';
import type { StoreOption } from './store-option.js';
import { canRedraw } from './terminal.js';

/** Often enough to see a state pass, seldom enough to be no load. */
const LOOK_MS = 500;

/** Lines drawn over the last ones, none wider or more than the terminal has: a folded line would break the count. */
class Redrawn {
  readonly #stream: WriteStream;
  #lines = 0;

  constructor(stream: WriteStream) {
    this.#stream = stream;
  }

  draw(text: string): void {
    const { columns = 80, rows = 24 } = this.#stream;
    const all = text.trimEnd().split('\n').map((line) => fit(line, columns - 1));
    const lines = all.length < rows ? all : [...all.slice(0, rows - 2), `... ${all.length - rows + 2} more lines`];
    const back = this.#lines === 0 ? '' : `\u001b[${this.#lines}A\u001b[0J`;
    this.#stream.write(`${back}${lines.join('\n')}\n`);
    this.#lines = lines.length;
  }
}

const nameIn = ({ engine }: OpenedStore, session: string): string => (engine === null ? pathFromHere(session) : session);

async function pictureOf(paths: readonly string[], store: OpenedStore, width: number): Promise<string> {
  const found = await diagnoseAll(paths, store);
  const [only] = found;
  return only && found.length === 1 ? cardOf(only, { width, name: nameIn(store, only.session) }) : tableOf(paths, store);
}

/** What has to change for a new line: not the durations, which always do. */
const gistOf = ({ condition, also, holder, waiting }: Diagnosis): string =>
  JSON.stringify([condition, also, holder?.attemptId, holder?.token, holder?.state, holder?.note, waiting.length]);

function lineOf({ at, sentence, waiting }: Diagnosis, name: string): string {
  const waits = waiting.length === 0 ? '' : `; ${waiting.length} waiting`;
  return `${new Date(at).toISOString()}  ${harmless(name)}: ${harmless(sentence)}${waits}\n`;
}

interface WatchOptions extends StoreOption {
  readonly json?: boolean;
}

/**
 * Watches until a signal ends this process.
 * @throws AttemptError `SESSION_INVALID` for a path that leads nowhere, `CONFIG_INVALID` for a store that is none
 */
export const watchStatus = (paths: readonly string[], { json = false, ...options }: WatchOptions = {}): Promise<void> =>
  withStore(options, async (store) => {
    const { stdout } = process;
    let gone = false;
    stdout.once('error', () => { gone = true; });
    const redrawn = !json && canRedraw(stdout) ? new Redrawn(stdout) : null;
    const told = new Map<string, string>();
    while (!gone) {
      if (redrawn) redrawn.draw(await pictureOf(paths, store, stdout.columns));
      else {
        for (const one of await diagnoseAll(paths, store)) {
          const gist = gistOf(one);
          if (told.get(one.session) === gist) continue;
          told.set(one.session, gist);
          stdout.write(json ? `${harmlessJson(one)}\n` : lineOf(one, nameIn(store, one.session)));
        }
      }
      await new Promise((resolve) => { setTimeout(resolve, LOOK_MS); });
    }
  });
