/** Bugs of what embeds attempts in other people's machines. */
import type { SeededBug } from '../seeded-bug.js';

const ACTOR = 'src/xstate/from-attempt.ts';

export const xstateBugs: readonly SeededBug[] = [
  { id: 'attempt-left-behind-by-its-actor', breaks: 'M01 S6', file: ACTOR, tests: ['xstate/from-attempt'], hangs: true,
    sentence: 'An actor that is stopped leaves its attempt at work, with the lock.',
    find: "mine?.attempt.abort('its actor was stopped', { by: whoStops(self) });", replace: '' },
  { id: 'leaving-taken-for-shutdown', breaks: 'M18 S9', file: ACTOR, tests: ['xstate/from-attempt'],
    sentence: 'A parent that leaves its state is taken for one that was stopped.',
    find: "return above ? 'superseded' : 'shutdown';", replace: "return above === self ? 'superseded' : 'shutdown';" },
  { id: 'restored-attempt-runs-again', breaks: 'S10 S14', file: ACTOR, tests: ['xstate/restored'], hangs: true,
    sentence: 'An attempt restored from a snapshot runs its work once more.',
    find: 'if (snapshot.attempt) return tell(', replace: 'if (snapshot.attempt && snapshot.input === self) return tell(' },
  { id: 'next-of-a-parent-called-nested', breaks: 'M08', file: ACTOR, tests: ['xstate/from-attempt'],
    sentence: 'An attempt that its parent moves on to, at a word of the one before, is called nested in it.',
    find: 'if (known !== undefined) return known;', replace: '' },
  { id: 'actor-done-before-release', breaks: 'M20 S19', file: ACTOR, tests: ['xstate/from-attempt'],
    sentence: 'The actor ends while the attempt is still giving its lock back.',
    find: "return { ...snapshot, attempt: event.snapshot };",
    replace: "if (event.snapshot.state === 'releasing.asking') {\n        "
      + "return { ...snapshot, attempt: event.snapshot, status: 'done', output: {} as never, error: undefined };\n      }\n      "
      + 'return { ...snapshot, attempt: event.snapshot };' },
];
