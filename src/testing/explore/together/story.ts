/**
 * A violation among several attempts as a story: who did what, in order, in the machine's own words.
 * The walk knows classes; what an attempt does silently between two visible moves is filled in here, as briefly as it
 * can be. Must not know: how the violation was found.
 */
import { invariants } from '../../../../machines/attempt.invariants.js';
import type { Moves } from '../moves.js';
import { storeMoves } from '../store.js';
import { lineOf } from '../story.js';
import type { Variant } from '../variants.js';
import { pack } from '../world.js';
import { AFTER_CRASH, CRASH, LABEL, type Lived } from './life.js';
import { KIND, Together, nameOf, type Kind } from './moves.js';
import type { Quotient } from './quotient.js';
import type { Rules } from './rules.js';
import type { FoundTogether, WalkedTogether } from './walk.js';
import { newTable, type Table } from './world.js';

/** Who leads which part of a life: nodes below `until`, from where the one before ends. */
export interface Player {
  readonly variant: Variant;
  readonly until: number;
  /** The attempt's own moves, every cause told apart. Made when a story asks for them: they take much room. */
  readonly moves: () => Moves;
}

/** Everybody who may appear. */
export interface Cast {
  readonly life: Lived;
  readonly quotient: Quotient;
  readonly players: readonly Player[];
  readonly rules: Rules;
}

interface Actor {
  readonly moves: Moves;
  readonly variant: string;
  node: number;
  world: number;
}

interface Seen { readonly kind: Kind; readonly who: number; readonly edge: number; readonly otherEdge: number }

/** The move between two worlds of the walk, and where each attempt stands after it. */
function moveBetween(walked: WalkedTogether, rules: Rules, from: number, to: number): Seen & { order: number[] } {
  let seen: (Seen & { order: number[] }) | null = null;
  const order: number[] = [];
  const together = new Together(walked.layout, rules, (next, kind, who, edge, otherEdge) => {
    if (next === to) seen ??= { kind, who, edge, otherEdge, order: [...order] };
  }, () => {});
  together.order = order;
  together.expand(from);
  if (!seen) throw new Error(`no move leads from ${from} to ${to}`);
  return seen;
}

class Teller {
  readonly lines: string[] = [];
  /** By the place in the world at hand. */
  actors: Actor[];
  /** How the actor at each place is called in the end; filled in when the end is known. */
  readonly #names = new Map<Actor, string>();

  constructor(readonly cast: Cast, readonly walked: WalkedTogether, first: Table) {
    this.actors = first.nodes.map((one) => this.#enter(one));
  }

  #enter(one: number): Actor {
    const { life, quotient, players } = this.cast;
    const node = life.firsts.find((first) => quotient.classOf[first] === one)!;
    const { moves, variant } = players.find(({ until }) => node < until)!;
    const own = moves();
    return { moves: own, variant: variant.name, node, world: pack(own.states.first, 0) };
  }

  name(actor: Actor): string {
    return this.#names.get(actor) ?? '?';
  }

  /** Names hang on places at the end, for the violation speaks of those. */
  christen(orders: readonly number[][]): void {
    const last = orders.reduce((places, order) => order.map((place) => places[place]!), this.actors);
    last.forEach((actor, place) => this.#names.set(actor, nameOf(place)));
  }

  say(actor: Actor | null, text: string): void {
    this.lines.push(`${actor ? `${this.name(actor)}  ` : '   '}${text}`);
  }

  /** The actor goes silently to where it can take this visible step, and takes it. */
  act(actor: Actor, edge: number, note: string): void {
    const { labels, targets } = this.cast.quotient.life;
    const way = this.#wayTo(actor.node, labels[edge]!, targets[edge]!);
    way.forEach((step, index) => this.#step(actor, step, index === way.length - 1 ? note : ''));
  }

  #wayTo(from: number, label: number, to: number): number[] {
    const { life, quotient: { classOf } } = this.cast;
    const cameBy = new Map<number, number>([[from, -1]]);
    const owner = new Map<number, number>();
    for (const node of cameBy.keys()) { // A Map is walked in the order of its growth: breadth first.
      for (let edge = life.starts[node]!; edge < life.starts[node + 1]!; edge += 1) {
        const next = life.targets[edge]!;
        owner.set(edge, node);
        if (life.labels[edge] === label && classOf[next] === to) {
          const way = [edge];
          for (let at = cameBy.get(node)!; at >= 0; at = cameBy.get(owner.get(at)!)!) way.unshift(at);
          return way;
        }
        const isInert = life.labels[edge] === LABEL.silent && classOf[next] === classOf[from];
        if (isInert && !cameBy.has(next)) cameBy.set(next, edge);
      }
    }
    throw new Error('the classes do not keep what they promise: no way leads on');
  }

  #step(actor: Actor, edge: number, note: string): void {
    const { life } = this.cast;
    const move = life.moves[edge]!;
    actor.node = life.targets[edge]!;
    if (move === CRASH) return this.say(actor, `its process crashes${note}`);
    if (move >= AFTER_CRASH) return this.say(actor, `the store ${storeMoves[move - AFTER_CRASH]!.name}${note}`);
    const text = lineOf(actor.moves, actor.world, move);
    actor.world = actor.moves.make(actor.world, move)?.to ?? actor.world;
    this.say(actor, text + note);
  }
}

