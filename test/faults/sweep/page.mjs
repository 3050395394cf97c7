// The table fault x operation -> what happens, written into the page between two marks.
import { readFileSync, writeFileSync } from 'node:fs';

const START = '<!-- sweep -->';
const END = '<!-- /sweep -->';

/** @returns Markdown */
export function pageOf(results, counts, missed, faults) {
  const cell = (operation, fault) => {
    const tally = new Map();
    for (const one of results) {
      if (one.operation === operation && one.fault === fault && one.hit) tally.set(one.happened, (tally.get(one.happened) ?? 0) + 1);
    }
    return [...tally].sort(([, a], [, b]) => b - a).map(([what, times]) => `${times} ${what}`).join('<br>') || '-';
  };
  const waits = results.map(({ grantedAfterMs }) => grantedAfterMs).filter((ms) => ms > 0).sort((a, b) => a - b);
  const bad = results.filter(({ violations }) => violations.length > 0).length;
  const at = (part) => Math.round(waits[Math.min(waits.length - 1, Math.floor(waits.length * part))] ?? 0);
  const lines = [
    `${results.length} cases, ${bad} violations; in ${missed} the call did not come again. The second process was granted`,
    `after ${at(0.5)} ms in the middle and ${at(1)} ms at most, with leases of 2 000 ms.`, '',
    `| operation (calls) | ${faults.join(' | ')} |`, `|---|${faults.map(() => '---|').join('')}`,
    ...Object.entries(counts).map(([operation, calls]) => `| ${operation} (${calls}) | ${faults.map((fault) => cell(operation, fault)).join(' | ')} |`),
  ];
  return lines.join('\n');
}

export function writePage(path, table) {
  const page = readFileSync(path, 'utf8');
  const [before, rest] = [page.slice(0, page.indexOf(START) + START.length), page.slice(page.indexOf(END))];
  writeFileSync(path, `${before}\n\n${table}\n${rest}`);
}
