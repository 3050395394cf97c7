/**
 * What store, lease and reader promise each other on one session: the rules that several attempts meet in.
 * Each is one question, so that a test can put a wrong answer in its place and see which invariant says so.
 * Owns: those answers. Must not know: the attempts' machines.
 */
import { GRANT } from '../world.js';
import { SHOWS } from './life.js';

export interface Rules {
  /** The token of the next grant. `counter`: the last one given, kept by the store. `floor`: the session's highest. */
  readonly nextToken: (counter: number, floor: number) => number;
  /** May somebody else's lease be taken over? `isPast`: its deadline has passed. */
  readonly mayTakeOver: (isPast: boolean) => boolean;
  /** Does an ask for release, arriving at the store, end the lease of this holder? */
  readonly releaseHits: (asker: number, holder: number) => boolean;
  /** Does an ask for the release of an attempt's earlier grant end the lease of this holder, itself perhaps? */
  readonly oldReleaseHits: (asker: number, holder: number) => boolean;
  /** Does a renewal, arriving at the store, renew the lease of this holder? */
  readonly renewalHits: (renewer: number, holder: number) => boolean;
  /** Does anybody still renew for an attempt that shows this? */
  readonly renews: (shows: number) => boolean;
  /** Does the deadline of an attempt that shows this ever pass? */
  readonly deadlinePasses: (shows: number) => boolean;
  /** May work be started under a lease of ours? `isPast`: its deadline has passed. */
  readonly mayStart: (isPast: boolean) => boolean;
  /** Does the gate of an attempt that shows this let writes pass? */
  readonly gateIsOpen: (shows: number) => boolean;
  /** Does a reader take a record with this token, having seen this highest one? */
  readonly accepts: (token: number, highest: number) => boolean;
  /** The highest token a reader has seen after this record. */
  readonly highestAfter: (token: number, highest: number) => number;
}

/** As SPEC sections 4 and 6 have it. */
export const honestRules: Rules = {
  nextToken: (counter, floor) => Math.max(counter, floor) + 1,
  mayTakeOver: (isPast) => isPast,
  releaseHits: (asker, holder) => asker === holder,
  oldReleaseHits: () => false, // each request has an owner of its own
  renewalHits: (renewer, holder) => renewer === holder,
  renews: (shows) => (shows & SHOWS.renews) !== 0,
  deadlinePasses: () => true,
  mayStart: (isPast) => !isPast,
  gateIsOpen: (shows) => (shows & SHOWS.gateOpen) !== 0,
  accepts: (token, highest) => token >= highest,
  highestAfter: (token, highest) => Math.max(token, highest),
};

export const isLive = (shows: number): boolean => (shows & SHOWS.grant) === GRANT.live;
export const gaveBack = (shows: number): boolean => (shows & SHOWS.grant) === GRANT.givenBack;
/** Nothing the attempt's machine could do any more: it has ended, or its process has. */
export const isGone = (shows: number): boolean => (shows & (SHOWS.over | SHOWS.crashed)) !== 0;
