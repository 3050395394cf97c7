/**
 * A result as text for people and as JUnit for machines. Owns: layout. Must not know: how a result came
 * about.
 */
import { shown } from '../../config-checks.js';
import type { CheckResultData, ModeResult } from './result.js';

/** Where the story's columns begin. */
const INDENT = '      ';

/** The line that runs the shortest sequence again. */
export const replayLine = (replay: string): string =>
  `checkRunner(makePort, { replay: ${JSON.stringify(replay)} })`;

const verdictOf = ({ status, sequences, causes }: ModeResult): string => {
  if (status === 'breaks') return causes.length > 0 ? `BREAKS with ${causes.join(', ')}` : 'BREAKS';
  return status === 'holds' ? `holds (${sequences} sequences)` : 'not exercised';
};

function breachLines({ breach, must }: ModeResult): string[] {
  if (!breach) return [];
  return [
    `must: ${must}`,
    `shortest: ${breach.sequence}`,
    ...breach.story.map((line) => `  ${line}`),
    `expected: ${breach.expected}`,
    `seen:     ${breach.seen}`,
    `replay:   ${replayLine(breach.replay)}`,
  ];
}

function modeLines(mode: ModeResult): string[] {
  const isMissed = mode.required && mode.status !== 'holds';
  const head = `${mode.id}  ${mode.title}: ${verdictOf(mode)}${isMissed ? '  (required)' : ''}`;
  const details = [
    ...breachLines(mode),
    ...(mode.why ? [mode.why] : []),
    ...mode.missing.map((one) => `left out: ${one}`),
    ...(mode.inconclusive > 0 ? [`${mode.inconclusive} sequences said nothing`] : []),
  ];
  return [head, ...details.map((line) => INDENT + line)];
}

const count = (result: CheckResultData, status: ModeResult['status']): number =>
  result.modes.filter((mode) => mode.status === status).length;

export function textOf(result: CheckResultData): string {
  const { port, seed, sequences, modes, strayRejections } = result;
  if (port.status === 'faulty') {
    const consequence = `Nothing is said about the runner behind it. Seed ${seed}.`;
    return `FAULTY PORT: ${port.part}: ${port.message}\n${consequence}\n`;
  }
  const [hold, breaks, open] = (['holds', 'breaks', 'notExercised'] as const).map((one) => count(result, one));
  const total = `${hold} hold, ${breaks} break, ${open} not exercised`;
  return [
    `${total}; ${sequences} sequences, seed ${seed}`,
    ...modes.flatMap(modeLines),
    ...strayRejections.map((one) => `a rejection nobody handled: ${one}`),
    '',
  ].join('\n');
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Characters that XML has no way to write are left out. */
const xml = (text: string): string =>
  text
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replaceAll(/[&<>"]/g, (one) => ESCAPES[one] ?? '');

function caseOf(mode: ModeResult): string {
  const open = `  <testcase classname="checkRunner" name="${xml(`${mode.id} ${mode.title}`)}"`;
  const text = xml(breachLines(mode).join('\n'));
  if (mode.breach) return `${open}><failure message="${xml(mode.breach.seen)}">${text}</failure></testcase>`;
  if (mode.status === 'holds') return `${open}/>`;
  const why = xml(mode.why ?? '');
  return mode.required
    ? `${open}><failure message="not exercised: ${why}"/></testcase>`
    : `${open}><skipped message="${why}"/></testcase>`;
}

export function junitOf(result: CheckResultData): string {
  const { port, modes, seed } = result;
  const faulty =
    port.status === 'faulty'
      ? [
          '  <testcase classname="checkRunner" name="the port">' +
            `<error message="${xml(`${port.part}: ${port.message}`)}"/></testcase>`,
        ]
      : [];
  const cases = [...faulty, ...modes.map(caseOf)];
  const failures = cases.filter((one) => one.includes('<failure ')).length;
  const skipped = cases.filter((one) => one.includes('<skipped ')).length;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="checkRunner" tests="${cases.length}" failures="${failures}" ` +
      `errors="${faulty.length}" skipped="${skipped}">`,
    `  <properties><property name="seed" value=${shown(String(seed))}/></properties>`,
    ...cases,
    '</testsuite>',
    '',
  ].join('\n');
}
