/**
 * The pages of the package lead to nothing that is not in it: who installs it has no checkout beside it.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Relative links and pictures, without what stands behind a `#`. */
const linksIn = (text: string): string[] =>
  [...text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)|src="([^"]+)"/g)].map(([, link, image]) => link ?? image ?? '');

it('brings every file that one of its pages links to', () => {
  const said = execFileSync('npm', ['pack', '--json', '--dry-run', '--ignore-scripts'], {
    cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ files }] = JSON.parse(said) as [{ files: { path: string }[] }];
  const packed = files.map(({ path }) => path);
  const isThere = (path: string): boolean => packed.some((one) => one === path || one.startsWith(`${path}/`));
  const links = packed.filter((path) => path.endsWith('.md')).flatMap((page) =>
    linksIn(readFileSync(join(ROOT, page), 'utf8')).map((link) => ({ page, link })));
  expect(links.length).toBeGreaterThan(20);
  expect(links.filter(({ page, link }) => !isThere(posix.join(posix.dirname(page), link)))).toEqual([]);
});
