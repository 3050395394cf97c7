/**
 * `npm run visualize`: writes the pictures of the machine.
 * Owns: the disk. Must not know: what is in the files.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { attemptMachine } from '../../machines/attempt.machine.js';
import { picturesOf } from './pictures.js';

/** From `dist/src/visualize/`, where this runs, to the top of the package. */
const folder = new URL('../../../visualizations/', import.meta.url);

mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(picturesOf(attemptMachine))) {
  writeFileSync(new URL(name, folder), text);
  console.log(`visualizations/${name}`);
}
