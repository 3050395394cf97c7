/** Runs one case so many times: for whoever counts its system calls from outside. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { casesIn } from './cases.js';

const [, , name, times] = process.argv;
const directory = mkdtempSync(join(tmpdir(), 'attempt-calls-'));
const one = casesIn(directory).find((each) => each.name === name);
if (!one) throw new Error(`expected the name of a case, got ${name}`);
for (let time = 0; time < Number(times); time += 1) await one.run();
rmSync(directory, { recursive: true, force: true });
