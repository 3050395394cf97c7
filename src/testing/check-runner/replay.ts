/**
 * One sequence again, from its text. Owns: the form `M01: START GRANTED RUN ...`.
 */
import { expect } from '../../config-checks.js';
import { AttemptError } from '../../errors.js';
import { MODE_IDS, MODES, type ModeId } from './modes.js';
import type { MakePort } from './port.js';
import type { ModeResult } from './result.js';
import { breachReport, notExercised } from './run-mode.js';
import { runSequence } from './run-sequence.js';
import { readSequence, type Sequence } from './step.js';

function parse(replay: string): { id: ModeId; sequence: Sequence } {
  const [head = '', text] = replay.split(':', 1).concat(replay.slice(replay.indexOf(':') + 1));
  const id = MODE_IDS.find((one) => one === head.trim());
  expect(id !== undefined && text !== undefined, 'replay', 'a mode, a colon and a sequence', replay);
  try {
    const sequence = readSequence(text);
    expect(sequence.length > 0, 'replay', 'at least one step', replay);
    return { id, sequence };
  } catch (cause) {
    if (cause instanceof AttemptError) throw cause;
    throw new AttemptError('CONFIG_INVALID', `replay: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Runs the sequence once on a fresh port, without the check of the port.
 * @throws AttemptError `CONFIG_INVALID` if it is none; PortFault
 */
export async function replayMode(makePort: MakePort, replay: string): Promise<ModeResult> {
  const { id, sequence } = parse(replay);
  const { verdict } = await runSequence(makePort, id, sequence).catch((cause: unknown) => {
    if (!(cause instanceof RangeError)) throw cause;
    // steps that do not fit together
    throw new AttemptError('CONFIG_INVALID', `replay: ${cause.message}`, { cause });
  });
  if (verdict.kind === 'inconclusive') return notExercised(id, verdict.why, [], true);
  const { title, must } = MODES[id];
  const breach =
    verdict.kind === 'breach' ? breachReport(id, sequence, verdict.breach, verdict.story) : null;
  return {
    id,
    title,
    must,
    status: breach ? 'breaks' : 'holds',
    sequences: 1,
    inconclusive: 0,
    breach,
    causes: [],
    why: null,
    missing: [],
    required: true,
  };
}
