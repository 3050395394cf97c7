/**
 * Durations as they are read and said, and the lines of the waiting display at their widths.
 */
import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../src/cli/duration.js';
import { waitingLines } from '../../src/cli/run/waiting-display.js';
import { harmless, harmlessJson, holderInWords, inWords } from '../../src/text.js';
import type { Holder } from '../../src/locks/lock-store.js';

describe('durations', () => {
  it.each([['0', 0], ['5', 5_000], ['250ms', 250], ['1.5s', 1_500], ['.5', 500], ['2m', 120_000], ['1h', 3_600_000], ['1d', 86_400_000]])(
    'reads %s', (text, ms) => expect(parseDuration(text)).toBe(ms),
  );
  it.each(['', '-1', '1w', '1 s', '1e3', 'inf', 'NaN', '25d', '5S'])('refuses "%s"', (text) => {
    expect(() => parseDuration(text)).toThrow('Expected a duration');
  });
  it('takes a word where one is allowed', () => expect(parseDuration('inf', { inf: Infinity })).toBe(Infinity));
  it.each([
    [0, '0 ms'], [999, '999 ms'], [1_000, '1 s'], [1_250, '1.2 s'], [9_999, '9.9 s'], [59_999, '59 s'], [60_000, '1 min'],
    [119_999, '1 min 59 s'], [3_600_000, '1 h'], [7_260_000, '2 h 1 min'], [86_400_000 * 3, '3 d'],
  ])('says %d as %s, never more than it is', (ms, words) => expect(inWords(ms)).toBe(words));
});

describe('words for the terminal', () => {
  it('are harmless, and as JSON still mean the same', () => {
    const hostile = 'a\u001b[2J\u009b\u202eb\n\u2066';
    expect(harmless(hostile)).toBe('a\u00b7[2J\u00b7\u00b7b\u00b7\u00b7');
    expect(harmlessJson({ hostile })).toMatch(/^[ -~]*$/);
    expect(JSON.parse(harmlessJson({ hostile }))).toEqual({ hostile });
  });
});

const HOLDER: Holder = {
  attemptId: '1b7f2c09-0000-4000-8000-000000000000', owner: 'o', token: 7, pid: 4242, host: 'here', since: 0, state: 'running.working',
  note: 'step 3', until: 190_000, labels: { job: 'nightly', text: 'x'.repeat(256) }, sameProcess: false,
};

describe('the waiting display', () => {
  const view = (width: number, host = 'here') => ({ width, now: 182_000, host });
  const status = { session: '/s', holder: HOLDER, waiting: [HOLDER, HOLDER, HOLDER] as never[] };

  it.each([20, 40, 77, 97])('fits %d columns whatever is in it', (width) => {
    const lines = waitingLines({ session: '/a/long/path/'.repeat(20), patienceMs: 60_000 }, 12_345, status, view(width));
    expect(lines.filter((line) => line.length > width)).toEqual([]);
  });
  it('says who, which state, since when, until when at the latest, how long, and who else', () => {
    const lines = waitingLines({ session: 'notes.jsonl', patienceMs: 60_000 }, 12_345, { ...status, holder: { ...HOLDER, labels: {} } }, view(97));
    expect(lines).toEqual([
      'waiting for notes.jsonl: 12 s of at most 1 min',
      'held for 3 min 2 s by attempt 1b7f2c09 (running, pid 4242, "step 3")',
      'free in 8 s at the latest, unless it is renewed; 2 more waiting',
    ]);
  });
  it('says that a lease is over, that a lock is free, that its holder is elsewhere or foreign', () => {
    const over = waitingLines({ session: 's', patienceMs: Infinity }, 1, { ...status, holder: { ...HOLDER, until: 180_000 } }, view(97));
    expect(over[2]).toContain('its lease ended 2 s ago');
    expect(waitingLines({ session: 's', patienceMs: 1 }, 1, undefined, view(97))[1]).toBe('the lock is free and about to be taken');
    expect(holderInWords(HOLDER, 182_000, 'there')).toContain('pid 4242 on here');
    expect(holderInWords({ ...HOLDER, remark: 'a stranger' }, 0, 'here')).toBe('held by a stranger');
  });
});
