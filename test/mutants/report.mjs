// REPORT.md from what Stryker found: a line for each file, each survivor with the reason it is accepted for.
import { ACCEPTED } from './accepted.mjs';
import { LEFT_OUT } from './parts.mjs';

const short = (text) => {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 90 ? `${line.slice(0, 87)}...` : line;
};
const inCode = (text) => `\`\`${text.includes('`') ? ` ${text} ` : text}\`\``;

/** The text a mutant replaces. Lines and columns are counted from 1. */
function replaced(source, { start, end }) {
  const lines = source.split('\n').slice(start.line - 1, end.line);
  lines[lines.length - 1] = lines.at(-1).slice(0, end.column - 1);
  lines[0] = lines[0].slice(start.column - 1);
  return lines.join('\n');
}

/** @returns {{ file: string, heading: string, lines: string[], unexplained: string[] }} */
export function sectionOf(file, { source, mutants }) {
  const count = (...statuses) => mutants.filter(({ status }) => statuses.includes(status)).length;
  const [killed, timedOut, survived, unseen] = [count('Killed'), count('Timeout'), count('Survived'), count('NoCoverage')];
  const all = killed + timedOut + survived + unseen;
  const left = mutants.filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
    .sort((a, b) => a.location.start.line - b.location.start.line || a.location.start.column - b.location.start.column);
  const unexplained = [];
  const lines = left.map((mutant) => {
    const { line } = mutant.location.start;
    const code = source.split('\n')[line - 1];
    const why = ACCEPTED.find((one) => one.file === file && code.includes(one.code)
      && (one.to === undefined || mutant.replacement.startsWith(one.to)))?.why;
    const what = `${line}: ${inCode(short(replaced(source, mutant.location)))} -> ${inCode(short(mutant.replacement))}`;
    if (why === undefined) unexplained.push(`${file}:${what}${mutant.status === 'NoCoverage' ? ' (no test)' : ''}`);
    return `- ${what}: ${why ?? '**not explained**'}`;
  });
  const accepted = left.length - unexplained.length;
  const score = all === 0 ? 100 : Math.floor((killed + timedOut) / all * 1000) / 10;
  const heading = `${file}: ${all} mutants, ${killed + timedOut} killed (${timedOut} by time), ${left.length} survived, ${accepted} of them explained, `
    + `${count('Ignored')} left out (text); ${score} %`;
  return { file, heading, lines, unexplained };
}

const HEADING = /^### (\S+): (\d+) mutants, (\d+) killed \(\d+ by time\), (\d+) survived, (\d+) of them explained/;

function parsed(before) {
  const sections = new Map();
  let file = null;
  for (const line of before.split('\n')) {
    file = HEADING.exec(line)?.[1] ?? file;
    if (file === null) continue;
    if (line.startsWith('### ')) sections.set(file, { file, heading: line.slice(4), lines: [] });
    else if (line !== '') sections.get(file).lines.push(line);
  }
  return sections;
}

/** The report with these sections in place of the old ones of their files. */
export function mergedReport(before, fresh) {
  const sections = parsed(before);
  for (const section of fresh) sections.set(section.file, section);
  const all = [...sections.values()].sort((a, b) => (a.file < b.file ? -1 : 1));
  const folders = new Map();
  for (const { file, heading } of all) {
    const folder = file.slice(0, file.lastIndexOf('/'));
    const [, , mutants, killed, survived, explained] = HEADING.exec(`### ${heading}`);
    const sums = folders.get(folder) ?? [0, 0, 0, 0, 0];
    folders.set(folder, [sums[0] + 1, sums[1] + Number(mutants), sums[2] + Number(killed), sums[3] + Number(survived), sums[4] + Number(explained)]);
  }
  const percent = (part, of) => `${(Math.floor(part / of * 1000) / 10).toFixed(1)} %`;
  return [
    '# Mutants', '',
    'Stryker changes the code in every small way it knows, one at a time: a condition turned round, a statement taken out, a number',
    'moved by one. A mutant is killed when a test fails, or by time where it hangs. `npm run mutants -- <folder or file>` renews a part.',
    'Texts of errors and warnings are left out, for no test holds words ([messages.mjs](messages.mjs)); which tests judge what is in',
    '[parts.mjs](parts.mjs): fast ones, in one process. What survives is a test that is missing, or is explained here', '([accepted.mjs](accepted.mjs)).', '',
    ...LEFT_OUT.map(({ path, why }) => `- not mutated: \`${path}\`: ${why}`), '',
    '| folder | files | mutants | killed | survived | explained | killed |', '|---|---|---|---|---|---|---|',
    ...[...folders].map(([folder, [files, mutants, killed, survived, explained]]) =>
      `| \`${folder}\` | ${files} | ${mutants} | ${killed} | ${survived} | ${explained} | ${percent(killed, mutants)} |`), '',
    ...all.flatMap(({ heading, lines }) => [`### ${heading}`, '', ...lines, ...(lines.length > 0 ? [''] : [])]),
  ].join('\n');
}
