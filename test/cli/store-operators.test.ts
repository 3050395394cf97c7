/**
 * What an operator does to attempts in an engine: looks what is the matter, stops, takes away, follows; and what a
 * command under such an attempt writes.
 */
import { describe, expect } from 'vitest';
import { EXIT } from '../../src/cli/exits.js';
import { describeWith } from '../support/servers.js';
import { useStores } from './stores.js';
import { test, until, type Bench, type Started } from './support.js';

const APPEND = '"$NODE" "$ATTEMPT" append';

/** The command on one store, named by the environment. */
class On {
  readonly env: NodeJS.ProcessEnv;

  constructor(readonly bench: Bench, readonly url: string) {
    this.env = { ATTEMPT_STORE: url, NODE: process.execPath };
  }

  start(...args: string[]): Started {
    return this.bench.attempt(args, { env: this.env });
  }

  run(...args: string[]): Started['ended'] {
    const started = this.start(...args);
    started.child.stdin?.end();
    return started.ended;
  }

  /** Holds the session, until its input ends. */
  async hold(session: string, ...options: string[]): Promise<Started> {
    const seen = `${session}.seen`;
    const holder = this.start('run', ...options, session, '--', 'sh', '-c', `echo $ATTEMPT_TOKEN > ${seen}; exec cat`);
    await this.bench.line(seen);
    return holder;
  }
}

interface Card {
  readonly session: string;
  readonly condition: string;
  readonly also: readonly string[];
  readonly liveness: { readonly verdict: string };
  readonly tokens: unknown;
  readonly next: { readonly command: string };
}

