/**
 * Many at once (a hundred in a deep run) on one session: each in turn, none twice, none left out.
 */
import { expect } from 'vitest';
import { isDeep } from '../support/depth.js';
import { test } from './support.js';

const CROWD = isDeep ? 100 : 20;

test(`${CROWD} attempts at once run their commands one after another`, async ({ bench }) => {
  // The witness is made exclusively: two commands at once, and one of them fails.
  const witness = 'set -C; echo $1 > witness || exit 99; echo $1 >> turns; rm witness';
  const all = Array.from({ length: CROWD }, (_, n) => bench.run('run', '-q', '-w', '10m', '-c', witness, 's', String(n)));
  const codes = (await Promise.all(all)).map(({ code, stderr }) => ({ code, stderr }));
  expect(codes.filter(({ code }) => code !== 0)).toEqual([]);
  const turns = bench.read('turns').trim().split('\n').map(Number);
  expect(turns.sort((a, b) => a - b)).toEqual(Array.from({ length: CROWD }, (_, n) => n));
}, 600_000);
