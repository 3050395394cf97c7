/** How much of a session is read and written at once: a lock is held meanwhile, and memory is bounded. Calls are counted. */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { highestTokenIn, readTail } from '../../src/session/token-scan.js';
import { leaseWith, openFile } from '../session/support.js';
import { aside, hooked, withSteps } from '../support/fs-steps.js';
import { temporaryDirectory } from '../support/temporary.js';

vi.mock('node:fs', async (original) => (await import('../support/fs-steps.js')).stepped(await original<object>()));

const [KIB, MIB] = [1024, 1024 * 1024];
const newFile = (text: string): string => {
  const path = join(temporaryDirectory(), 's.jsonl');
  writeFileSync(path, text);
  return path;
};

describe('the end of a session', () => {
  /** How many bytes each look asked for. */
  function looks(text: string): number[] {
    const fd = openSync(newFile(text), 'r');
    const asked: number[] = [];
    withSteps((name, _index, args) => {
      if (name === 'readSync') asked.push(args[3] as number);
    }, () => readTail(fd, text.length, 5));
    closeSync(fd);
    return asked;
  }
  const lines = (bytes: number): string => '{"a":1}\n'.repeat(bytes / 8);

  test('is one look of 16 KiB where a line begins in it, however long the session', () => {
    expect(looks(lines(8))).toEqual([8]);
    expect(looks(lines(16 * KIB))).toEqual([16 * KIB]);
    expect(looks(lines(2 * MIB))).toEqual([16 * KIB]);
  });

  test('goes further back where none does: to the beginning, or 8 MiB at most', () => {
    expect(looks('x'.repeat(16 * KIB))).toEqual([16 * KIB]);
    expect(looks('x'.repeat(20 * KIB))).toEqual([16 * KIB, 20 * KIB]);
    expect(looks('x'.repeat(9 * MIB))).toEqual([16 * KIB, 128 * KIB, MIB, 8 * MIB]);
  });
});

test('the floor of a session of up to 256 KiB is read at once, of a longer one in pieces, for which nothing waits', async () => {
  for (const [bytes, isAtOnce] of [[0, true], [256 * KIB, true], [256 * KIB + 1, false]] as const) {
    const path = newFile('\n'.repeat(bytes));
    const calls: string[] = [];
    const unhook = hooked((name) => void calls.push(name));
    await highestTokenIn(path).finally(unhook);
    expect(calls.includes('readSync'), String(bytes)).toBe(isAtOnce && bytes > 0);
    expect(calls.filter((name) => name === 'openSync')).toHaveLength(1);
  }
});

test('a rewrite goes out in pieces of a MiB and what its last line adds, not line by line', () => {
  const path = newFile('{"$attempt":1,"a":1}\n');
  const staging = { path: () => `${path}.staged`, confirm: () => true };
  const session = openFile(path, 2, { lease: leaseWith(2, { staging }) });
  const pieces: number[] = [];
  const records = Array.from({ length: 70 }, (_, n) => ({ n, text: 'x'.repeat(50 * KIB) }));
  withSteps((name, _index, args) => {
    if (name === 'writeSync') aside(() => pieces.push((args[1] as Buffer).length));
  }, () => session.replace(records));
  void session.close();
  expect(pieces).toHaveLength(4);
  for (const piece of pieces.slice(0, -1)) expect(Math.floor(piece / MIB)).toBe(1);
  expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(71);
});
