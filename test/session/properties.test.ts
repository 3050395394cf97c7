/**
 * Any interleaving of whole, torn and zombie writes, cut at any byte, against what every reader must see.
 *
 * The oracle knows who wrote what, and never looks at the bytes: of the whole records in file order each is
 * accepted unless its token is below the highest before it. Wrong readers and writers stand below; the
 * properties kill them.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeRecord } from '../../src/session/line.js';
import { readSession, type SessionContent } from '../../src/session/read-session.js';
import { openFile, useScratch } from './support.js';
import { isDeep } from '../support/depth.js';
import { breaksAndReplays, holds, replayOf, testSeed } from '../support/holds.js';

const scratch = useScratch();

/**
 * One write. `seals`: the writer saw how the file ends and started a new line where needed; false: it looked before
 * its neighbour's bytes arrived. `cut`: how many of the record's bytes reached the disk, as a part of all; 1 = whole.
 */
interface Write { token: number; text: string; cut: number; seals: boolean }

const texts = fc.oneof(fc.string({ unit: 'binary', maxLength: 8 }), fc.constantFrom(
  '{"$attempt":9,"id":0}', '"', '\\', '\n', '}{', 'ü€😀', '"$attempt":',
));
/** Evenly spread, unlike `fc.double`, which is nearly always nearly 0. */
function part(): fc.Arbitrary<number> {
  return fc.nat({ max: 1_000 }).map((n) => n / 1_000);
}

const write: fc.Arbitrary<Write> = fc.record({
  token: fc.integer({ min: 1, max: 4 }), text: texts, seals: fc.boolean(),
  cut: fc.oneof(fc.constant(1), part()),
});

interface Laid { bytes: Buffer; ends: number[]; whole: { id: number; token: number; end: number }[] }

/** The file these writes make. The id of a record is its place among the writes. */
function lay(writes: readonly Write[]): Laid {
  let bytes: Buffer = Buffer.alloc(0);
  const ends: number[] = [];
  const whole: Laid['whole'] = [];
  writes.forEach(({ token, text, cut, seals }, id) => {
    const line = Buffer.from(encodeRecord({ id, text, deep: { $attempt: 9 } }, token));
    const length = Math.round(line.length * cut);
    const seal = seals && bytes.length > 0 && bytes.at(-1) !== 0x0a ? '\n' : '';
    bytes = Buffer.concat([bytes, Buffer.from(seal), line.subarray(0, length)]);
    ends.push(bytes.length);
    // Without its newline only, a record was not acknowledged, but it is whole, and readers take it.
    if (length >= line.length - 1) whole.push({ id, token, end: bytes.length });
  });
  return { bytes, ends, whole };
}

type Reader = (path: string) => Promise<SessionContent>;
const idOf = ({ record }: { record: unknown }) => (record as { id: number }).id;

/** S4, S15 and S17 for one reader: after each write, and at one more moment in the middle of one. */
function everyReader(read: Reader) {
  return fc.asyncProperty(fc.array(write, { maxLength: 12 }), part(),
    async (writes, at) => {
      const { bytes, ends, whole } = lay(writes);
      const path = scratch.path('s.jsonl');
      const moments = [...ends, Math.round(bytes.length * at)].sort((a, b) => a - b);
      let seenBefore: number[] = [];
      for (const moment of moments) {
        writeFileSync(path, bytes.subarray(0, moment));
        const { records, discarded } = await read(path);
        const tokens = records.map(({ token }) => token ?? -1);
        expect(tokens, 'S4: tokens never fall').toEqual([...tokens].sort((a, b) => a - b));
        const ids = records.map(idOf);
        expect(ids.slice(0, seenBefore.length), 'S4: what one reader saw, a later one sees').toEqual(seenBefore);
        seenBefore = ids;
        if (!ends.includes(moment)) continue;
        const accepted: number[] = [];
        const there = whole.filter(({ end }) => end <= moment);
        let highest = 0;
        for (const { id, token } of there) {
          if (token < highest) continue;
          highest = token;
          accepted.push(id);
        }
        expect(ids, 'S15: no whole record is lost').toEqual(accepted);
        expect(discarded, 'S17: every one left out is counted').toBe(there.length - accepted.length);
      }
    });
}

const RUNS = { seed: testSeed, runs: isDeep ? 300 : 100, replay: replayOf('session/properties') };
/** Cases known to show what is wrong with the wrong ones. */
const KNOWN = { ...RUNS, runs: 300, seed: 42 };

