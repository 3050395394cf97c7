/**
 * The list of attempts: one row each, with its life as a bar, what runs out next, whom it waits for, and a stop button.
 * Owns: its rows. Must not know: where attempts come from.
 */
/// <reference lib="dom" />
import { fit, inWords, make, plain, say } from './dom.js';
import { countdownOf, endInWords, topOf, type Model, type View } from './model.js';

export interface RowActions {
  readonly select: (attemptId: string) => void;
  /** Null: stopping is not allowed here. */
  readonly stop: ((attemptId: string) => void) | null;
}

interface Row {
  readonly item: HTMLLIElement;
  readonly pick: HTMLButtonElement;
  readonly state: HTMLElement;
  readonly about: HTMLElement;
  readonly next: HTMLElement;
  readonly bar: HTMLElement;
  readonly stop: HTMLButtonElement | null;
  drawn: number;
}

const shortId = (id: string): string => fit(plain(id), 8);

/** Who holds what this one waits for, as far as this page knows. */
export function holderOf(view: View, model: Model): View | undefined {
  if (!/^(acquiring|running\.reacquiring)/.test(view.state)) return undefined;
  return [...model.attempts.values()].find((other) => other !== view && other.session === view.session
    && other.ended === null && (other.lock === 'held' || other.lock === 'known'));
}

/** Of a long path the end tells more than the beginning. */
const endOf = (session: string): string => (session.length <= 34 ? session : `…${session.slice(-33)}`);

const labelsInWords = ({ labels }: View): string =>
  Object.entries(labels).map(([key, value]) => `${fit(plain(key), 32)}=${fit(plain(value), 60)}`).join(' ');

export class AttemptsView {
  readonly #list: HTMLElement;
  readonly #rows = new Map<string, Row>();
  readonly #actions: () => RowActions;

  constructor(list: HTMLElement, actions: () => RowActions) {
    this.#list = list;
    this.#actions = actions;
  }

  clear(): void {
    for (const { item } of this.#rows.values()) item.remove();
    this.#rows.clear();
  }

  draw(model: Model, selected: string | null, now: number): void {
    for (const [id, { item }] of this.#rows) {
      if (model.attempts.has(id)) continue;
      item.remove();
      this.#rows.delete(id);
    }
    const span = { from: Math.min(now, ...[...model.attempts.values()].map(({ begun }) => begun)), to: now };
    for (const view of model.attempts.values()) {
      const row = this.#rows.get(view.attemptId) ?? this.#add(view);
      this.#fill(row, view, model, now);
      drawBar(row.bar, view, span);
      row.item.classList.toggle('selected', view.attemptId === selected);
      row.pick.setAttribute('aria-pressed', String(view.attemptId === selected));
    }
  }

  #add(view: View): Row {
    const { select, stop } = this.#actions();
    const state = make('span', { class: 'state' });
    const about = make('span', { class: 'about' });
    const pick = make('button', { class: 'pick', type: 'button' }, state, about);
    pick.addEventListener('click', () => select(view.attemptId));
    const next = make('span', { class: 'next' });
    const bar = make('div', { class: 'bar', 'aria-hidden': 'true' });
    const button = stop && make('button', { class: 'stop', type: 'button' }, 'Stop');
    button?.setAttribute('aria-label', `Stop attempt ${plain(view.attemptId)}`);
    button?.addEventListener('click', () => stop?.(view.attemptId));
    const item = make('li', {}, pick, next, ...(button ? [button] : []), bar);
    const row: Row = { item, pick, state, about, next, bar, stop: button, drawn: 0 };
    this.#rows.set(view.attemptId, row);
    this.#list.prepend(item); // the newest first
    return row;
  }

  #fill(row: Row, view: View, model: Model, now: number): void {
    const ended = view.ended !== null;
    say(row.state, ended ? view.end?.outcome ?? 'ended' : view.state);
    row.state.className = `state ${ended ? 'over' : topOf(view.state)}`;
    const labels = labelsInWords(view);
    row.about.title = plain(view.session);
    say(row.about, `${endOf(plain(view.session))}${labels && ` · ${labels}`} · ${shortId(view.attemptId)}`);
    say(row.next, nextInWords(view, holderOf(view, model), now));
    row.item.classList.toggle('ended', ended);
    row.item.classList.toggle('unsettled', view.unsettled && !ended);
    if (row.stop) row.stop.hidden = ended || view.abortedBy !== null;
  }
}

function nextInWords(view: View, holder: View | undefined, now: number): string {
  if (view.end) return `${endInWords(view.end)}, ${inWords((view.ended ?? now) - view.begun)}`;
  const count = countdownOf(view);
  const said = [
    ...(holder ? [`waits for ${shortId(holder.attemptId)} (${holder.state})`] : []),
    ...(view.unsettled ? ['work has not settled'] : []),
    ...(count ? [count.at > now ? `${count.what} limit in ${inWords(count.at - now)}` : `${count.what} limit is over`] : []),
  ];
  return said.length > 0 ? said.join(', ') : `for ${inWords(now - view.since)}`;
}

/** One bar an attempt, coloured by state, on one time axis for all. */
function drawBar(bar: HTMLElement, view: View, { from, to }: { from: number; to: number }): void {
  const whole = Math.max(1, to - from);
  while (bar.children.length < view.segments.length) bar.append(make('i'));
  while (bar.children.length > view.segments.length) bar.lastChild?.remove();
  view.segments.forEach((segment, nth) => {
    const piece = bar.children[nth] as HTMLElement;
    const end = view.segments[nth + 1]?.from ?? view.ended ?? to;
    const begin = Math.max(0, ((segment.from - from) / whole) * 100);
    piece.className = topOf(segment.state);
    piece.title = `${segment.state}, ${inWords(end - segment.from)}`;
    piece.style.left = `${begin}%`;
    piece.style.width = `${Math.max(0, ((end - segment.from) / whole) * 100)}%`;
  });
}
