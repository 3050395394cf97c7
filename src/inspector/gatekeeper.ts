/**
 * Who may talk to the page's server: whoever knows the key, from the page itself, by the very address it listens on.
 * A page of another origin, and a host name that was rebound to this machine, are refused before anything is looked at.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const sameText = (a: string, b: string): boolean => {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
};

/** @returns why it is refused, or the path behind the key (`events`, `page/main.js`, '' for the page). */
export function admit(request: IncomingMessage, host: string, key: string): { refused: string } | { path: string } {
  if (request.headers.host !== host) return { refused: `this server is http://${host} and answers to no other name` };
  const { origin } = request.headers;
  if (origin !== undefined && origin !== `http://${host}`) return { refused: 'requests of other origins are refused' };
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return { refused: 'requests of other sites are refused' };
  const [, given = '', ...rest] = (request.url ?? '').split('?')[0]!.split('/');
  if (!sameText(given, key)) return { refused: 'wrong key: use the whole address that was printed' };
  return { path: rest.join('/') };
}
