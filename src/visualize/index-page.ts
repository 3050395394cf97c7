/**
 * The page that shows all pictures, opened from disk: one file, no script, nothing loaded but the pictures beside it.
 * Must not know: the machine.
 */
import type { Scene } from './scene.js';

interface Entry {
  readonly name: string;
  readonly title: string;
  readonly says: string;
  /** The picture in words, a line for each step. */
  readonly lines: readonly string[];
}

const escape = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');

const STYLE = `
:root{color-scheme:light dark;--ink:#1f2328;--soft:#525b66;--paper:#fff;--edge:#d0d7de;--link:#0a5bc4}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#a3adb8;--paper:#0d1117;--edge:#30363d;--link:#79b8ff}}
body{margin:0 auto;max-width:860px;padding:24px 16px 64px;background:var(--paper);color:var(--ink);
font:16px/1.5 Helvetica,Arial,sans-serif}
h1{font-size:26px}h2{font-size:20px;margin:40px 0 8px}a{color:var(--link)}p,summary,li{color:var(--soft)}
figure{margin:0}img{display:block;width:100%;height:auto;border:1px solid var(--edge);border-radius:8px}
details{margin:8px 0}nav ul{padding-left:20px}
`;

const figure = (name: string, alt: string): string =>
  `<figure><a href="${name}.svg"><img src="${name}.svg" alt="${escape(alt)}"></a></figure>`;

const section = ({ name, title, says, lines }: Entry): string => [
  `<section id="${name}">`,
  `<h2>${escape(title)}</h2>`,
  figure(name, `${says} In words below.`),
  '<details><summary>In words</summary>',
  `<p>${escape(says)}</p>`,
  `<ol>${lines.map((line) => `<li>${escape(line)}</li>`).join('')}</ol>`,
  '</details>',
  '</section>',
].join('\n');

/** @returns the page's text. */
export function writeIndex(whole: Scene, strips: readonly Entry[]): string {
  const links = [{ name: 'attempt', title: whole.title }, ...strips];
  return [
    '<!doctype html>',
    '<!-- Generated from the machine by `npm run visualize`. Do not edit. -->',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>attempt-lifecycle: pictures</title><style>${STYLE}</style></head><body>`,
    '<h1>An attempt, in pictures</h1>',
    '<p>Made from the machine itself. The strips are what it does when the steps on the left are played on it; in the '
      + 'incidents, left, the same machine with the bug written into it. A gap in the lock\'s bar is a lock that is not '
      + 'held.</p>',
    `<nav><ul>${links.map(({ name, title }) => `<li><a href="#${name}">${escape(title)}</a></li>`).join('')}</ul></nav>`,
    `<section id="attempt"><h2>${escape(whole.title)}</h2>`,
    figure('attempt', whole.description),
    `<details><summary>In words</summary><p>${escape(whole.description)}</p></details>`,
    '<p>The same as text: <a href="attempt.mmd">mermaid</a>, <a href="attempt.json">JSON</a>.</p></section>',
    ...strips.map(section),
    '</body></html>',
    '',
  ].join('\n');
}