describeWith(['postgres', 'redis'], 'operators of an engine', () => {
  const urls = useStores();

  describe.each(['postgres', 'redis'] as const)('%s', (engine) => {
    const on = async (bench: Bench): Promise<On> => {
      if (engine === 'postgres') expect((await bench.run('migrate', '--store', urls.postgres)).code).toBe(0);
      return new On(bench, urls[engine]);
    };

    test('M19 L6: stop ends the command of the one it meets, cleanly; of who is not there, nothing', async ({ bench }) => {
      const store = await on(bench);
      const holder = await store.hold('stopped');
      const other = await store.run('stop', '--attempt', 'nobody', 'stopped');
      expect(other).toMatchObject({ code: 0, stdout: expect.stringContaining('attempt nobody does not hold it') });
      const stopped = await store.run('stop', '--reason', 'deploy', 'stopped');
      expect(stopped).toMatchObject({ code: 0, stdout: expect.stringMatching(/^attempt: stopped: attempt .+ has ended after /) });
      expect(await holder.ended).toMatchObject({ signal: 'SIGTERM' });
      expect(await store.run('stop', 'stopped')).toMatchObject({ code: 0, stdout: 'attempt: stopped: nobody holds it; there is nothing to stop\n' });
    });

    test('M22: take over: the newest ends the holder; who is not supersedable stays', async ({ bench }) => {
      const store = await on(bench);
      const first = await store.hold('newest');
      const second = store.start('run', '--take-over', '--no-supersede', 'newest', '--', 'sh', '-c', 'echo $ATTEMPT_TOKEN > second; exec cat');
      expect(await bench.line('second')).toBe('2');
      expect((await first.ended).code).toBe(EXIT.superseded);
      const third = await store.run('run', '--take-over', '-w', '300ms', 'newest', 'true');
      expect(third.code).toBe(EXIT.busy);
      second.child.stdin?.end();
      expect((await second.ended).code).toBe(0);
    });

    test('S7 M19: unlock takes the very grant away: by its token, by force where its holder may be at work', async ({ bench }) => {
      const store = await on(bench);
      const holder = await store.hold('unlocked');
      expect(await store.run('unlock', '--token', '7', 'unlocked')).toMatchObject({ code: EXIT.matter });
      const refused = await store.run('unlock', '--token', '1', 'unlocked');
      expect(refused).toMatchObject({ code: EXIT.busy, stderr: expect.stringContaining('attempt unlock --force --token 1 unlocked') });
      expect(await store.run('unlock', '--force', '--token', '1', 'unlocked')).toMatchObject({ code: 0 });
      expect(await store.run('run', 'unlocked', '--', 'sh', '-c', 'echo $ATTEMPT_TOKEN')).toMatchObject({ code: 0, stdout: '2\n' });
      expect((await holder.ended).code).toBe(EXIT.leaseLost);
      expect(await store.run('unlock', '--token', '1', 'unlocked')).toMatchObject({ code: EXIT.matter });
    });

    test('S1 S4 S15: children write with their attempt\'s token, one after another and at once, and only while it lasts', async ({ bench }) => {
      const store = await on(bench);
      const one = `echo "{\\"n\\":$n}" | ${APPEND}`;
      const script = `n=1; ${one} && n=2; ${one} && { for n in 3 4 5 6; do ${one} & done; wait; }; env | grep ^ATTEMPT_ > env`;
      expect(await store.run('run', '-c', script, 'written')).toMatchObject({ code: 0, stderr: '' });
      const { stdout } = await store.run('log', '--json', 'written');
      const records = stdout.trim().split('\n').map((line) => JSON.parse(line) as { token: number; record: { n: number } });
      expect(records.map(({ record }) => record.n).slice(0, 2)).toEqual([1, 2]);
      expect(records.map(({ record }) => record.n).sort()).toEqual([1, 2, 3, 4, 5, 6]);
      expect(new Set(records.map(({ token }) => token))).toEqual(new Set([1]));
      const env = Object.fromEntries(bench.read('env').trim().split('\n').map((line) => line.split(/=(.*)/s) as [string, string]));
      const late = bench.attempt(['append'], { env });
      late.child.stdin?.end('{"n":7}\n');
      expect(await late.ended).toMatchObject({ code: EXIT.leaseLost, stderr: expect.stringContaining('has ended') });
      const bad = await store.run('run', '-c', `printf '{"n":8}\\n[]\\n' | ${APPEND}`, 'written');
      expect(bad).toMatchObject({ code: EXIT.failed, stderr: expect.stringMatching(/^attempt: line 2: .*\(1 before it written\)/) });
    });

    test('S17: log --follow goes on as the session grows, and ends when nobody reads it', async ({ bench }) => {
      const store = await on(bench);
      await store.run('run', '-c', `echo '{"n":1}' | ${APPEND}`, 'followed');
      const log = store.start('log', '--json', '-f', 'followed');
      await until('the first record', () => log.stdout === '{"token":1,"record":{"n":1}}\n');
      await store.run('run', '-c', `echo '{"n":2}' | ${APPEND}`, 'followed');
      await until('the second record', () => log.stdout.endsWith('{"token":2,"record":{"n":2}}\n'));
      log.kill('SIGTERM');
      expect((await log.ended).signal).toBe('SIGTERM');
    });

    test('L3: doctor says who holds what, whether it lives, and what to do; a dead one may be unlocked at once', async ({ bench }) => {
      const store = await on(bench);
      const cards = async (...sessions: string[]): Promise<{ code: number | null; found: readonly Card[] }> => {
        const { code, stdout } = await store.run('doctor', '--json', ...sessions);
        return { code, found: (JSON.parse(stdout) as { sessions: Card[] }).sessions };
      };
      expect(await cards('never')).toMatchObject({ code: 0, found: [{ condition: 'free', tokens: { granted: 0, written: 0 } }] });
      const holder = await store.hold('examined', '-t', '1h');
      const waiter = store.start('run', 'examined', 'true');
      await until('the waiter to wait', () => waiter.stderr.includes('waiting'));
      const healthy = { session: 'examined', condition: 'healthy', also: ['queue'], tokens: { granted: 1, written: 0 } };
      await expect.poll(async () => (await cards('examined')).found[0]?.liveness.verdict, { timeout: 20_000 }).toBe('alive');
      expect(await cards('examined')).toMatchObject({ code: 0, found: [healthy] });
      expect((await cards()).found.filter(({ session }) => session === 'examined')).toMatchObject([healthy]);
      const card = /timeoutMs 1 h \(set\)[^]*tokens +last granted: 1; highest in its records: none/;
      expect((await store.run('doctor', 'examined')).stdout).toMatch(card);
      const fixed = await store.run('doctor', '--fix', 'examined');
      expect(fixed).toMatchObject({ code: EXIT.failed, stderr: expect.stringContaining('--fix') });
      waiter.kill('SIGTERM');
      await waiter.ended;
      holder.kill('SIGKILL');
      await holder.ended;
      const dead = await cards('examined');
      const next = { command: 'attempt unlock --force --token 1 examined' };
      expect(dead).toMatchObject({ code: EXIT.matter, found: [{ condition: 'dead', next }] });
      const unlocked = await store.run('unlock', '--token', '1', 'examined');
      expect(unlocked).toMatchObject({ code: 0, stdout: expect.stringContaining('its process is gone') });
      expect((await cards('examined')).found).toMatchObject([{ condition: 'free', tokens: { granted: 1 } }]);
    });
  });

  test('a password in the URL is shown in no advice', async ({ bench }) => {
    const url = urls.redis.replace('://', '://:secret@');
    const { code, stdout } = await bench.run('doctor', '--store', url, '--json', 'key');
    expect([code, stdout.includes('secret')]).toEqual([0, false]);
    const holder = bench.attempt(['run', '--store', url, 'key', '--', 'sh', '-c', 'echo $$ > seen; exec cat']);
    await bench.line('seen');
    const refused = await bench.run('unlock', '--store', url, '--token', '1', 'key');
    expect(refused.stderr).toContain(`--store ${urls.redis.replace('://', '://@')} key`);
    expect(refused.stderr).not.toContain('secret');
    holder.child.stdin?.end();
    await holder.ended;
  });
});
