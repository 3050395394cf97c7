/**
 * `attempt inspect`, and `attempt run` that is looked at: real processes, without a browser.
 */
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { expect } from 'vitest';
import { test, until, type Bench, type Started } from './support.js';

const it = test.concurrent;

interface Reading {
  readonly text: () => string;
  readonly end: () => void;
}

/** Reads the page's events as they come. */
function reading(url: string): Reading {
  let text = '';
  const asking = request(`${url}events`, (response) => {
    response.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; });
    response.on('error', () => {}); // the server was ended
  });
  asking.on('error', () => {}); // the same
  asking.end();
  return { text: () => text, end: () => void asking.destroy() };
}

async function page(bench: Bench, ...args: readonly string[]): Promise<{ server: Started; url: string }> {
  const server = bench.attempt(['inspect', ...args]);
  const url = await until('the address', () => /^(http:\/\/127\.0\.0\.1:\d+\/[\w-]+\/)\n/.exec(server.stdout)?.[1]);
  return { server, url };
}

it('inspect serves the locks of a directory, also of runners that never opted in, until a signal', async ({ bench }) => {
  const holder = await bench.holder('s', '-l', 'job=nightly');
  const { server, url } = await page(bench, '.');
  const events = reading(url);
  await until('the lock on the page', () => /event: locks\n.*job=nightly/.test(events.text()));
  expect(events.text()).toContain(`process ${holder.pid} lives`);
  server.kill('SIGTERM');
  expect(await server.ended).toMatchObject({ signal: 'SIGTERM' });
  events.end();
  holder.free();
  expect((await holder.ended).code).toBe(0);
});

it('run --inspect-socket shows its attempt there; stopped from there it ends as by TERM, if it allows that', async ({ bench }) => {
  const { server, url } = await page(bench, '--socket', 'page.sock', '--allow-abort');
  const events = reading(url);
  const stop = async (allow: readonly string[]) => {
    const from = events.text().length; // of what comes from here on
    const holder = await bench.holder('s', '--inspect-socket', 'page.sock', ...allow);
    const seen = (): string | undefined => [...events.text().slice(from).matchAll(/"attemptId":"([^"]+)"[^\n]*?"to":"running.working"/g)].at(-1)?.[1];
    const attemptId = await until('the attempt on the page', seen);
    const answer = await fetch(`${url}abort`, { method: 'POST', body: JSON.stringify({ attemptId }) });
    return { holder, answer: await answer.json() as unknown };
  };
  const refused = await stop([]);
  expect(refused.answer).toMatchObject({ accepted: false, state: 'its process does not allow it' });
  refused.holder.free();
  expect((await refused.holder.ended).code).toBe(0);
  await until('its end on the page', () => events.text().includes('"kind":"end"'));
  const stopped = await stop(['--allow-abort']);
  expect(stopped.answer).toMatchObject({ accepted: true });
  expect(await stopped.holder.ended).toMatchObject({ signal: 'SIGTERM' });
  events.end();
  server.kill('SIGINT');
  await server.ended;
  expect(bench.has('page.sock')).toBe(false);
});

it('run --inspect says where its page is', async ({ bench }) => {
  const run = bench.attempt(['run', '--inspect', 's', 'cat']);
  const url = await until('the address', () => /live page: (http:\S+)\n/.exec(run.stderr)?.[1]);
  expect(await (await fetch(url)).text()).toContain('<title>attempt inspect</title>');
  expect((await fetch(`${url}page/main.js`)).status).toBe(200); // also from the bundled command
  expect((await fetch(`${url}statechart.svg`)).status).toBe(200);
  run.child.stdin?.end();
  expect((await run.ended).code).toBe(0);
});

it('run --trace writes a legal path, check --trace judges it, and tells what a bent one breaks', async ({ bench }) => {
  expect(await bench.run('run', '--trace', 't.ndjson', '-t', '0.2', 's', 'sleep', '30')).toMatchObject({ code: 124 });
  expect(await bench.run('check', '--trace', 't.ndjson')).toMatchObject({
    code: 0, stdout: expect.stringMatching(/^attempt \S+ on s: a legal path of the machine, whole \(\d+ steps\)\n$/),
  });
  const lines = bench.read('t.ndjson').trimEnd().split('\n');
  // The lock that was never given back: the release is taken out, and what it did is left in.
  const bent = lines.map((line) => line.replaceAll('"release.confirmed"', '"work.progressed"'));
  writeFileSync(bench.path('bent.ndjson'), `${bent.join('\n')}\n`);
  const judged = await bench.run('check', '--trace', 'bent.ndjson');
  expect(judged).toMatchObject({ code: 1, stdout: expect.stringMatching(/NOT a legal path.*breaks S6: /s) });
  expect(JSON.parse((await bench.run('check', '--json', '--trace', 'bent.ndjson')).stdout)).toMatchObject({ legal: false });
  writeFileSync(bench.path('cut.ndjson'), `${lines.slice(0, 4).join('\n')}\n{"v":1,"ki`);
  expect(await bench.run('check', '--trace', 'cut.ndjson')).toMatchObject({ code: 0, stdout: expect.stringContaining('legal so far') });
  expect(await bench.run('check', '--trace', 's')).toMatchObject({ code: 125 });
  expect(await bench.run('run', '--trace', 'no/where', 's', 'true')).toMatchObject({ code: 125 });
});

it('inspect refuses what cannot work before it serves anything', async ({ bench }) => {
  for (const args of [['no/where/s'], ['--port', 'x'], ['--replay', 'none']]) {
    expect(await bench.run('inspect', ...args), args.join(' ')).toMatchObject({ code: 125, stdout: '' });
  }
});
