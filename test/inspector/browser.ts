/**
 * A real Chromium, if this machine has one: Debian's package, driven by playwright-core. Started once for a file of tests.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const path = (process.env['PATH'] ?? '').split(delimiter)
  .flatMap((directory) => NAMES.map((name) => join(directory, name))).find((file) => existsSync(file));

/** `ATTEMPT_REQUIRE=chromium` (a list, by commas) makes a missing browser a failure instead of a skip. */
const isRequired = (process.env['ATTEMPT_REQUIRE'] ?? '').split(',').includes('chromium');

export const hasBrowser = path !== undefined || isRequired;
if (!hasBrowser) {
  console.warn('SKIPPED: the tests of the live page need Chromium (Debian: apt-get install --no-install-recommends chromium)');
}

export async function startBrowser(): Promise<Browser> {
  if (path === undefined) throw new Error('ATTEMPT_REQUIRE names chromium, and none is on the PATH.');
  const isRoot = process.getuid?.() === 0; // its sandbox refuses root
  return chromium.launch({ executablePath: path, args: [...(isRoot ? ['--no-sandbox'] : []), '--disable-dev-shm-usage'] });
}
