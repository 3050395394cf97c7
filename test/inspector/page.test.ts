/**
 * The live page in a real browser: what a person sees of attempts that really run.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createAttempt, localFileLocks, memoryLocks, type Attempt, type AttemptOptions, type TraceRecord } from '../../src/index.js';
import { inspectAttempts, type Inspection, type InspectOptions } from '../../src/inspector/index.js';
import { temporaryDirectory } from '../support/temporary.js';
import { hasBrowser, startBrowser } from './browser.js';

let browser: Browser;
const alive = new Set<Attempt<unknown>>();

beforeAll(async () => { if (hasBrowser) browser = await startBrowser(); }, 60_000);
afterAll(async () => { await browser?.close(); });
afterEach(async () => {
  await Promise.all([...alive].map((attempt) => attempt[Symbol.asyncDispose]()));
  alive.clear();
});

async function open(options: InspectOptions = {}): Promise<Inspection> {
  const inspection = await inspectAttempts(options);
  onTestFinished(() => inspection.close());
  return inspection;
}

/** Opens a page; nothing may go anywhere but to its own server, and nothing may go wrong in it. */
async function visit(url: string, width = 1_100): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 800 } });
  onTestFinished(() => page.close());
  page.setDefaultTimeout(20_000);
  const { origin } = new URL(url);
  const wrong: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith('data:') && !request.url().startsWith(origin)) wrong.push(request.url());
  });
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('dialog', (dialog) => { wrong.push(dialog.message()); void dialog.dismiss(); });
  onTestFinished(() => expect(wrong).toEqual([]));
  await page.goto(url);
  await page.getByText('live', { exact: true }).waitFor();
  return page;
}

const untilStopped = ({ signal }: { signal: AbortSignal }): Promise<never> =>
  new Promise((_, reject) => { signal.addEventListener('abort', () => reject(signal.reason as Error)); });

function start(options: Partial<AttemptOptions<unknown>> = {}): Attempt<unknown> {
  const attempt = createAttempt<unknown>({
    session: 'chat-7', locks: memoryLocks(), records: 'none', work: untilStopped, waitMs: 600_000, ...options,
  });
  alive.add(attempt);
  void attempt.start();
  return attempt;
}

