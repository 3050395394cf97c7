/** Bugs of the locks in files. */
import type { SeededBug } from '../seeded-bug.js';

const DIRECTORY = 'src/locks/file/lock-directory.ts';
const REMOVAL = 'src/locks/file/lock-removal.ts';
const LEASE = 'src/locks/file/file-lease.ts';
const STORE = 'src/locks/file/local-file-locks.ts';
const TOKENS = 'src/locks/file/tokens.ts';
const TRY = 'src/locks/file/one-try.ts';
const everyCall = ['locks/file/every-call'];
const contract = ['locks/contract'];

const place: readonly SeededBug[] = [
  { id: 'takeover-without-compare', breaks: 'M13 S2', file: DIRECTORY, tests: ['seeded/extra/takeover'],
    sentence: 'A taker renames whatever owner file lies in the lock, not the very one it saw dead.',
    find: 'if (!attempted(() => renameSync(join(lock, dead), join(lock, nameOf(name))), ...GONE)) return '
      + 'false;',
    replace: 'const there = readdirSync(lock).find((one) => parseName(one) !== null) ?? dead;\n'
      + '    if (!attempted(() => renameSync(join(lock, there), join(lock, nameOf(name))), ...GONE)) '
      + 'return false;' },
  { id: 'renewal-without-compare', breaks: 'M13 S7', file: DIRECTORY, tests: ['seeded/extra/takeover'],
    sentence: 'A holder renews by renaming whatever owner file lies in the lock, its successor\'s included.',
    find: 'if (!attempted(() => renameSync(this.path, join(this.places.lock, nameOf(name))), ...GONE)) '
      + 'return false;',
    replace: 'const there = readdirSync(this.places.lock).find((one) => parseName(one) !== null) ?? '
      + 'nameOf(this.#name);\n'
      + '    if (!attempted(() => renameSync(join(this.places.lock, there), '
      + 'join(this.places.lock, nameOf(name))), ...GONE)) return false;' },
  { id: 'release-deletes-the-successor', breaks: 'M13 S7', file: DIRECTORY, tests: everyCall,
    sentence: 'A release removes whatever owner file lies in the lock.',
    find: 'const there = attempted(() => unlinkSync(this.path), ...GONE);',
    replace: 'const there = attempted(() => readdirSync(this.places.lock).forEach((one) => '
      + 'unlinkSync(join(this.places.lock, one))), ...GONE);' },
  { id: 'successor-taken-for-litter', breaks: 'M13 S7', file: REMOVAL, tests: everyCall,
    sentence: 'A release that finds a successor in the lock clears it away as litter.',
    find: 'if (entries.length === 0 || entries.some((entry) => parseName(entry) !== null)) return;',
    replace: 'if (entries.length === 0) return;' },
  { id: 'empty-directory-replaced', breaks: 'S2 M15', file: DIRECTORY, tests: everyCall,
    sentence: 'The populated directory is renamed onto any empty one, a lock of plain proper-lockfile included.',
    find: 'if (!isStill(lock, expected)) return false;', replace: 'void expected;' },
  { id: 'plain-lock-taken-young', breaks: 'S2 M15', file: TRY, tests: ['locks/file/plain'], build: true,
    sentence: 'The empty directory of a living plain proper-lockfile user is taken for a dead one.',
    find: 'ENTERED_MS : Math.max(PLAIN_STALE_MS, leaseMs)', replace: 'ENTERED_MS : 0' },
  { id: 'entered-unseen', breaks: 'S2 M13', file: DIRECTORY, tests: everyCall,
    sentence: 'Nobody looks whether our owner file came to lie in the directory we made, or in a successor\'s.',
    find: 'isSame(lock, made) && ', replace: '' },
  { id: 'entered-beside-another', breaks: 'S2 S16', file: DIRECTORY, tests: everyCall,
    sentence: 'Nobody looks whether another owner has populated the directory we made before we did.',
    find: ' && ownersIn(lock).length === 1', replace: '' },
  { id: 'enters-however-late', breaks: 'S2 M13', file: DIRECTORY, tests: everyCall,
    sentence: 'Who was stopped between making the directory and looking at it takes what it sees for its own.',
    find: 'if (seen && stalledMs() < MOST_STALL_MS)', replace: 'if (seen)' },
  { id: 'crashed-start-ages', breaks: 'L3 M15', file: TRY, tests: everyCall,
    sentence: 'What a process leaves that is killed between two calls of taking or giving back is held for long.',
    find: 'ENTERED_MS : Math.max(PLAIN_STALE_MS, leaseMs)', replace: '60_000 : 60_000' },
  { id: 'stale-staging-kept', breaks: 'M15 M09 S7', file: DIRECTORY, tests: everyCall,
    sentence: 'What a dead holder staged for a rewrite outlives the takeover, and may still be put in place.',
    find: 'for (const entry of readdirSync(this.places.lock)) {', replace: 'for (const entry of [] as string[]) {' },
  { id: 'prepared-directory-left', breaks: 'M15 L5', file: DIRECTORY, tests: everyCall,
    sentence: 'A directory that was prepared and not put in place stays in the room.',
    find: 'if (!placed) discardStaged(staged);', replace: 'void placed;' },
  { id: 'abandoned-start-left', breaks: 'M15 L5', file: STORE, tests: ['locks/file/tokens'], build: true,
    sentence: 'What a killed start prepared is never removed.',
    find: 'clearAbandoned(places.room, before, this.#clock.wallNow() - PLAIN_STALE_MS);',
    replace: 'void clearAbandoned;' },
  { id: 'made-directory-left', breaks: 'M07 S6', file: DIRECTORY, tests: everyCall,
    sentence: 'A throw between making the directory and populating it leaves an empty lock.',
    find: 'if (!done && made) discardEmpty(lock, made);', replace: 'void done;' },
  { id: 'pid-is-identity', breaks: 'M14', file: 'src/owner.ts', tests: ['locks/file/records'], build: true,
    sentence: 'A process is taken to live as long as anybody has its pid.',
    find: 'now.started !== mark.started || now.ended : isNoProcess(pid);', replace: 'now.ended : isNoProcess(pid);' },
  { id: 'unknown-is-dead', breaks: 'M14 S2', file: 'src/owner.ts', tests: ['locks/file/records'], build: true,
    sentence: 'A process of which there is no telling is taken for dead.',
    find: 'if (!comparable) return false;', replace: 'if (!comparable) return true;' },
];

