/**
 * Who is let in, and what an attempt pays for those who look on. Without a browser.
 */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAttempt, memoryLocks, runAttempt } from '../../src/index.js';
import { Feed } from '../../src/inspector/feed.js';
import { attachTo, inspectAttempts, type Inspection, type InspectOptions } from '../../src/inspector/index.js';
import { Viewer } from '../../src/inspector/viewer.js';
import { temporaryDirectory } from '../support/temporary.js';

async function open(options: InspectOptions = {}): Promise<Inspection> {
  const inspection = await inspectAttempts(options);
  onTestFinished(() => inspection.close());
  return inspection;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}
const ask = (url: string, { method = 'GET', headers = {}, body = '' } = {}): Promise<Answer> => new Promise((resolve, reject) => {
  const asking = request(url, { method, headers }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; });
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }));
  });
  asking.on('error', reject);
  asking.end(body);
});

describe('who is let in', () => {
  test('the page by its address, only from its own origin and under its own name', async () => {
    const { url } = await open();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{24}\/$/);
    const page = await ask(url);
    expect(page).toMatchObject({ status: 200 });
    expect(page.headers['content-security-policy']).toMatch(/default-src 'none'/);
    for (const file of ['style.css', 'statechart.svg', 'page/main.js', 'page/model.js']) expect((await ask(url + file)).status, file).toBe(200);
    const { origin, host } = new URL(url);
    expect((await ask(url, { headers: { origin } })).status).toBe(200);
    const refused: [string, Promise<Answer>, RegExp][] = [
      ['a wrong key', ask(`${origin}/${'x'.repeat(24)}/`), /wrong key/], ['no key', ask(`${origin}/`), /wrong key/],
      ['another origin', ask(url, { headers: { origin: 'http://evil.example' } }), /other origins/],
      ['a sandboxed origin', ask(url, { headers: { origin: 'null' } }), /other origins/],
      ['another site', ask(url, { headers: { 'sec-fetch-site': 'cross-site' } }), /other sites/],
      ['a rebound name', ask(url, { headers: { host: host.replace('127.0.0.1', 'evil.example') } }), /no other name/],
      ['localhost', ask(url, { headers: { host: host.replace('127.0.0.1', 'localhost') } }), /no other name/],
    ];
    for (const [what, answer, why] of refused) expect(await answer, what).toMatchObject({ status: 403, body: expect.stringMatching(why) });
    for (const path of ['../package.json', 'page/../server.js', 'page/index.js', 'other']) {
      expect((await ask(url + encodeURIComponent(path))).status, path).toBe(404);
    }
  });

  test('stopping needs allowAbort, a POST and an id', async () => {
    const closed = await open();
    const body = JSON.stringify({ attemptId: 'x' });
    expect(await ask(`${closed.url}abort`, { method: 'POST', body })).toMatchObject({ status: 403 });
    const { url } = await open({ allowAbort: true });
    expect(await ask(`${url}abort`, { method: 'POST', body })).toMatchObject({ status: 200, body: expect.stringContaining('"accepted":false') });
    expect((await ask(`${url}abort`)).status).toBe(404);
    expect((await ask(`${url}abort`, { method: 'POST', body: '{}' })).status).toBe(400);
    expect((await ask(`${url}abort`, { method: 'POST', body: 'x'.repeat(9_000) })).status).toBe(413);
    expect((await ask(url, { method: 'PUT' })).status).toBe(405);
  });

  test.each<[string, object]>([
    ['directories', { directories: 'x' }], ['port', { port: 70_000 }], ['key', { key: 'short' }], ['allowAbort', { allowAbort: 1 }],
  ])('CONFIG_INVALID: %s', async (name, options) => {
    await expect(inspectAttempts(options)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(name) });
  });
});

test('SESSION_INVALID: a directory that is not there', async () => {
  await expect(inspectAttempts({ directories: ['none/'] })).rejects.toMatchObject({ code: 'SESSION_INVALID' });
});

