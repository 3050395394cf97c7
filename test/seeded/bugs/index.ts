/** Every seeded bug, by area. */
import type { SeededBug } from '../seeded-bug.js';
import { askingBugs } from './asking.js';
import { driverBugs } from './driver.js';
import { engineBugs } from './engines.js';
import { fileLockBugs } from './file-locks.js';
import { frontBugs } from './front.js';
import { lockBugs } from './locks.js';
import { machineBugs } from './machine.js';
import { sessionBugs } from './session.js';
import { windowBugs } from './windows.js';
import { xstateBugs } from './xstate.js';

export const BUGS: readonly SeededBug[] = [
  ...machineBugs, ...driverBugs, ...frontBugs, ...windowBugs, ...lockBugs, ...fileLockBugs, ...sessionBugs, ...xstateBugs,
  ...askingBugs, ...engineBugs,
];
