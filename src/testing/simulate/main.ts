/**
 * `npm run simulate`: runs seeds, prints what they met, and tells the story of the first violation.
 * Owns: its options. Must not know: what is simulated.
 */
import { parseArgs } from 'node:util';
import type { SimulateOptions } from './plan.js';
import { simulate } from './run.js';
import { shrink, storyOf } from './story.js';
import { summaryOf, Sum } from './summary.js';

const HELP = `npm run simulate -- [options]
  --seed N              the first seed (default: from the time of day)
  --seeds N             how many, one after the other (default: 1 with --seed, else 300)
  --attempts N          attempts per run (default 10)
  --zombies N           how many of them never stop writing (default 3)
  --only 1,4            only these attempts: what a story was shrunk to
  --steps N             stop after so many events
  --message-faults X    share of messages to which something happens, 0 to 1 (default 0.12)
  --no-process-faults   no crashes, sleeps, cuts or forced locks
  --trace               print everything that happens`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' }, seeds: { type: 'string' }, attempts: { type: 'string' }, zombies: { type: 'string' },
      only: { type: 'string' }, steps: { type: 'string' }, 'message-faults': { type: 'string' },
      'no-process-faults': { type: 'boolean' }, trace: { type: 'boolean' }, help: { type: 'boolean' },
    },
  });
  if (values.help) return say(HELP);
  const first = Number(values.seed ?? Date.now() % 1_000_000);
  const seeds = Number(values.seeds ?? (values.seed === undefined ? 300 : 1));
  const options: Omit<SimulateOptions, 'seed'> = {
    ...(values.attempts !== undefined && { attempts: Number(values.attempts) }),
    ...(values.zombies !== undefined && { zombies: Number(values.zombies) }),
    ...(values.only !== undefined && { only: values.only.split(',').map(Number) }),
    ...(values.steps !== undefined && { steps: Number(values.steps) }),
    ...(values['message-faults'] !== undefined && { messageFaults: Number(values['message-faults']) }),
    ...(values['no-process-faults'] && { processFaults: false }),
  };
  const sum = new Sum();
  for (let seed = first; seed < first + seeds; seed += 1) {
    const result = await simulate({ ...options, seed });
    sum.add(result);
    if (values.trace) say(result.trace.join('\n'));
    if (result.violation) {
      say(storyOf(values.only === undefined ? await shrink(result) : result));
      return 1;
    }
  }
  return say(`seeds ${first} to ${first + seeds - 1}: nothing broke\n${summaryOf(sum)}`);
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

// Late grants and unconfirmed releases are what is simulated: their warnings are no news here.
process.removeAllListeners('warning');
process.on('warning', () => {});
void main().then((code) => { process.exitCode = code; });
