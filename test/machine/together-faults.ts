/**
 * Faults of what several attempts meet in, each a mistake somebody has made or could make, and the invariant that has
 * to say so. Owns: the faults. Must not know: how they are found.
 */
import { LABEL, SHOWS, type Faults } from '../../src/testing/explore/index.js';

const GRANT_LIVE = 1;
const isLive = (shows: number): boolean => (shows & SHOWS.grant) === GRANT_LIVE;
const shows = (bits: number, one: number): boolean => (bits & one) !== 0;

export interface SeededFault {
  readonly name: string;
  readonly faults: Faults;
  /** The invariant that kills it. */
  readonly killedBy: string;
  /** Shows only where work has windows. */
  readonly ofWindows?: true;
}

/** A grant that comes after the end stays, and the store's client goes on renewing it. */
const keepLateGrants: Faults['bend'] = (life) => {
  for (let node = 0; node < life.size; node += 1) {
    if (!shows(life.shows[node]!, SHOWS.over) || !isLive(life.shows[node]!)) continue;
    life.shows[node] = (life.shows[node]! | SHOWS.renews) & ~SHOWS.releaseBegun; // It asked in vain, and long ago.
    for (let edge = life.starts[node]!; edge < life.starts[node + 1]!; edge += 1) {
      if (life.labels[edge] !== LABEL.free) continue;
      life.labels[edge] = LABEL.silent;
      life.targets[edge] = node;
    }
  }
};

export const seededFaults: readonly SeededFault[] = [
  { name: 'a token is used again', killedBy: 'S1', faults: { rules: { nextToken: (counter) => Math.max(counter, 1) } } },
  { name: 'the store forgets its counter, and a session nobody wrote to has no floor', killedBy: 'S1',
    faults: { rules: { nextToken: (_counter, floor) => floor + 1 } } },
  { name: 'tokens fall', killedBy: 'S3', faults: { rules: { nextToken: (counter) => (counter === 0 ? 2 : 1) } } },
  { name: 'a lease that is alive is taken over', killedBy: 'S2', faults: { rules: { mayTakeOver: () => true } } },
  { name: 'a release by owner hits the successor', killedBy: 'S7', faults: { rules: { releaseHits: () => true } } },
  { name: 'the release of a first grant, performed late, hits the second', killedBy: 'S7', ofWindows: true,
    faults: { rules: { oldReleaseHits: (asker, holder) => asker === holder } } },
  { name: 'a zombie\'s renewal renews the successor\'s lease', killedBy: 'S7',
    faults: { rules: { renewalHits: () => true } } },
  { name: 'a reader lets the token before the highest pass (off by one)', killedBy: 'S4',
    faults: { rules: { accepts: (token, highest) => token >= highest - 1 } } },
  { name: 'a reader wants each token to be higher (<= for <)', killedBy: 'S15',
    faults: { rules: { accepts: (token, highest) => token > highest } } },
  { name: 'a zombie\'s record is accepted: no reader compares tokens', killedBy: 'S4',
    faults: { rules: { accepts: () => true } } },
  { name: 'a reader remembers the last token, not the highest', killedBy: 'S4',
    faults: { rules: { highestAfter: (token) => token } } },
  { name: 'a late grant is never given back', killedBy: 'L7', faults: { bend: keepLateGrants } },
  { name: 'the lease of a process that crashed never ends', killedBy: 'L3',
    faults: { rules: { deadlinePasses: (bits) => !shows(bits, SHOWS.crashed) } } },
  { name: 'the release goes out before the gate closes', killedBy: 'S5',
    faults: { rules: { gateIsOpen: (bits) => shows(bits, SHOWS.mayWrite) && !shows(bits, SHOWS.over | SHOWS.crashed) } } },
  { name: 'renewal goes on after the release began', killedBy: 'S13',
    faults: { rules: { renews: (bits) => !shows(bits, SHOWS.over | SHOWS.crashed) } } },
  { name: 'work is started under a lease in doubt', killedBy: 'S10', faults: { rules: { mayStart: () => true } } },
];