const tokens: readonly SeededBug[] = [
  { id: 'token-not-claimed', breaks: 'S1 S3', file: STORE, tests: contract,
    sentence: 'The next token is computed and never written down, so the next grant gets it again.',
    find: 'lease.confirm(claimToken(places.room, before.current ? before : readLedger(places.room), floor));',
    replace: 'lease.confirm(Math.max(before.highest, floor) + 1);' },
  { id: 'token-claimed-before-the-lock', breaks: 'S1 S3', file: TOKENS,
    tests: ['locks/file/tokens', 'locks/file/races'], build: true,
    sentence: 'A claim does not notice that another one was made from the number it knows.',
    find: "join(room, `token.${to}`)), 'ENOENT');",
    replace: "join(room, `token.${to}`)), 'ENOENT') || true;" },
  { id: 'floor-ignored', breaks: 'S3 S4', file: STORE, tests: contract,
    sentence: 'The tokens of a session begin at 1 whatever its records carry.',
    find: 'before.current ? 0 : await request.tokenFloor?.() ?? 0;', replace: '0;' },
  { id: 'floor-not-asked-after-a-boot', breaks: 'S3', file: TOKENS, tests: ['locks/file/tokens'], build: true,
    sentence: 'Token names of another boot, of which the highest may be missing, are trusted.',
    find: 'current: current && numbers.length > 0,', replace: 'current: numbers.length > 0,' },
  { id: 'file-tombstone-ignored', breaks: 'M02 S11', file: STORE, tests: contract,
    sentence: 'An owner that was released by name is granted a file lock all the same.',
    find: 'return isStillWanted(request) && !this.#tombstones.has(request.owner);',
    replace: "return isStillWanted(request) || request.owner === '';" },
  { id: 'grant-to-who-left', breaks: 'M02 S11', file: STORE, tests: contract,
    sentence: 'Nobody asks whether the lock is still wanted when the token has been claimed.',
    find: 'const granted = this.#isWanted(request)\n        && lease', replace: 'const granted = lease' },
  { id: 'any-token-forces', breaks: 'S7 M19', file: STORE, tests: contract,
    sentence: 'A file lock is taken by force with any token.',
    find: '({ name }) => name.token === token);',
    replace: '({ name }) => name.token >= token || token > 0);' },
  { id: 'holder-not-told-of-force', breaks: 'M12 S12', file: STORE, tests: contract,
    sentence: 'The holder is not told that its lock was taken by force.',
    find: '?.takenByForce(`taken away by force (token ${token})`);', replace: ';' },
];