function tellMove(teller: Teller, { kind, who, edge, otherEdge }: Seen, now: Table): void {
  const actor = teller.actors[who]!;
  const { rules, quotient: { life } } = teller.cast;
  const token = now.tokens[who]!;
  const isGiven = kind === KIND.takeOver || (kind === KIND.own && life.labels[edge] === LABEL.give);
  const isForced = kind === KIND.own && life.labels[edge] === LABEL.end && now.past === 0;
  const note = isForced ? ': taken away by force' : isGiven ? ` (token ${rules.nextToken(now.counter, now.highest)})` : '';
  switch (kind) {
    case KIND.own: return teller.act(actor, edge, note);
    case KIND.takeOver: {
      const holder = teller.actors.find((_, place) => place !== who && (life.shows[now.nodes[place]!]! & 3) === 1)!;
      if (otherEdge >= 0) teller.act(holder, otherEdge, `: taken over by ${teller.name(actor)}`);
      return teller.act(actor, edge, note);
    }
    case KIND.write: return teller.say(actor, `a record with token ${token} lands in the file, `
      + `${rules.accepts(token, now.highest) ? 'and is accepted' : 'and is left out'}`);
    case KIND.deadline: return teller.say(actor, 'the deadline of its lease passes');
    case KIND.revive: return teller.say(actor, 'its lease is renewed');
    case KIND.oldWrite: return teller.say(actor, `a record from before its window, token ${now.olds[who]!}, lands in the `
      + `file, and is ${rules.accepts(now.olds[who]!, now.highest) ? 'accepted' : 'left out'}`);
    case KIND.oldAsk: return teller.say(actor, 'the ask for the release of its first grant reaches the store');
    case KIND.strayAsk: return teller.say(actor, 'an ask for release, sent long ago, reaches the store');
    case KIND.strayRenewal: return teller.say(actor, 'a renewal, begun long ago, reaches the store');
  }
}

/** The shortest way there is, in visible moves, to this violation. */
export function tellTogether(cast: Cast, walked: WalkedTogether, found: FoundTogether): string {
  const { worlds, layout } = walked;
  const path: number[] = [];
  for (let at = found.at; at >= 0; at = worlds.parentOf(at)) path.unshift(worlds.at(at));
  const table = newTable(layout.count);
  layout.unpack(path[0]!, table);
  const teller = new Teller(cast, walked, table);
  const seen = path.slice(1).map((to, index) => moveBetween(walked, cast.rules, path[index]!, to));
  teller.christen(seen.map(({ order }) => order));
  const who = teller.actors.map((actor) => `  ${teller.name(actor)}: ${actor.variant}`).sort();
  seen.forEach((one, index) => {
    layout.unpack(path[index]!, table);
    tellMove(teller, one, table);
    teller.actors = one.order.map((place) => teller.actors[place]!);
  });
  layout.unpack(path[path.length - 1]!, table);
  if (found.move) tellMove(teller, { ...found.move, otherEdge: -1 }, table);
  const statement = invariants.find(({ id }) => id === found.id)?.statement ?? '';
  return [
    `${found.id} violated: ${found.what}`, `  ${statement}`, ...who,
    ...teller.lines.map((text, index) => `${String(index + 1).padStart(4)}. ${text}`),
  ].join('\n');
}
