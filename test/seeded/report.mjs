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

export function reportOf(bites) {
  const killed = bites.filter((bite) => bite.killed);
  const perFolder = new Map();
  for (const { failure } of killed) {
    const folder = failure.file.replace(/\/[^/]*$/, '');
    perFolder.set(folder, (perFolder.get(folder) ?? 0) + 1);
  }
  const folders = [...perFolder].sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([folder, count]) => `${inCode(folder)} ${count}`);
  const counts = `${bites.length} bugs, ${killed.length} killed, ${bites.length - killed.length} survived.`;
  return [
    '# The suite bites', '',
    'Bugs put into the real code one at a time, each an edit of a line or two, and the test that failed first.',
    'Each meets only the tests that should notice it, so a kill is no accident of some other test. Made by', '',
    '```', 'npm run seeded', '```', '',
    `${counts} Killed in: ${folders.join(', ')}.`, '',
    '| bug | breaks | what is wrong | killed by |', '|---|---|---|---|', ...bites.map(row), '',
  ].join('\n');
}
