/**
 * What is wrong with a `--store`, or an `ATTEMPT_STORE`: said before anything is opened or made.
 */
import { cpSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EXIT } from '../../src/cli/exits.js';
import { storeWord } from '../../src/cli/store-word.js';
import { ATTEMPT, test } from './support.js';

describe('what --store and ATTEMPT_STORE say', () => {
  afterEach(() => vi.unstubAllEnvs());
  const message = (store?: string): string => {
    try {
      return `took ${JSON.stringify(storeWord(store === undefined ? {} : { store }))}`;
    } catch (error) {
      return (error as Error).message;
    }
  };

  it.each([
    ['file:/x', 'got file:/x; for locks in a directory: files:/x'], ['flies:/x', 'got flies:/x; for locks in a directory: files:/x'],
    ['/tmp/locks', 'got /tmp/locks; for locks in a directory: files:/tmp/locks'], ['./x', 'directory: files:./x'],
    ['~/x', 'directory: files:"$HOME"/x'], ['files:', 'got files:'], ['mysql://u:secret@h', 'got mysql://...'],
    ['postgres:u:secret@h', 'got postgres:...@h'],
  ])('%s', (store, says) => {
    expect(message(store)).toMatch(/^--store: expected files, files:<directory>, postgres:\/\/\.\.\. or redis:\/\/\.\.\., got /);
    expect(message(store).endsWith(says), message(store)).toBe(true);
    vi.stubEnv('ATTEMPT_STORE', store);
    expect(message()).toBe(message(store).replace('--store', 'ATTEMPT_STORE'));
  });

  it('a file, and a ~ that no shell has expanded, are no directory for locks', () => {
    const file = fileURLToPath(import.meta.url);
    expect(message(`files:${file}`)).toBe(`--store: files:${file}: expected a directory, found a file; name another one`);
    expect(message('files:~/x')).toMatch(/^--store: files:~\/x: expected a path, got a ~.*files:"\$HOME"/);
    expect(storeWord({ store: 'files:./~/x' })).toMatchObject({ kind: 'files', directory: './~/x' });
  });
});

test.concurrent('an engine whose package is not installed: which one, and how to install it', async ({ bench }) => {
  cpSync(dirname(ATTEMPT), bench.path('bin'), { recursive: true });
  for (const [url, name] of [['postgres://h/db', 'pg'], ['redis://h', 'ioredis']] as const) {
    const there = bench.start(process.execPath, ['bin/attempt.cjs', 'status', '--store', url, 'key']);
    expect(await there.ended).toMatchObject({ code: EXIT.failed, stderr: expect.stringMatching(new RegExp(`: npm install ${name}\n$`)) as string });
  }
});
