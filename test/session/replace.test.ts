/** Compaction: all at once or not at all, and never over a successor's records. */
import {
  chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Staging } from '../../src/locks/lock-store.js';
import { encodeRecord } from '../../src/session/line.js';
import { readSession } from '../../src/session/read-session.js';
import { leaseWith, thrown, useScratch } from './support.js';

const scratch = useScratch();
const text = (path: string) => readFileSync(path, 'utf8');

/** A lock directory as the default store keeps it: what is staged in it is removed by a takeover. */
function stagingIn(lock: string, more: Partial<Staging> = {}): Staging {
  mkdirSync(lock, { recursive: true });
  return { path: () => join(lock, 'staged'), confirm: () => existsSync(lock), ...more };
}

function held(token: number, staging: Partial<Staging> = {}) {
  const path = scratch.path('s.jsonl');
  const lock = `${path}.lock`;
  const session = scratch.open(path, token, { lease: leaseWith(token, { staging: stagingIn(lock, staging) }) });
  return { path, lock, session };
}

describe('replace', () => {
  it('puts the new records in place of all there were, stamped with the current token', async () => {
    const { path, lock, session } = held(7);
    writeFileSync(path, encodeRecord({ old: 1 }, 3) + '{"foreign":1}\n{"torn');
    session.replace([{ n: 1 }, { n: 2 }]);
    session.append({ n: 3 });
    expect(text(path)).toBe([1, 2, 3].map((n) => encodeRecord({ n }, 7)).join(''));
    expect(readdirSync(lock)).toEqual([]);
    expect(await readSession(path)).toMatchObject({ discarded: 0, torn: [] });
  });

  it('keeps the permissions, and makes the file where there was none', () => {
    const { path, session } = held(7);
    session.replace([{ n: 1 }]);
    expect(statSync(path).mode & 0o777).toBe(0o666 & ~process.umask());
    chmodSync(path, 0o640);
    session.replace([{ n: 2 }]);
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  it('S4: replaced by nothing, the file still knows the token, so a zombie stays out', async () => {
    const { path, session } = held(8);
    const zombie = scratch.open(path, 7);
    zombie.append({ n: 1 });
    session.replace([]);
    expect(await readSession(path)).toEqual({ records: [], discarded: 0, torn: [] });
    thrown('WRITE_FENCED', () => zombie.append({ n: 2 }));
    session.append({ n: 3 });
    expect((await readSession(path)).records).toEqual([{ record: { n: 3 }, token: 8 }]);
  });

  it('plain lines are replaced by plain lines', () => {
    const path = scratch.path('s.jsonl');
    writeFileSync(path, '{"n":0}\n');
    const lease = leaseWith(7, { staging: stagingIn(`${path}.lock`) });
    const session = scratch.open(path, null, { lease });
    session.replace([{ n: 1 }]);
    expect(text(path)).toBe('{"n":1}\n');
    session.replace([]);
    expect(text(path)).toBe('');
  });

  it('follows a link to the file it stands for', () => {
    writeFileSync(scratch.path('real.jsonl'), '{"n":0}\n');
    symlinkSync(scratch.path('real.jsonl'), scratch.path('link.jsonl'));
    scratch.open(scratch.path('link.jsonl'), 7, { tokenScope: 'process' }).replace([{ n: 1 }]);
    expect(lstatSync(scratch.path('link.jsonl')).isSymbolicLink()).toBe(true);
    expect(text(scratch.path('real.jsonl'))).toBe('{"$attempt":7,"n":1}\n');
  });

  it('writes many records in pieces', async () => {
    const { path, session } = held(7);
    const record = { text: 'x'.repeat(1_000) };
    session.replace((function* () { for (let n = 0; n < 5_000; n++) yield { n, ...record }; })());
    const { records, torn } = await readSession(path);
    expect(records).toHaveLength(5_000);
    expect(torn).toEqual([]);
  });
});

describe('a replace that must not happen', () => {
  const before = encodeRecord({ n: 1 }, 7);

  function refused(
    code: Parameters<typeof thrown>[0],
    staging: Partial<Staging> | ((lock: string) => Partial<Staging>),
    records: Iterable<Record<string, unknown>> = [{ n: 2 }],
  ) {
    const lock = scratch.path('s.jsonl.lock');
    const { path, session } = held(7, typeof staging === 'function' ? staging(lock) : staging);
    session.append({ n: 1 });
    const error = thrown(code, () => session.replace(records));
    expect(text(path)).toBe(before);
    expect(existsSync(join(lock, 'staged'))).toBe(false);
    session.append({ n: 3 });
    expect(text(path)).toBe(before + encodeRecord({ n: 3 }, 7));
    return error;
  }

  it('M09: the lock is no longer ours when the staged file is complete', () => {
    refused('WRITE_FENCED', { confirm: () => false });
  });

  it('M09: a takeover removed what was staged before the rename', () => {
    const error = refused('WRITE_FENCED', (lock) => ({
      confirm: () => { rmSync(join(lock, 'staged')); return true; }, // the takeover comes right after the answer
    }));
    expect(error.cause).toMatchObject({ code: 'ENOENT', syscall: 'rename' });
  });

  it('M09: a takeover removed the lock before anything was staged', () => {
    const error = refused('WRITE_FENCED', (lock) => ({
      path: () => { rmSync(lock, { recursive: true }); return join(lock, 'staged'); },
    }));
    expect(error.cause).toMatchObject({ code: 'ENOENT', syscall: 'open' });
  });

  it('an invalid record anywhere leaves the session as it was', () => {
    refused('RECORD_INVALID', {}, [{ n: 2 }, { n: 3n }, { n: 4 }]);
  });

  it('what the caller\'s iterable throws is handed on, even if it looks like a disk\'s error', () => {
    const { path, lock, session } = held(7);
    session.append({ n: 1 });
    const own = Object.assign(new Error('theirs'), { code: 'ENOENT', syscall: 'open' });
    expect(() => session.replace((function* () { yield { n: 2 }; throw own; })())).toThrow(own);
    expect(text(path)).toBe(before);
    expect(readdirSync(lock)).toEqual([]);
  });

  it('a write from within the iterable is refused: it would go down with the old file', () => {
    const { path, session } = held(7);
    session.append({ n: 1 });
    thrown('WRITE_FAILED', () => session.replace((function* () { session.append({ n: 9 }); yield { n: 2 }; })()));
    expect(text(path)).toBe(before);
  });

  it('something else stands where it would be staged', () => {
    const { path, lock, session } = held(7);
    session.append({ n: 1 });
    writeFileSync(join(lock, 'staged'), 'not ours');
    expect(thrown('WRITE_FAILED', () => session.replace([{ n: 2 }])).cause).toMatchObject({ code: 'EEXIST' });
    expect(text(path)).toBe(before);
    expect(text(join(lock, 'staged'))).toBe('not ours');
  });

  it.each(['durable', 'until-failover', 'none'] as const)('the lock has no place to stage in (%s)', (tokenScope) => {
    const session = scratch.open(scratch.path('s.jsonl'), 7, { tokenScope });
    session.append({ n: 1 });
    expect(thrown('REPLACE_UNSUPPORTED', () => session.replace([])).message).toContain('localFileLocks()');
    expect(text(scratch.path('s.jsonl'))).toBe(before);
  });

  it('a lock within this process needs none, and nothing is left beside the session', () => {
    const session = scratch.open(scratch.path('s.jsonl'), 7, { tokenScope: 'process' });
    thrown('RECORD_INVALID', () => session.replace([{ n: 1n }]));
    session.replace([{ n: 1 }]);
    expect(readdirSync(scratch.dir)).toEqual(['s.jsonl']);
  });
});
