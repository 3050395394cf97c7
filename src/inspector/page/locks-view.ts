/**
 * The locks of the directories that were given: what their files alone tell, also of runners that never opted in.
 * Owns: its cards. The card's text comes from the server, as `attempt doctor` prints it.
 */
/// <reference lib="dom" />
import { copy, inWords, make, plain, say } from './dom.js';

export interface LockCard {
  readonly session: string;
  readonly condition: string;
  readonly sentence: string;
  readonly card: string;
  /** The whole diagnosis, for a machine. */
  readonly json: unknown;
  /** Wall clock; null: no bound, or nobody holds it. */
  readonly until: number | null;
  readonly freeAt: number | null;
  readonly command: string | null;
}

export interface LocksNews {
  readonly at: number;
  readonly cards: readonly LockCard[];
  readonly failures: readonly { readonly path: string; readonly what: string }[];
}

interface Shown {
  readonly item: HTMLDetailsElement;
  readonly title: HTMLElement;
  readonly clock: HTMLElement;
  readonly text: HTMLElement;
  card: LockCard;
}

const QUIET = ['free', 'healthy', 'queue'];
const markdownOf = ({ session, card }: LockCard): string =>
  `### ${session.replaceAll('\n', ' ')}\n\n${'```'}text\n${card.replaceAll('```', "'''")}${'```'}\n`;

export class LocksView {
  readonly #list: HTMLElement;
  readonly #note: HTMLElement;
  readonly #shown = new Map<string, Shown>();
  readonly #tell: (what: string) => void;

  constructor(list: HTMLElement, note: HTMLElement, tell: (what: string) => void) {
    this.#list = list;
    this.#note = note;
    this.#tell = tell;
  }

  take({ cards, failures }: LocksNews): void {
    const named = new Set(cards.map(({ session }) => session));
    for (const [session, { item }] of this.#shown) {
      if (named.has(session)) continue;
      item.remove();
      this.#shown.delete(session);
    }
    for (const card of cards) {
      const shown = this.#shown.get(card.session) ?? this.#add(card);
      shown.card = card;
      say(shown.title, `${plain(card.session)}: ${card.condition}`);
      say(shown.text, card.card);
      const isStuck = !QUIET.includes(card.condition);
      if (isStuck !== shown.item.classList.contains('stuck')) shown.item.open = isStuck; // the rest opens on demand
      shown.item.classList.toggle('stuck', isStuck);
    }
    // In the order of the news: who needs help stands first. Moved only where it must be, for moving takes the focus away.
    cards.forEach(({ session }, nth) => {
      const { item } = this.#shown.get(session)!;
      if (this.#list.children[nth] !== item) this.#list.insertBefore(item, this.#list.children[nth] ?? null);
    });
    const trouble = failures.map(({ path, what }) => `${plain(path)}: ${plain(what)}`);
    say(this.#note, [...trouble, ...(cards.length === 0 && trouble.length === 0
      ? ['No locks here. A lock appears as soon as an attempt asks for a session of these directories.'] : [])].join('\n'));
  }

  tick(now: number): void {
    for (const { card, clock } of this.#shown.values()) {
      const { until, freeAt } = card;
      say(clock, [
        ...(until === null ? [] : [until > now ? `lease ends in ${inWords(until - now)} unless renewed` : 'the lease has ended']),
        ...(freeAt === null || freeAt === until || freeAt <= now ? [] : [`free in ${inWords(freeAt - now)} at the latest`]),
      ].join(', '));
    }
  }

  #add(card: LockCard): Shown {
    const title = make('h3');
    const clock = make('span', { class: 'next' });
    const text = make('pre', { tabindex: '0' });
    const item = make('details', { class: 'card' }, make('summary', {}, title, clock), text);
    const shown: Shown = { item, title, clock, text, card };
    const button = (name: string, value: () => string): void => {
      const element = make('button', { type: 'button' }, name);
      element.addEventListener('click', () => {
        void copy(value(), text).then((done) => this.#tell(done ? `${name}: done.` : 'Copying is not allowed here; the text is selected.'));
      });
      item.append(element);
    };
    button('Copy as Markdown', () => markdownOf(shown.card));
    button('Copy as JSON', () => JSON.stringify(shown.card.json, null, 2));
    if (card.command !== null) button('Copy the command', () => shown.card.command ?? '');
    this.#shown.set(card.session, shown);
    return shown;
  }
}
