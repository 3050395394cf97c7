/**
 * Which file a session is: however it is spelled, it is one lock; and where that lock lies.
 */
import { existsSync, linkSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { localFileLocks } from '../../../src/locks/file/local-file-locks.js';
import { realSession } from '../../../src/locks/file/session-path.js';
import { makeDirectory, removeDirectory } from '../../support/temporary.js';
import { runAttempt } from '../../../src/attempt.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { ask, granted } from './attempt.js';

/** Another spelling of `<home>/real/session.jsonl`. */
const SPELLINGS: Record<string, (home: string) => string> = {
  relative: (home) => relative(process.cwd(), join(home, 'real', 'session.jsonl')),
  'with dots': (home) => `${home}/real/../real/././session.jsonl`,
  'a link to the file': (home) => link(join(home, 'real', 'session.jsonl'), join(home, 'link.jsonl')),
  'a relative link': (home) => link('real/session.jsonl', join(home, 'link.jsonl')),
  'a link to a link': (home) => link(link('real/session.jsonl', join(home, 'one')), join(home, 'two')),
  'in a linked directory': (home) => join(link('real', join(home, 'linked')), 'session.jsonl'),
};

function link(target: string, path: string): string {
  symlinkSync(target, path);
  return path;
}

describe.each(['that exists', 'that does not exist yet'])('a session %s', (which) => {
  test.each(Object.entries(SPELLINGS))('S2: %s, is one session', async (_name, spell) => {
    const home = temporaryDirectory();
    mkdirSync(join(home, 'real'));
    const plain = join(home, 'real', 'session.jsonl');
    if (which === 'that exists') writeFileSync(plain, '');
    const store = localFileLocks();
    const lease = await granted(store, spell(home));
    expect(lease.session).toBe(plain);
    expect(existsSync(`${plain}.lock`)).toBe(true);
    expect(await ask(localFileLocks(), plain)).toMatchObject({ status: 'busy' });
    await lease.release();
    expect(existsSync(plain), 'locking creates no session').toBe(which === 'that exists');
  });
});

describe('what is no session', () => {
  test('S2: a file with two names is refused under either, and says why; asking about it is not', async () => {
    const home = temporaryDirectory();
    const [one, two] = [join(home, 'one'), join(home, 'two')];
    writeFileSync(one, '');
    linkSync(one, two);
    for (const session of [one, two]) {
      await expect(ask(localFileLocks(), session)).rejects.toThrow(/one name, got one with 2 \(hard links\)/);
      expect((await localFileLocks().query(session))[0]?.holder).toBeNull();
    }
    expect(readdirSync(home).sort()).toEqual(['one', 'two']);
    rmSync(two);
    await (await granted(localFileLocks(), one)).release();
  });


  test('a directory, and a circle of links, are refused and say so', async () => {
    const home = temporaryDirectory();
    link('b', join(home, 'a'));
    link('a', join(home, 'b'));
    for (const session of [home, join(home, 'a')]) {
      await expect(ask(localFileLocks(), session)).rejects.toThrow(/SESSION|ELOOP|expected a file/);
    }
    expect(readdirSync(home).sort()).toEqual(['a', 'b']);
  });

  test('asking about a session makes nothing', async () => {
    const home = temporaryDirectory();
    const [status] = await localFileLocks().query(join(home, 'no', 'such', 'session'));
    expect(status).toMatchObject({ holder: null, waiting: [] });
    expect(readdirSync(home)).toEqual([]);
    expect(realSession(join(home, 'no', 'such'), 'read')).toBe(join(home, 'no', 'such'));
  });
});

describe('locks in a directory of their own', () => {
  test('S2: nothing lies beside the session, and sessions of one name are told apart', async () => {
    const home = temporaryDirectory();
    const directory = join(home, 'locks');
    const store = localFileLocks({ directory });
    const leases = await Promise.all(['one', 'two'].map((where) => {
      mkdirSync(join(home, where));
      return granted(store, join(home, where, 'session.jsonl'));
    }));
    expect(await ask(localFileLocks({ directory }), join(home, 'one', 'session.jsonl'))).toMatchObject({ status: 'busy' });
    expect(readdirSync(join(home, 'one'))).toEqual([]);
    expect(readdirSync(directory).filter((name) => name.endsWith('.lock'))).toHaveLength(2);
    for (const lease of leases) await lease.release();
    expect(readdirSync(directory).filter((name) => name.endsWith('.lock'))).toEqual([]);
  });

  test('S7: on another file system a rewrite is refused, with a code, and the session is as it was', async (context) => {
    const home = temporaryDirectory();
    const elsewhere = ['/dev/shm', '/run'].find((path) => existsSync(path) && lstatSync(path).dev !== lstatSync(home).dev);
    if (elsewhere === undefined) return context.skip('SKIPPED LOUDLY: no second file system here');
    const directory = makeDirectory(join(elsewhere, basename(home)));
    onTestFinished(() => removeDirectory(directory));
    const session = join(home, 'session.jsonl');
    writeFileSync(session, '{"kept":1}\n');
    const report = await runAttempt({
      session, locks: localFileLocks({ directory }), work: ({ session: writer }) => writer.replace([{ new: 1 }]),
    });
    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'REPLACE_UNSUPPORTED' }, lease: 'released' });
    expect(readdirSync(home)).toEqual(['session.jsonl']);
  });
});
