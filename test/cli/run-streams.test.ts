/**
 * Standard streams are the command's own: nothing is read, delayed, lost or added, and a reader that goes away ends
 * nothing but what writes to it.
 */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { test } from './support.js';

const it = test.concurrent;

it('standard input goes to the command', async ({ bench }) => {
  const started = bench.attempt(['run', 's', 'wc', '-c']);
  started.child.stdin?.end('x'.repeat(300_000));
  expect((await started.ended).stdout.trim()).toBe('300000');
});

it('large output comes whole through a slow pipe', async ({ bench }) => {
  const slow = 'node "$ATTEMPT" run s head -c 3000000 /dev/zero | (sleep 0.3; sha256sum)';
  const { stdout } = await bench.start('bash', ['-c', slow]).ended;
  expect(stdout.split(' ')[0]).toBe(createHash('sha256').update(Buffer.alloc(3_000_000)).digest('hex'));
});

it('a reader that goes away ends the command as without attempt: by PIPE, 141', async ({ bench }) => {
  const { stdout, stderr } = await bench.start('bash', ['-c', 'node "$ATTEMPT" run s yes | head -1; echo ${PIPESTATUS[0]}']).ended;
  expect({ stdout, stderr }).toEqual({ stdout: 'y\n141\n', stderr: '' });
});

it('a standard error that nobody reads, or that is closed, changes nothing', async ({ bench }) => {
  const gone = 'node "$ATTEMPT" run -v s true 2> >(exec true); a=$?; node "$ATTEMPT" run -v s true 2>&-; echo $a $?';
  expect((await bench.start('bash', ['-c', gone]).ended).stdout).toBe('0 0\n');
});

it('a closed standard output and input change nothing', async ({ bench }) => {
  const closed = 'node "$ATTEMPT" run s sh -c "echo lost || exit 5" <&- >&-; echo $? >&2';
  expect((await bench.start('bash', ['-c', closed]).ended).stderr).toMatch(/\b0\n$/);
});
