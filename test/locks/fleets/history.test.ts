/**
 * The checker of histories must complain about each thing it is there to find, and about nothing else.
 */
import { expect, test } from 'vitest';
import { checkHistory, type FoundRecord, type HistoryEvent } from '../../../src/testing/history.js';

const at = (time: number, token: number, is: HistoryEvent['is'], record?: string): HistoryEvent =>
  ({ session: 's', token, at: time, is, ...(record && { record }) }) as HistoryEvent;
const found = (...records: [number, string][]): FoundRecord[] => records.map(([token, record]) => ({ token, record }));

/** Two holders, one after the other, three records, one refused. */
const right = [
  at(1, 1, 'granted'), at(2, 1, 'writes', 'a'), at(3, 1, 'written', 'a'), at(4, 1, 'holds'),
  at(5, 2, 'granted'), at(6, 1, 'writes', 'b'), at(7, 1, 'refused', 'b'), at(8, 2, 'writes', 'c'), at(9, 2, 'holds'),
];
const there = found([1, 'a'], [2, 'c']);
const verdict = (events: readonly HistoryEvent[], records = there) => checkHistory(events, new Map([['s', records]])).violations;

test('S1 S2 S3 S4 S15: a right history is not complained about; a write without an answer may be there or not', () => {
  expect(verdict(right)).toEqual([]);
  expect(verdict(right, found([1, 'a']))).toEqual([]);
});

test('S2 S3: a holder that is told of its grant only when it has slept through its lease has held nothing at that moment', () => {
  const stopped = right.filter(({ token, is }) => token === 2 || (is !== 'granted' && is !== 'holds'));
  const late = [...stopped, at(20, 1, 'granted')];
  const believed = (events: HistoryEvent[]) => checkHistory(events, new Map([['s', there]]), 'believed').violations;
  expect(verdict(late).join()).toContain('S3: s: token 1 was granted after 2 had ended');
  expect(believed(late)).toEqual([]);
  expect(believed([...late, at(4, 1, 'holds')])).toEqual([]);
  expect(believed([...late, at(4, 1, 'holds'), at(9.5, 1, 'holds')]).join()).toContain('S2: s: token 2 was granted 0.5 ms before');
});

test.each<[string, string, HistoryEvent[], FoundRecord[]]>([
  ['S1', 'granted twice', [...right, at(10, 2, 'granted')], there],
  ['S2', 'before token 1 ended', [...right, at(5.5, 1, 'holds')], there],
  ['S2', 'before token 3 ended', [at(0, 3, 'granted'), at(20, 3, 'holds'), ...right], there],
  ['S3', 'granted after 2 had ended', right.map((one) => ({ ...one, token: 3 - one.token })), found([2, 'a'], [2, 'c'])],
  ['S4', 'is read after one of 2', right, found([2, 'c'], [1, 'a'])],
  ['S4', 'was refused and is there', right, found([1, 'a'], [1, 'b'])],
  ['S10', 'nobody was granted', [...right, at(10, 7, 'holds')], there],
  ['S15', 'acknowledged and is not there', right, found([2, 'c'])],
  ['S15', 'is there 2 times', right, found([1, 'a'], [1, 'a'])],
  ['S15', 'nobody wrote it', right, found([1, 'a'], [2, 'd'])],
])('%s: a history in which something %s', (id, what, events, records) => {
  const said = verdict(events, records);
  expect(said.some((one) => one.startsWith(`${id}: s: `) && one.includes(what)), said.join('\n')).toBe(true);
});