const leftOpen: readonly SeededBug[] = [
  { id: 'left-open-for-nobody', breaks: 'L3 M22', file: 'src/locks/file/lock-directory.ts', tests: ['locks/file/left-open'],
    sentence: 'A lock is left open though nobody waits any more: plain proper-lockfile users never get it.',
    find: 'if (!isAwaited()) return null;\n    this.#entry = null;', replace: 'this.#entry = null;' },
  { id: 'leaver-leaves-it-open', breaks: 'L3 M22', file: STORE, tests: ['locks/file/left-open'],
    sentence: 'The last one to leave the line does not look whether the lock has just been left open.',
    find: 'if (leaveLine && !this.#leases.find(({ owner }) => owner === request.owner)) removeOpen(places);', replace: '' },
  { id: 'never-given-to-all', breaks: 'L4 M22', file: LEASE, tests: ['locks/file/left-open'],
    sentence: 'While others wait a lock is never taken away: plain proper-lockfile users starve.',
    find: 'this.#mayBeAwaited && !this.isOwedToAll', replace: 'this.#mayBeAwaited' },
  { id: 'owed-to-all-forgotten', breaks: 'L4 M22', file: 'src/locks/file/one-try.ts', tests: ['locks/file/left-open-for-nobody'],
    sentence: 'What was passed on within the process counts anew: plain users starve where no grant that is a multiple of eight is given back.',
    find: 'isOwedToAll: from.isOwedToAll', replace: 'isOwedToAll: false' },
  { id: 'nobody-came-and-it-stays', breaks: 'L3 M22', file: LEASE, tests: ['locks/file/left-open-for-nobody'],
    sentence: 'A lock stays open for one that waits and does not come: it is stopped, or was killed just now.',
    find: 'if (entry !== null) takeAwayUnlessTaken(this.places, entry, clock);', replace: '' },
  { id: 'left-open-with-its-token', breaks: 'S7 M19', file: 'src/locks/file/lock-directory.ts', tests: ['locks/file/left-open'],
    sentence: 'A lock that is left open still carries the token of who gave it back: its children go on writing.',
    find: 'nameOf({ token: 0, until: 0, id: this.id })', replace: 'nameOf({ ...this.#name, id: this.id })' },
  { id: 'open-is-held', breaks: 'L3', file: 'src/locks/file/occupant.ts', tests: ['locks/file/left-open'],
    sentence: 'A lock that was left open is taken for one that is held by somebody.',
    find: "name.until === 0 ? { kind: 'open', entry }", replace: "name.until < 0 ? { kind: 'open', entry }" },
];

