/**
 * REPORT.md from what was found. Owns: how it reads. No times and no places, so that it changes only when a bug,
 * or what kills it, does.
 */

const cell = (text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
const inCode = (text) => `\`${text}\``;

function row({ bug, killed, failure }) {
  const hang = failure?.what === 'time' ? ' (by its time limit: the bug is a hang)' : '';
  const by = killed ? `${inCode(failure.file)}: ${cell(failure.title)}${hang}` : '**survived**';
  return `| ${inCode(bug.id)} | ${bug.breaks} | ${inCode(bug.file)}: ${cell(bug.sentence)} | ${by} |`;
}

const idOf = (line) => /^\| `([^`]+)`/.exec(line)?.[1];
const folderOf = (line) => /\| `([^`|]+)\/[^`|/]+`: [^|]*\|$/.exec(line.replaceAll('\\|', ''))?.[1];

function page(rows) {
  const perFolder = new Map();
  for (const folder of rows.map(folderOf).filter(Boolean)) perFolder.set(folder, (perFolder.get(folder) ?? 0) + 1);
  const folders = [...perFolder].sort(([a], [b]) => (a < b ? -1 : 1)).map(([folder, count]) => `${inCode(folder)} ${count}`);
  const survived = rows.filter((line) => line.includes('**survived**')).length;
  return [
    '# The suite bites', '',
    'Bugs put into the real code one at a time, each an edit of a line or two, and the test that failed first.',
    'Each meets only the tests that should notice it, so a kill is no accident of some other test. Made by', '',
    '```', 'npm run seeded', '```', '',
    `${rows.length} bugs, ${rows.length - survived} killed, ${survived} survived. Killed in: ${folders.join(', ')}.`, '',
    '| bug | breaks | what is wrong | killed by |', '|---|---|---|---|', ...rows, '',
  ].join('\n');
}

export const reportOf = (bites) => page(bites.map(row));

/** The report with these rows in place of their old ones, in the order of the bugs. */
export function mergedReport(before, bites, ids) {
  const rows = new Map([...before.split('\n').filter(idOf), ...bites.map(row)].map((line) => [idOf(line), line]));
  return page(ids.flatMap((id) => rows.get(id) ?? []));
}
