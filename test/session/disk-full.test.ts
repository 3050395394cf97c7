/** A disk that is really full: a tmpfs of 64 KiB, mounted for one test. Needs Linux and leave to mount. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSession } from '../../src/session/read-session.js';
import { leaseWith, openFile, thrown, useScratch } from './support.js';

const scratch = useScratch();

/** @returns whether the test ran: false where nothing can be mounted. */
async function onSmallDisk(test: (dir: string) => Promise<void>): Promise<boolean> {
  const dir = scratch.path('disk');
  mkdirSync(dir);
  if (process.platform !== 'linux') return false;
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir], { stdio: 'ignore' });
  if (mount.status !== 0) return false;
  try {
    await test(dir);
  } finally {
    expect(spawnSync('umount', [dir], { stdio: 'inherit' }).status).toBe(0);
  }
  return true;
}

function orSkip(ran: boolean, skip: (why: string) => never): void {
  if (ran) return;
  console.warn('SKIPPED: a full disk needs Linux and the right to mount a tmpfs');
  skip('cannot mount a tmpfs here');
}

describe('a full disk', () => {
  it('S14, S15: fails the append, keeps what was acknowledged, goes on with room', async ({ skip }) => {
    orSkip(await onSmallDisk(async (dir) => {
      const path = join(dir, 's.jsonl');
      const session = openFile(path, 7);
      try {
        session.append({ n: 1 });
        writeFileSync(join(dir, 'filler'), Buffer.alloc(40 * 1024));
        const short = thrown('WRITE_FAILED', () => session.append({ n: 2, text: 'x'.repeat(50_000) }));
        expect(short.message).toMatch(/only the first \d+ reached it/);
        const none = thrown('WRITE_FAILED', () => session.append({ n: 3, text: 'x'.repeat(50_000) }));
        expect(none.cause).toMatchObject({ code: 'ENOSPC' });
        rmSync(join(dir, 'filler'));
        session.append({ n: 4 });
        const { records, torn, discarded } = await readSession(path);
        expect(records.map(({ record }) => record)).toEqual([{ n: 1 }, { n: 4 }]);
        expect({ torn, discarded }).toEqual({ torn: [2], discarded: 0 });
      } finally {
        void session.close();
      }
    }), skip);
  });

  it('fails a replace and leaves the session as it was, with nothing staged', async ({ skip }) => {
    orSkip(await onSmallDisk(async (dir) => {
      const path = join(dir, 's.jsonl');
      const staged = join(dir, 'staged');
      const staging = { path: () => staged, confirm: () => true };
      const session = openFile(path, 7, { lease: leaseWith(7, { staging }) });
      try {
        session.append({ n: 1 });
        const error = thrown('WRITE_FAILED', () => session.replace([{ text: 'x'.repeat(100_000) }]));
        expect(error.cause).toMatchObject({ code: 'ENOSPC' });
        session.append({ n: 2, text: 'x'.repeat(50_000) }); // there is room again: the staged file is gone
        expect((await readSession(path)).records).toHaveLength(2);
      } finally {
        void session.close();
      }
    }), skip);
  });
});