/** Below the ports a system gives out by itself, so that nobody takes it while the server is away. */
async function atPortOfOurOwn(key: string): Promise<Inspection> {
  for (;;) {
    try {
      return await inspectAttempts({ key, port: 20_000 + Math.floor(Math.random() * 10_000) });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}

/** The limit only names what is missing; a loaded machine takes its time. */
const eventually = <T>(fact: () => Promise<T>) => expect.poll(fact, { timeout: 20_000 });

const lit = (page: Page): Promise<string[]> => page.evaluate(() =>
  [...document.querySelector('#statechart')!.shadowRoot!.querySelectorAll('.lit')].map((one) => one.getAttribute('data-state')!));

describe.skipIf(!hasBrowser)('the live page', () => {
  test('shows an attempt from its start to its end, its state lit, the way taken; no outside request', async () => {
    const { url } = await open();
    const page = await visit(url);
    await page.getByText('None has been seen').waitFor();
    let finish = (): void => {};
    const attempt = start({ work: () => new Promise<void>((resolve) => { finish = resolve; }), labels: { job: 'nightly' }, timeoutMs: 60_000 });
    const row = page.locator('#attempts li');
    await row.getByText('running.working').waitFor();
    await row.getByText('job=nightly').waitFor();
    await row.getByText(/run limit in/).waitFor();
    await eventually(() => lit(page)).toEqual(['running', 'running.working']);
    finish();
    await row.getByText('completed', { exact: true }).waitFor();
    await eventually(() => lit(page)).toEqual(['released']);
    const taken = await page.evaluate(() => [...document.querySelector('#statechart')!.shadowRoot!.querySelectorAll('.taken')]
      .map((one) => one.getAttribute('data-arrow')));
    expect(taken).toEqual(expect.arrayContaining(['idle > acquiring', 'locked > running', 'running > wayOut', 'wayOut > releasing']));
    expect((await attempt.done).outcome).toBe('completed');
    await page.locator('#log').getByText('work.returned').waitFor();
    await page.getByLabel('Filter').fill('no such thing');
    await eventually(() => page.locator('#log li').count()).toBe(0);
    await page.getByLabel('Filter').fill('granted');
    await eventually(() => page.locator('#log li').count()).toBe(1);
  });

  test('the stop button is a user abort, by keyboard too; without --allow-abort there is none', async () => {
    const attempt = start();
    const page = await visit((await open({ allowAbort: true })).url);
    const button = page.getByRole('button', { name: `Stop attempt ${attempt.id}` });
    await button.focus();
    await page.keyboard.press('Enter');
    const report = await attempt.done;
    expect(report).toMatchObject({ outcome: 'aborted', abortedBy: 'user', lease: 'released' });
    await page.locator('#announce').getByText('was told to stop').waitFor();
    start();
    const quiet = await visit((await open()).url);
    await quiet.locator('#attempts li').getByText('running.working').waitFor();
    expect(await quiet.locator('.stop').count()).toBe(0);
  });

  test('who waits for whom, and the card of a stuck session as attempt doctor writes it', async () => {
    const directory = temporaryDirectory();
    const session = join(directory, 's.jsonl');
    const locks = localFileLocks();
    let settle = (): void => {};
    const holder = start({
      session, locks, work: () => new Promise<void>((resolve) => { settle = resolve; }), onUnsettled: 'hold', settleMs: 1,
    });
    const page = await visit((await open({ directories: [directory] })).url, 400);
    await page.locator('#attempts').getByText('running.working').waitFor();
    start({ session, locks });
    await page.locator('#attempts').getByText(`waits for ${holder.id.slice(0, 7)}`).waitFor();
    holder.abort();
    const card = page.locator('details.stuck');
    await card.getByText(/unsettled/).first().waitFor();
    await card.getByText(/lock until it really ends|kept until it ends/).first().waitFor();
    await page.locator('.unsettled').getByText('work has not settled').waitFor();
    await card.getByRole('button', { name: 'Copy as Markdown' }).click();
    await page.locator('#announce').getByText(/Copy as Markdown: done|the text is selected/).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true); // 400 px wide
    settle();
    await holder.done;
  });

  test('hostile strings are text: in sessions, labels and traces', async () => {
    const hostile = '<img src=x onerror=alert(1)>\u202e"\'</script>';
    const directory = temporaryDirectory();
    const records: TraceRecord[] = [];
    const page = await visit((await open()).url);
    start({ session: hostile, labels: { [hostile]: hostile }, trace: (one) => records.push(one) });
    await page.locator('#attempts').getByText(`<img src=x`).first().waitFor();
    const file = join(directory, 'trace.ndjson');
    await writeFile(file, `${records.map((one) => JSON.stringify(one)).join('\n')}\n`);
    await page.getByLabel('Open a trace').setInputFiles(file);
    await page.getByText('Replaying').waitFor();
    await page.locator('#log').getByText(/\\u202e/).first().waitFor();
    expect(await page.locator('img').count()).toBe(0);
    const other = join(directory, 'other.ndjson');
    await writeFile(other, `{"v":1,"kind":"${'<b>'}"}\n`);
    await page.getByLabel('Open a trace').setInputFiles(other);
    await page.locator('#announce').getByText('Line 1 is not a record').waitFor();
  });

  test('a recorded trace is played: step by step, back, and on its own', async () => {
    const records: TraceRecord[] = [];
    const attempt = start({ work: () => 'done', trace: (one) => records.push(one) });
    await attempt.done;
    const page = await visit((await open({ replay: records.map((one) => `${JSON.stringify(one)}\n`).join('') })).url);
    await page.locator('#attempts').getByText('completed', { exact: true }).waitFor();
    const slider = page.getByLabel('Step');
    await slider.focus();
    await page.keyboard.press('Home');
    for (let step = 0; step < 4; step += 1) await page.keyboard.press('ArrowRight');
    await eventually(() => lit(page)).toEqual(['running', 'running.working']);
    await page.getByRole('button', { name: 'Play' }).click();
    await eventually(() => lit(page)).toEqual(['released']);
    await page.getByRole('button', { name: 'Back to live' }).click();
    await page.getByText('None has been seen').waitFor();
  });

  test('a hundred live attempts stay usable', async () => {
    const locks = memoryLocks();
    const all = Array.from({ length: 100 }, (_, nth) => start({ session: `chat-${nth}`, locks }));
    const page = await visit((await open({ allowAbort: true })).url);
    await eventually(() => page.locator('#attempts li').count()).toBe(100);
    await page.getByText('100 at work, 0 ended').waitFor();
    await page.getByRole('button', { name: `Stop attempt ${all[57]!.id}` }).click();
    expect((await all[57]!.done).outcome).toBe('aborted');
    await page.getByText('99 at work, 1 ended').waitFor();
  });

  test('finds a server again that was restarted at the same address', async () => {
    const key = 'k'.repeat(24);
    const first = await atPortOfOurOwn(key);
    const { url } = first;
    const page = await visit(url);
    await first.close();
    await page.getByText(/disconnected/).waitFor();
    await open({ key, port: Number(new URL(url).port) });
    await page.getByText('live', { exact: true }).waitFor();
    start();
    await page.locator('#attempts').getByText('running.working').waitFor();
  });
});
