/**
 * Looks at the locks of directories while somebody looks on: what `attempt doctor` would say, again and again. Reads only.
 */
import { cardOf } from '../diagnosis/card.js';
import { diagnose, type DiagnoseOptions } from '../diagnosis/diagnose.js';
import type { Diagnosis } from '../diagnosis/diagnosis.js';
import { describe } from '../errors.js';
import type { LockCard, LocksNews } from './page/locks-view.js';

const LOOK_MS = 1_000;
/** More sessions than these are not shown; a page of thousands helps nobody. */
const MOST_CARDS = 500;

const CONDITIONS_FIRST = ['unsettled', 'inDoubt', 'overdue', 'dead', 'corrupt', 'foreign', 'leftovers', 'healthy', 'queue', 'free'];

const cardFrom = (diagnosis: Diagnosis): LockCard => ({
  session: diagnosis.session, condition: diagnosis.condition, sentence: diagnosis.sentence,
  card: cardOf(diagnosis, { width: 68 }), json: diagnosis, until: diagnosis.holder?.until ?? null,
  freeAt: diagnosis.holder ? diagnosis.freeBy.at : null, command: diagnosis.next.command,
});

async function look(paths: readonly string[], where: DiagnoseOptions): Promise<LocksNews> {
  const failures: { path: string; what: string }[] = [];
  const found = await Promise.all(paths.map((path) => diagnose(path, where).catch((error: unknown) => {
    failures.push({ path, what: describe(error) });
    return [];
  })));
  const rank = ({ condition }: LockCard): number => CONDITIONS_FIRST.indexOf(condition);
  const cards = found.flat().map(cardFrom).sort((a, b) => rank(a) - rank(b));
  if (cards.length > MOST_CARDS) {
    failures.push({ path: paths.join(', '), what: `${cards.length} sessions, the ${MOST_CARDS} most in need are shown` });
  }
  return { at: Date.now(), cards: cards.slice(0, MOST_CARDS), failures };
}

export class LocksWatch {
  readonly #paths: readonly string[];
  readonly #where: DiagnoseOptions;
  readonly #tell: (news: LocksNews) => void;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  /** @param directory where the locks lie, if not beside the sessions */
  constructor(paths: readonly string[], directory: string | undefined, tell: (news: LocksNews) => void) {
    this.#paths = paths;
    this.#where = directory === undefined ? {} : { directory };
    this.#tell = tell;
  }

  /** Somebody looks on. Harmless if already looking. */
  start(): void {
    if (this.#paths.length === 0 || this.#timer || this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#look(), 0);
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  close(): void {
    this.stop();
    this.#isClosed = true;
  }

  async #look(): Promise<void> {
    const timer = this.#timer;
    const news = await look(this.#paths, this.#where);
    if (this.#timer !== timer) return; // stopped meanwhile
    this.#tell(news);
    this.#timer = setTimeout(() => void this.#look(), LOOK_MS).unref();
  }
}
