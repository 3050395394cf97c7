/**
 * Processes that contend for file locks (`fixtures/contender.mjs`), ready to be told what to do.
 */
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { vi } from 'vitest';
import { Child, type ChildOptions } from '../../support/children.js';
import { temporaryDirectory, type Cleanup } from '../../support/temporary.js';

// Processes are slow to start on a busy machine; nothing here waits for time to pass without a reason.
vi.setConfig({ testTimeout: 30_000 });

const script = fileURLToPath(new URL('fixtures/contender.mjs', import.meta.url));

export async function contender(args: string[] = [], options: ChildOptions = {}): Promise<Child> {
  const child = new Child(script, args, options);
  await child.says('ready', ({ ready }) => ready === true);
  return child;
}

export function contenders(count: 2, options?: ChildOptions): Promise<[Child, Child]>;
export function contenders(count: 3, options?: ChildOptions): Promise<[Child, Child, Child]>;
export function contenders(count: number, options?: ChildOptions): Promise<Child[]>;
export function contenders(count: number, options: ChildOptions = {}): Promise<Child[]> {
  return Promise.all(Array.from({ length: count }, () => contender([], options)));
}

/** A session that does not exist yet, in a directory of its own. */
export function newSession(name = 'session.jsonl', cleanup?: Cleanup): string {
  return join(temporaryDirectory(cleanup), name);
}
