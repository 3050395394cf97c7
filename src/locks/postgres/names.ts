/** The schema our tables lie in, checked and quoted: the one thing that cannot be a parameter of a statement. */
import { expect } from '../../config-checks.js';

/** @throws AttemptError `CONFIG_INVALID` unless it is a plain identifier */
export function quotedSchema(schema: unknown = 'attempt'): string {
  const ok = typeof schema === 'string' && /^[a-z_][a-z0-9_]{0,62}$/.test(schema);
  expect(ok, 'schema', 'a name of small letters, digits and _, at most 63', schema);
  return `"${schema}"`;
}