const lease: readonly SeededBug[] = [
  { id: 'renewal-after-release', breaks: 'M12 S13', file: LEASE,
    tests: ['locks/file/release-fails', 'locks/file/failing-for-long'], hangs: true,
    sentence: 'A lease whose release is under way is renewed, and so never ends.',
    find: "if (this.#phase === 'held') this.#phase = 'releasing';", replace: '' },
  { id: 'heart-beats-on', breaks: 'M12 S13 L5', file: STORE, tests: contract,
    sentence: 'The heart goes on beating for leases that are over.',
    find: 'ended: (lease) => this.#leases.remove(lease),', replace: 'ended: () => {},' },
  { id: 'lease-never-renewed', breaks: 'M12', file: LEASE, tests: ['incidents/M12'],
    sentence: 'A held lease is not renewed.',
    find: 'const due = now - this.#renewedAt >= this.#parts.renewMs;',
    replace: 'const due = now < this.#renewedAt;' },
  { id: 'file-doubt-is-a-loss', breaks: 'M11 M12', file: LEASE, tests: ['locks/file/release-fails', 'locks/file/failing-for-long'],
    sentence: 'A lease whose deadline passes is lost at once, though nobody has taken it.',
    find: "this.#notices.tell({ type: 'inDoubt' });",
    replace: "return this.#lose('its deadline has passed');" },
  { id: 'doubt-not-told', breaks: 'M11 S10', file: LEASE, tests: ['locks/file/release-fails', 'locks/file/failing-for-long'],
    sentence: 'Nobody is told that a lease has come into doubt.',
    find: "this.#notices.tell({ type: 'inDoubt' });", replace: '' },
  { id: 'first-failed-renewal-is-a-loss', breaks: 'M12 S14', file: LEASE, tests: ['locks/file/release-fails', 'locks/file/failing-for-long'],
    sentence: 'A renewal that fails once is a loss.',
    find: 'if (now >= this.#deadline + this.#parts.leaseMs) {', replace: 'if (now >= 0) {' },
  { id: 'file-release-error-is-yes', breaks: 'M06 S14', file: LEASE, tests: ['locks/file/release-fails'],
    sentence: 'A disk that refuses the removal is believed to have removed.',
    find: "return Promise.resolve('unknown'); // the native error",
    replace: "return Promise.resolve('released'); // the native error" },
  { id: 'file-release-forgets', breaks: 'M06', file: LEASE, tests: ['locks/file/release-fails'],
    sentence: 'After a release that failed a second one has nothing to remove.',
    find: 'if (this.#unlocked) return this.#parts.hold.own.remove();',
    replace: 'if (this.#unlocked) return false;' },
  { id: 'patience-on-the-wall-clock', breaks: 'S16', file: STORE, tests: ['seeded/extra/locks'],
    sentence: 'The wait for a lock is measured on the wall clock, which may be set.',
    find: 'const until = this.#clock.now() + waitMs;',
    replace: 'const until = this.#clock.wallNow() + waitMs;',
    also: { find: 'const leftMs = until - this.#clock.now();',
    replace: 'const leftMs = until - this.#clock.wallNow();' } },
  { id: 'deadline-on-the-wall-clock', breaks: 'S16 S2', file: LEASE, tests: contract,
    sentence: 'The deadline of a renewed lease is told on the wall clock.',
    find: 'this.#deadline = before + leaseMs;', replace: 'this.#deadline = clock.wallNow() + leaseMs;' },
];

const inLine = ['locks/file/line'];
const LINE = 'src/locks/file/process-line.ts';
const TURNS = 'src/locks/file/turns.ts';

const line: readonly SeededBug[] = [
  { id: 'passed-on-for-ever', breaks: 'L4', file: TURNS, tests: inLine,
    sentence: 'A process passes the lock on within itself however many others wait.',
    find: 'if (passed < MOST_IN_A_ROW)', replace: 'if (passed >= 0)' },
  { id: 'stays-in-front', breaks: 'L4', file: TURNS, tests: inLine,
    sentence: 'A process that has had its turns stays in front of those who wait.',
    find: '    line.toTheEnd(tickets);\n    return false;', replace: '    return false;' },
  { id: 'passed-on-with-what-was-staged', breaks: 'M15 M09 S7', file: TRY, tests: inLine,
    sentence: 'What a holder staged outlives the passing on, and may still be put in place.',
    find: '    own.clearStaged();\n', replace: '' },
  { id: 'passed-on-lock-released-again', breaks: 'S7 M13', file: LEASE, tests: inLine,
    sentence: 'Who has passed a lock on still releases what proper-lockfile knows of: the successor\'s.',
    find: 'this.#unlocked = this.#parts.passOn(this);', replace: 'return this.#parts.passOn(this);' },
  { id: 'passed-on-to-who-left', breaks: 'M02 S11', file: STORE, tests: inLine,
    sentence: 'A lock passed on is granted to one that has left meanwhile.',
    find: "if (this.#isWanted(request)) return { status: 'granted', lease };", replace: "return { status: 'granted', lease };" },
  { id: 'hung-waiter-stops-the-line', breaks: 'L4 L7', file: LINE, tests: inLine, hangs: true,
    sentence: 'A process that waits and hangs keeps a free lock from those behind it.',
    find: '>= GRACE_MS) this.#passed.add(front);', replace: '< 0) this.#passed.add(front);' },
  { id: 'dead-ticket-stays', breaks: 'M15 L4 L5', file: 'src/locks/file/tickets.ts', tests: inLine,
    sentence: 'The ticket of a dead process is waited for like any other.',
    find: 'return read !== null && isGone(read);', replace: 'return read === undefined;' },
];

export const fileLockBugs = [...place, ...tokens, ...leftOpen, ...lease, ...line];
