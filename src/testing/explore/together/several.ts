/**
 * Two or three attempts on one session. Each is walked alone first, against a store that may do anything a store can:
 * so whatever the others do to it is among what was walked, and what must hold of it alone (S5 to S14, L7) is decided
 * there. What others can see of it is then composed. Owns: that order. Must not know: single moves.
 */
import { exploreOne, movesApart, CHECKED_ALONE } from '../one.js';
import type { Explored, ExploreOptions } from '../explored.js';
import { twoVariants } from '../variants.js';
import { lifeOf, oneOf, type Lived } from './life.js';
import { quotientOf } from './quotient.js';
import { honestRules, type Rules } from './rules.js';
import { tellTogether, type Player } from './story.js';
import { walkTogether } from './walk.js';

/** What only the meeting of several attempts can decide. */
export const CHECKED_TOGETHER: readonly string[] = ['S1', 'S2', 'S3', 'S4', 'S7', 'S15', 'L3'];

const MOST_WORLDS = 100_000_000;
const MOST_FOUND = 8;
/** Windows in all three make some thirty times as many worlds as in one. */
const WINDOWS_OF_THREE = 1;
/** A timeout does more than the other causes; those do the same (S18). */
const TWO_CAUSES = ['user', 'timeout'] as const;

/** Attempts that have been walked alone, ready to meet. */
export interface Company {
  readonly alone: Explored;
  readonly life: Lived;
  readonly players: readonly Player[];
}

/** Walks one attempt in each set-up, and keeps its life. */
export function gather(options: ExploreOptions): Company {
  const lives: Lived[] = [];
  const players: Player[] = [];
  const { variants = twoVariants, causes = TWO_CAUSES, mostWorlds: _together, ...others } = options;
  const alone = exploreOne({ ...others, causes, variants }, ({ can, walked }, variant) => {
    lives.push(lifeOf(can, walked));
    const until = lives.reduce((sum, { size }) => sum + size, 0);
    players.push({ variant, until, moves: () => movesApart(variant, { ...options, causes }) });
  });
  return { alone, players, life: oneOf(lives) };
}

const copyOf = (life: Lived): Lived =>
  ({ ...life, shows: life.shows.slice(), labels: life.labels.slice(), targets: life.targets.slice() });

/** Lets so many of the company meet on one session. */
export function meet(attempts: 2 | 3, { alone, players, life: own }: Company, options: ExploreOptions): Explored {
  const { mostWorlds = MOST_WORLDS, mostFound = MOST_FOUND, faults, print, onProgress } = options;
  const { windows: mostWindows = attempts === 3 ? WINDOWS_OF_THREE : attempts } = options;
  const begun = performance.now();
  const life = faults?.bend ? copyOf(own) : own;
  faults?.bend?.(life);
  const rules: Rules = { ...honestRules, ...faults?.rules };
  const quotient = quotientOf(life);
  const what = `${attempts} attempts on one session`;
  const walked = walkTogether(Array.from({ length: attempts }, () => quotient.life), rules, {
    mostWorlds, mostFound, mostWindows,
    onProgress: (worlds, done, forEnds) => onProgress?.({ what: forEnds ? `${what}: ways to an end` : what, worlds, done }),
  });
  const { worlds: { size: worlds }, transitions, depth, isWhole } = walked;
  const seconds = (performance.now() - begun) / 1_000;
  const worldsPerSecond = Math.round(worlds / seconds);
  const classes = quotient.life.size;
  print?.(`${what}: ${worlds} worlds, ${transitions} transitions, depth ${depth}, ${classes} classes of `
    + `${life.size} nodes, ${worldsPerSecond} worlds/s${isWhole ? '' : ', NOT WHOLE'}`);
  return {
    attempts, states: alone.states, machineTransitions: alone.machineTransitions,
    worlds, transitions, depth, isWhole, worldsPerSecond, seconds: alone.seconds + seconds,
    alone: { worlds: alone.worlds, transitions: alone.transitions, classes },
    checked: [...CHECKED_ALONE, ...CHECKED_TOGETHER],
    violations: walked.found.map((found) => ({
      id: found.id, what: found.what, story: tellTogether({ life, quotient, players, rules }, walked, found),
    })),
  };
}

export function exploreSeveral(attempts: 2 | 3, options: ExploreOptions): Explored {
  const company = gather(options);
  const { alone } = company;
  // What is composed must be what was proved; a fault of one attempt alone has its story there.
  if (alone.violations.length > 0 || !alone.isWhole) return { ...alone, attempts };
  return meet(attempts, company, options);
}