describe('readers', () => {
  it('S4, S15, S17: hold at every moment of any interleaving, torn at any byte', { timeout: 60_000 }, async () => {
    await holds(everyReader(readSession), RUNS);
  });

  const stamp = (line: string) => {
    const { $attempt: token = null, ...record } = JSON.parse(line) as { $attempt?: number };
    return { record, token };
  };
  /** A reader made of our own lines, with one rule replaced. */
  const wrong = (rule: (token: number, seen: { highest: number; last: number }) => boolean, counts = true): Reader =>
    (path) => {
      const lines: string[] = [];
      for (const line of readFileSync(path, 'latin1').split('\n')) {
        // Split behind torn parts as the real one does, so that only the rule is wrong.
        lines.push(...line.split(/(?=\{"\$attempt":)/).map((part) => part.replace(/\}\{["$a-t]*$/, '}')));
      }
      const seen = { highest: 0, last: 0 };
      const content: SessionContent = { records: [], discarded: 0, torn: [] };
      let discarded = 0;
      for (const line of lines) {
        let entry;
        try {
          entry = stamp(Buffer.from(line, 'latin1').toString('utf8'));
        } catch {
          continue; // torn
        }
        const token = entry.token ?? 0;
        if (rule(token, seen)) content.records.push(entry);
        else discarded += 1;
        seen.last = token;
        seen.highest = Math.max(seen.highest, token);
      }
      return Promise.resolve({ ...content, discarded: counts ? discarded : 0 });
    };

  it.each<[string, Reader]>([
    ['accepts whatever is whole', wrong(() => true)],
    ['goes by the last token, not the highest', wrong((token, { last }) => token >= last)],
    ['drops equal tokens', wrong((token, { highest }) => token > highest)],
    ['does not count', wrong((token, { highest }) => token >= highest, false)],
    ['skips a torn line as a whole', async (path) => {
      const content = await readSession(path);
      const lines = readFileSync(path, 'utf8').split('\n');
      const glued = content.torn.map((number) => lines[number - 1] ?? '').join('');
      return { ...content, records: content.records.filter((entry) => !glued.includes(`"id":${idOf(entry)},`)) };
    }],
  ])('the property kills a reader that %s', { timeout: 60_000 }, async (_name, reader) => {
    expect(await breaksAndReplays(() => everyReader(reader), KNOWN)).toMatch(/^TEST_SEED=42 /);
  });

  it('a reader with the right rule, written another way, passes: the wrong ones fail for their rule', async () => {
    await holds(everyReader(wrong((token, { highest }) => token >= highest)), KNOWN);
  });
});

type Action = { by: 'us' | 'successor' } | { torn: string };
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.constantFrom<Action>({ by: 'us' }, { by: 'successor' }),
  fc.record({ torn: fc.string({ minLength: 1, maxLength: 6, unit: fc.constantFrom('{', '"', 'x', '\\', '\n', ':') }) }),
);

/** Two attempts, one after the other in tokens, on a real file; between their appends anybody may tear. */
function everyWriter(token: 'stamped' | 'plain', open: typeof openFile) {
  return fc.asyncProperty(fc.array(action, { maxLength: 15 }), async (actions) => {
    const path = scratch.path('s.jsonl');
    writeFileSync(path, '');
    const ours = open(path, token === 'plain' ? null : 7);
    const successors = open(path, token === 'plain' ? null : 8);
    try {
      const acknowledged: number[] = [];
      actions.forEach((each, id) => {
        if ('torn' in each) return appendFileSync(path, each.torn);
        try {
          (each.by === 'us' ? ours : successors).append({ id });
          acknowledged.push(id);
        } catch (error) {
          expect(error).toMatchObject({ code: 'WRITE_FENCED' });
          expect(each.by).toBe('us');
        }
      });
      const { records, discarded } = await readSession(path);
      const objects = records.filter(({ record }) => record !== null && typeof record === 'object');
      const ids = objects.map(idOf);
      expect(ids).toEqual(acknowledged);
      expect(discarded).toBe(0);
    } finally {
      void ours.close();
      void successors.close();
    }
  });
}

describe('writers', () => {
  it.each(['stamped', 'plain'] as const)(
    'S4, S15: no acknowledged record is lost, and none is acknowledged in vain (%s)', { timeout: 60_000 },
    async (kind) => {
      await holds(everyWriter(kind, openFile), RUNS);
    });

  /** A writer with something left out. */
  const careless = (check: boolean, seal: boolean): typeof openFile => (path, token) => {
    const real = openFile(path, token);
    const append = (record: Record<string, unknown>): void => {
      if (check) real.append(record);
      else appendFileSync(path, (seal ? '\n' : '') + encodeRecord(record, token));
    };
    return { ...real, append };
  };

  it('the property kills a writer that does not look how the file ends', { timeout: 60_000 }, async () => {
    await breaksAndReplays(() => everyWriter('plain', careless(false, false)), KNOWN);
  });

  it('the property kills a writer that does not look for higher tokens', { timeout: 60_000 }, async () => {
    await breaksAndReplays(() => everyWriter('stamped', careless(false, true)), KNOWN);
    await holds(everyWriter('stamped', careless(true, true)), KNOWN); // the same, with the look left in
  });
});
