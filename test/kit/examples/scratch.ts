/** A directory for one port. Its `close` removes it. */
import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const scratchDirectory = (): string => realpathSync(mkdtempSync(join(tmpdir(), 'attempt-kit-')));
