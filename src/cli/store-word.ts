/**
 * What `--store` or `ATTEMPT_STORE` says: which kind of store, and of files in which directory. Owns: what is taken for a
 * mistake, before anything is opened or made. Must not know: how a store is opened.
 */
import { existsSync, statSync } from 'node:fs';
import { AttemptError } from '../errors.js';
import { directoryOf } from '../locks/file/kept-in.js';
import type { StoreOption } from './store-option.js';

export interface StoreWord {
  /** What said it, for messages. */
  readonly by: '--store' | 'ATTEMPT_STORE';
  readonly kind: 'files' | 'postgres' | 'redis';
  /** `files`, `files:<directory>` or a URL. */
  readonly word: string;
  /** Of files: where their locks lie; undefined: beside them. */
  readonly directory: string | undefined;
}

const ENGINES: Readonly<Record<string, 'postgres' | 'redis' | undefined>> = {
  postgres: 'postgres', postgresql: 'postgres', redis: 'redis', rediss: 'redis',
};

/** Without what may be a password. */
export const shownUrl = (word: string): string => word.replace(/:\/\/.*/s, '://...').replace(/:.*@/s, ':...@');

/** What was typed may be the path alone, or `file:` and a path. */
function hint(word: string): string {
  if (word.includes('@')) return ''; // rather a URL, with what may be a password
  const path = word.includes(':') ? /^[a-z]+:(\.{0,2}\/(?!\/).*)$/is.exec(word)?.[1] : word;
  return path === undefined ? '' : `; for locks in a directory: files:${path.replace(/^~(?=\/)/, '"$HOME"')}`;
}

function expectDirectory(by: string, directory: string): void {
  if (directory.startsWith('~')) { // laid in a directory that is called ~, nobody else would find those locks
    throw new AttemptError('CONFIG_INVALID', `${by}: files:${directory}: expected a path, got a ~, which no shell has put a path for; `
      + `write it out, as in files:"$HOME"/locks (a directory of that name: files:./${directory})`);
  }
  if (existsSync(directory) && !statSync(directory).isDirectory()) {
    throw new AttemptError('CONFIG_INVALID', `${by}: files:${directory}: expected a directory, found a file; name another one`);
  }
}

/** @throws AttemptError `CONFIG_INVALID`: neither files nor a URL of an engine we know, or not a directory */
export function storeWord({ store }: StoreOption): StoreWord {
  const by = store === undefined ? 'ATTEMPT_STORE' : '--store';
  const word = (store ?? process.env['ATTEMPT_STORE']) || 'files';
  const directory = directoryOf(word);
  if (directory !== null) {
    if (directory !== undefined) expectDirectory(by, directory);
    return { by, kind: 'files', word, directory };
  }
  const kind = ENGINES[/^([a-z]+):\/\//.exec(word)?.[1] ?? ''];
  if (kind) return { by, kind, word, directory: undefined };
  throw new AttemptError('CONFIG_INVALID', `${by}: expected files, files:<directory>, postgres://... or redis://..., `
    + `got ${shownUrl(word)}${hint(word)}`);
}
