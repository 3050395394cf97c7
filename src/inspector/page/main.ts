/**
 * The page: connects, listens, and draws what changed a few times a second.
 * Owns: what is selected, what is filtered, whether we are live or in a replay.
 */
/// <reference lib="dom" />
import { AttemptsView } from './attempts-view.js';
import { byId, inWords, make, plain, say } from './dom.js';
import { LocksView, type LocksNews } from './locks-view.js';
import { Model, type Entry, type Known, type View } from './model.js';
import { entriesOf, Player, textOf } from './replay.js';
import { Statechart } from './statechart.js';

interface Hello {
  readonly now: number;
  readonly allowAbort: boolean;
  readonly entries: readonly Entry[];
  readonly known: readonly Known[];
  readonly hasDirectories: boolean;
  readonly replay: string | null;
}

const DRAW_MS = 150;
/** Limits that count down are redrawn this often where nothing else has changed. */
const COUNT_MS = 900;
const MOST_LINES = 300;

const live = new Model();
let shown: Model = live;
let player: Player | null = null;
let selected: string | null = null;
/** Somebody clicked: it stays selected. */
let isChosen = false;
let allowAbort = false;
/** The server's wall clock minus ours: countdowns are its. */
let ahead = 0;
let changed = true;
let statechart: Statechart | null = null;

const now = (): number => (player ? player.now : Date.now() + ahead);
const status = byId('status');
const announce = (what: string): void => say(byId('announce'), what);
const isReplay = (): boolean => player !== null;

async function stop(attemptId: string): Promise<void> {
  const answer = await fetch('abort', { method: 'POST', body: JSON.stringify({ attemptId }) }).catch(() => null);
  if (!answer?.ok) return announce(`Not stopped: ${answer ? await answer.text() : 'the server does not answer'}.`);
  const { accepted, state } = await answer.json() as { accepted: boolean; state: string | null };
  announce(accepted ? 'The attempt was told to stop.' : `Nothing to stop: ${state ?? 'it has ended'}.`);
}

const attempts = new AttemptsView(byId('attempts'), () => ({
  select: (id) => {
    selected = id;
    isChosen = true;
    changed = true;
  },
  stop: allowAbort && !isReplay() ? (id) => void stop(id) : null,
}));
const locks = new LocksView(byId('locks'), byId('locks-note'), announce);

function drawSelected(view: View | undefined): void {
  statechart?.show(view ?? null);
  say(byId('selected'), view ? `${plain(view.session)} · attempt ${plain(view.attemptId)}` : 'No attempt is selected.');
  const facts: [string, string][] = view ? [
    ['state', view.state], ['since', `${inWords(now() - view.since)} ago`], ['lock', view.lock],
    ['token', String(view.token ?? 'none')], ['aborted by', view.abortedBy ?? 'nobody'],
    ['late aborts', view.lateAborts.join(', ') || 'none'], ['process', String(view.pid ?? 'unknown')],
    ['limits', view.budgets ? Object.entries(view.budgets).map(([name, ms]) =>
      `${name.replace(/Ms$/, '')} ${ms === null ? 'none' : inWords(ms)}`).join(', ') : 'unknown: it began before anybody looked'],
  ] : [];
  const list = byId('facts');
  while (list.children.length > facts.length * 2) list.lastChild?.remove();
  while (list.children.length < facts.length * 2) list.append(make('dt'), make('dd'));
  facts.forEach(([name, value], nth) => {
    say(list.children[nth * 2]!, name);
    say(list.children[nth * 2 + 1]!, value);
  });
}

function drawLog(): void {
  const wanted = byId<HTMLInputElement>('filter').value.toLowerCase();
  const lines = shown.log.filter(({ text, session, attemptId }) =>
    wanted === '' || `${text} ${session} ${attemptId}`.toLowerCase().includes(wanted));
  const last = lines.slice(-MOST_LINES).reverse();
  byId('log').replaceChildren(...last.map(({ wall, session, attemptId, text }) => make('li', {},
    make('time', {}, new Date(wall).toISOString().slice(11, 23)), ` ${plain(session)} ${plain(attemptId).slice(0, 8)} `,
    make('b', {}, plain(text)))));
  const left = shown.forgotten > 0 ? `, ${shown.forgotten} older ones are no longer kept` : '';
  const cut = lines.length > MOST_LINES ? `, the last ${MOST_LINES} shown` : '';
  say(byId('log-count'), `${lines.length} of ${shown.log.length} events${cut}${left}`);
}

/** Until somebody chooses: what is stuck, else what is shown as long as it is at work, else the newest. */
function selectOf(views: readonly View[], before: View | undefined): View | undefined {
  const stuck = views.find(({ unsettled, ended }) => unsettled && ended === null);
  if (stuck) return stuck;
  return before?.ended === null ? before : views.findLast(({ ended }) => ended === null) ?? before ?? views.at(-1);
}