describe('what an attempt pays', () => {
  test('the past is bounded, the beginning of a live attempt is kept, what falls out untold is counted', () => {
    const feed = new Feed(() => {});
    onTestFinished(() => feed.close());
    const common = { v: 1, attemptId: 'a', session: 's' } as const;
    feed.take({ ...common, kind: 'attempt', at: 0, pid: 1, labels: {}, input: {} as never });
    for (let n = 1; n <= 6_000; n += 1) feed.take({ ...common, kind: 'transition', n } as never);
    const history = feed.history();
    expect(history).toHaveLength(5_001);
    expect(history[0]?.record.kind).toBe('attempt');
    expect(feed.dropped).toBe(1_001);
  });

  test('a viewer that does not read is not waited for: what it misses is counted, then it is told anew', () => {
    const written: string[] = [];
    let drained = (): void => {};
    const response = {
      writableLength: 0, writeHead: () => {}, on: (_: string, fn: () => void) => { drained = fn; },
      write: (text: string) => { written.push(text); response.writableLength += text.length; },
    };
    let begun = 0;
    const viewer = new Viewer(response as never, () => { begun += 1; });
    for (let n = 0; n < 30; n += 1) viewer.send('entries', 'x'.repeat(100_000), 10);
    expect(viewer.dropped).toBeGreaterThan(100);
    expect(response.writableLength).toBeLessThan(1.2 * 2 ** 20);
    response.writableLength = 0;
    drained();
    expect(begun).toBe(2);
    viewer.tellDropped(5);
    expect(written.at(-1)).toContain(`"count":${viewer.dropped + 5}`);
  });

  test('an open page keeps no attempt waiting and is closed without a trace', async () => {
    const inspection = await inspectAttempts();
    const reading = request(`${inspection.url}events`, () => {}); // reads nothing of what it is sent
    reading.on('error', () => {});
    reading.end();
    for (let n = 0; n < 20; n += 1) {
      expect((await runAttempt({ session: `s${n}`, locks: memoryLocks(), records: 'none', work: () => n })).outcome).toBe('completed');
    }
    await inspection.close();
    await expect(ask(inspection.url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe.skipIf(process.platform === 'win32')('a page elsewhere', () => {
  test('that does not read loses records, not time: they are counted, and the count is sent when it reads again', async () => {
    const path = join(temporaryDirectory(), 'deaf.sock');
    let ears: Socket | undefined;
    const server = createServer((socket) => { ears = socket.pause(); }).listen(path);
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const detach = await attachTo(path);
    onTestFinished(detach);
    const locks = memoryLocks();
    const labels = Object.fromEntries(Array.from({ length: 32 }, (_, nth) => [`label${nth}`, 'x'.repeat(256)]));
    const one = (n: number) => runAttempt({ session: `s${n}`, locks, records: 'none', labels, work: () => n });
    for (let n = 0; n < 200; n += 1) expect((await one(n)).outcome).toBe('completed');
    let heard = '';
    ears!.setEncoding('utf8').on('data', (text: string) => { heard += text; }).resume();
    while (!heard.includes('{"dropped":')) {
      await one(200); // its next record finds room again, and says what was lost
      await new Promise((resolve) => { setImmediate(resolve); });
    }
    expect(Number(/"dropped":(\d+)/.exec(heard)?.[1])).toBeGreaterThan(0);
    ears!.destroy();
  });

  test('a runner attaches over a local socket, is seen, and stopped only if it allows that', async () => {
    const socket = join(temporaryDirectory(), 'page.sock');
    const inspection = await open({ socket, allowAbort: true });
    const told = new Promise<string>((resolve) => {
      const reading = request(`${inspection.url}events`, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          if (text.includes('"to":"running.working"')) resolve(text);
        });
      });
      reading.on('error', () => {});
      reading.end();
      onTestFinished(() => void reading.destroy());
    });
    const detach = await attachTo(socket);
    onTestFinished(detach);
    const attempt = createAttempt({
      session: 'chat-7', locks: memoryLocks(), records: 'none',
      work: ({ signal }) => new Promise((_, reject) => { signal.addEventListener('abort', () => reject(signal.reason as Error)); }),
    });
    void attempt.start();
    expect(await told).toContain(attempt.id);
    // This process is both ends, so the page finds the attempt here; the other way is tested with a process of its own.
    expect(await ask(`${inspection.url}abort`, { method: 'POST', body: JSON.stringify({ attemptId: attempt.id }) }))
      .toMatchObject({ status: 200, body: expect.stringContaining('"accepted":true') });
    expect((await attempt.done).abortedBy).toBe('user');
    await inspection.close();
    expect(existsSync(socket)).toBe(false);
    await expect(attachTo(socket)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
