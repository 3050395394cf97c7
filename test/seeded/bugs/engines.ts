/** Bugs of the locks in PostgreSQL and Redis: granting to who comes next, asking a holder to end. They need the servers. */
import type { SeededBug } from '../seeded-bug.js';

const LINE = 'src/locks/engine/line-of-request.ts';
const LEASE = 'src/locks/engine/engine-lease.ts';
const REDIS = 'src/locks/redis/scripts.ts';
const POSTGRES = 'src/locks/postgres/statements.ts';

const offers = ['locks/engine/offers'];
const redis = ['locks/redis/protocol'];
const postgres = ['locks/postgres/protocol'];

export const engineBugs: readonly SeededBug[] = [
  { id: 'offer-counted-from-its-arrival', breaks: 'S2 S10', file: LINE, tests: offers,
    sentence: 'A lock that was granted to a waiter is counted from when that is heard, and is believed in past its end.',
    find: "lastsMs: ALIVE_MS, asking: seen }", replace: "lastsMs: ALIVE_MS, asking: this.asking() }" },
  { id: 'offer-that-is-over-taken', breaks: 'S1 S14', file: LINE, tests: offers,
    sentence: 'A grant that a later look has shown to be over is taken, when its news comes late.',
    find: ' || offer.token <= this.#lastToken) return null', replace: ') return null' },
  { id: 'short-lease-not-renewed-soon', breaks: 'M12', file: LEASE, tests: offers,
    sentence: 'What was granted for a second only is renewed when a third of a whole lease has passed.',
    find: 'this.#renewedAt = -Infinity; // due', replace: 'if (lastsMs > 0) return; // due' },
  { id: 'ask-in-redis-not-addressed', breaks: 'M19 S7', file: REDIS, tests: redis,
    sentence: 'Redis: an ask that names an earlier grant is told to whoever holds the lock.',
    find: "if owner == '' or lock[1] ~= ARGV[3] or ends < now then return 'notHeld' end",
    replace: "if owner == '' or ends < now then return 'notHeld' end" },
  { id: 'dead-waiter-keeps-a-lease', breaks: 'L3', file: REDIS, tests: redis, hangs: true,
    sentence: 'Redis: a waiter that is granted the lock and has died keeps it for more than a lease.',
    find: "'owner', head, 'ends', now + ${ALIVE_MS},", replace: "'owner', head, 'ends', now + 300000," },
  { id: 'leaver-keeps-its-grant', breaks: 'S6 S11', file: REDIS, tests: redis,
    sentence: 'Redis: who leaves the line keeps what it was granted on its way out.',
    find: "if owner == ARGV[1] then redis.call('HSET', KEYS[1], 'owner', '', 'info', '', 'freed', ARGV[1]) end", replace: '' },
  { id: 'second-release-not-known', breaks: 'S14 R1', file: REDIS, tests: redis,
    sentence: 'Redis: a release that is asked again, since its answer was lost, is told that it was not held.',
    find: "return lock[3] == ARGV[1] and 'already' or 'notHeld' end", replace: "return 'notHeld' end" },
  { id: 'buried-owner-granted-in-passing', breaks: 'S11', file: POSTGRES, tests: postgres,
    sentence: 'PostgreSQL: who gives the lock back grants it to an owner that has been given up.',
    find: 'AND coalesce((l.buried ->> next.owner)::timestamptz < clock_timestamp(), true) THEN', replace: 'THEN' },
  { id: 'refusal-not-asked-for', breaks: 'M19', file: POSTGRES, tests: postgres,
    sentence: 'PostgreSQL: a holder that is not supersedable is asked all the same.',
    find: "coalesce(l.info ->> 'supersedable', '') = 'false'", replace: "coalesce(l.info ->> 'supersedable', '') = 'no'" },
  { id: 'ask-outlives-its-grant', breaks: 'M19 S7', file: POSTGRES, tests: postgres,
    sentence: 'PostgreSQL: what a holder was asked that died is told to whoever takes its lock over.',
    find: 'asked = CASE WHEN l.owner = $2 THEN l.asked END', replace: 'asked = l.asked' },
  { id: 'second-record-of-a-child-lost', breaks: 'S15', file: 'src/locks/postgres/postgres-session.ts', tests: ['locks/postgres/session'],
    sentence: 'PostgreSQL: children of one attempt are given the same numbers.',
    find: 'held.written - cardinality($4::text[]) + one.place, one.record::json', replace: 'one.place, one.record::json' },
  { id: 'unanswered-write-called-refused', breaks: 'S4 S14', file: 'src/locks/engine/record-queue.ts', tests: ['locks/engine/record-queue'],
    sentence: 'A write whose answer was lost, and which is fenced when it is asked again, is said not to have been written.',
    find: 'if (answer === false) return this.#wasWritten(batch, unanswered);', replace: 'if (answer === false) return false;' },
  { id: 'raised-beside-a-renewal', breaks: 'R1 S12', file: 'src/locks/engine/engine-lease.ts', tests: ['locks/engine/lease'],
    sentence: 'A token is raised while a renewal by the old one is under way: it is told lost, and the lock stays for a lease.',
    find: 'while (this.#inFlight !== null) await this.#inFlight; // rung', replace: '// rung' },
  { id: 'lease-of-nobody-listens', breaks: 'L5', file: 'src/locks/engine/engine-locks.ts', tests: ['locks/engine'],
    sentence: 'A lease that nobody has, and whose release went unanswered, keeps the connection on which holders are rung.',
    find: 'lease.givenUp(); // nobody has it', replace: "if (answer === 'unknown') this.#leases.remove(lease);" },
];