let drawnAt = 0;
let logDrawn = '';
function draw(): void {
  const views = [...shown.attempts.values()];
  const running = views.filter(({ ended }) => ended === null).length;
  const before = selected === null ? undefined : shown.attempts.get(selected);
  if (!before || !isChosen) selected = selectOf(views, before)?.attemptId ?? null;
  attempts.draw(shown, selected, now());
  say(byId('counts'), `${running} at work, ${views.length - running} ended`);
  byId('no-attempts').hidden = views.length > 0;
  drawSelected(selected === null ? undefined : shown.attempts.get(selected));
  const sign = `${shown.log.length} ${shown.forgotten} ${byId<HTMLInputElement>('filter').value} ${player?.position ?? ''}`;
  if (sign !== logDrawn) drawLog();
  logDrawn = sign;
}

/** Ticks while something counts down or has changed; a page nobody looks at is left alone. */
setInterval(() => {
  locks.tick(Date.now() + ahead);
  const counts = !isReplay() && [...shown.attempts.values()].some(({ ended }) => ended === null);
  if (document.hidden || !(changed || (counts && Date.now() - drawnAt >= COUNT_MS))) return;
  changed = false;
  drawnAt = Date.now();
  draw();
}, DRAW_MS);

function startReplay(text: string): void {
  const entries = entriesOf(text);
  const model = new Model();
  attempts.clear();
  player?.pause();
  player = new Player(entries, (upTo) => {
    model.clear();
    for (const entry of entries.slice(0, upTo)) model.take(entry);
    const slider = byId<HTMLInputElement>('position');
    slider.max = String(entries.length);
    slider.value = String(upTo);
    say(byId('position-of'), `${upTo} of ${entries.length}`);
    say(byId('play'), player?.isPlaying ? 'Pause' : 'Play');
    changed = true;
  });
  shown = model;
  document.body.classList.add('replay');
  player.go(entries.length);
  announce(`Replaying ${entries.length} records.`);
}

function endReplay(): void {
  player?.pause();
  player = null;
  shown = live;
  attempts.clear();
  document.body.classList.remove('replay');
  changed = true;
}

byId('filter').addEventListener('input', () => { changed = true; });
byId('open').addEventListener('change', (event) => {
  const input = event.target as HTMLInputElement;
  const [file] = input.files ?? [];
  if (file) textOf(file).then(startReplay).catch((error: Error) => announce(`Not played. ${error.message}`))
    .finally(() => { input.value = ''; }); // so that the same file, written anew, can be opened again
});
byId('play').addEventListener('click', () => {
  if (player?.isPlaying) player.pause();
  else player?.play();
  say(byId('play'), player?.isPlaying ? 'Pause' : 'Play');
});
byId('position').addEventListener('input', (event) => {
  player?.pause();
  player?.go(Number((event.target as HTMLInputElement).value));
});
byId('live').addEventListener('click', endReplay);

function connect(): void {
  const source = new EventSource('events');
  const on = <T>(name: string, take: (news: T) => void): void =>
    source.addEventListener(name, (event) => {
      take(JSON.parse((event as MessageEvent<string>).data) as T);
      changed = true;
    });
  on<Hello>('hello', (hello) => {
    ahead = hello.now - Date.now();
    if (allowAbort !== hello.allowAbort) attempts.clear();
    allowAbort = hello.allowAbort;
    live.clear();
    for (const one of hello.known) live.know(one, hello.now);
    for (const entry of hello.entries) live.take(entry);
    say(status, 'live');
    document.body.classList.remove('lost');
    byId('locks-section').hidden = !hello.hasDirectories;
    if (hello.replay !== null && !player) startReplay(hello.replay);
  });
  on<readonly Entry[]>('entries', (entries) => { for (const entry of entries) live.take(entry); });
  on<LocksNews>('locks', (news) => locks.take(news));
  on<{ count: number }>('dropped', ({ count }) => {
    say(byId('dropped'), count === 0 ? '' : `${count} events were not kept or not shown: there were too many at once`);
  });
  source.addEventListener('error', () => {
    say(status, 'disconnected; what you see is as it was. Trying again ...');
    document.body.classList.add('lost');
    if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
    source.close();
    setTimeout(connect, 1_000);
  });
}

connect();
void fetch('statechart.svg').then(async (answer) => {
  if (!answer.ok) throw new Error(String(answer.status));
  statechart = new Statechart(byId('statechart'), await answer.text());
  changed = true;
}).catch(() => say(byId('statechart'), 'The picture of the machine could not be loaded.'));
