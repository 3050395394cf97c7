/**
 * The page's server: on 127.0.0.1, at a port of the system's choice, behind a key. It serves its own files and nothing
 * else, and loads nothing from anywhere.
 * Owns: HTTP. Must not know: how an attempt is run.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { admit } from './gatekeeper.js';
import { PAGE_HTML, PAGE_STYLE } from './page-html.js';
import { Viewer } from './viewer.js';

/** What stands behind the page. */
export interface Behind {
  /** Tells a viewer everything there is. */
  begin(viewer: Viewer): void;
  /** The number of open pages has changed. */
  viewers(count: number): void;
  /** @returns the answer, or null where stopping is not allowed. */
  abort(attemptId: string): Promise<unknown>;
}

const SCRIPTS = ['main', 'model', 'dom', 'attempts-view', 'locks-view', 'replay', 'statechart'];
const MOST_VIEWERS = 16;
const MOST_BODY_BYTES = 4_096;

const HEADERS = {
  'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin', 'x-frame-options': 'DENY',
  'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};

/** A file of the package, by the package's own name: this file is also bundled, and then lies elsewhere. */
function packaged(path: string): Promise<string> {
  const top = dirname(createRequire(import.meta.url).resolve('attempt-lifecycle/package.json'));
  return readFile(join(top, path), 'utf8');
}

export class PageServer {
  readonly #key: string;
  readonly #behind: Behind;
  readonly #server: Server;
  readonly #viewers = new Set<Viewer>();

  /** @param key null: a new one, of 144 random bits */
  constructor(behind: Behind, key: string | null) {
    this.#key = key ?? randomBytes(18).toString('base64url');
    this.#behind = behind;
    this.#server = createServer((request, response) => {
      void this.#answer(request, response).catch(() => response.destroy()); // it went away, or a file of ours is missing
    });
  }

  get viewers(): ReadonlySet<Viewer> {
    return this.#viewers;
  }

  /** @param port 0: one the system chooses. @returns the address with its key */
  async listen(port: number, keepsProcess: boolean): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    if (!keepsProcess) this.#server.unref();
    return `http://${this.#host}/${this.#key}/`;
  }

  async close(): Promise<void> {
    for (const viewer of this.#viewers) viewer.end();
    this.#server.closeAllConnections();
    await new Promise((resolve) => { this.#server.close(resolve); });
  }

  get #host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const text = (status: number, type: string, body: string): void => {
      response.writeHead(status, { 'content-type': `${type}; charset=utf-8` }).end(body);
    };
    const admitted = admit(request, this.#host, this.#key);
    if ('refused' in admitted) return text(403, 'text/plain', `attempt inspect: ${admitted.refused}.\n`);
    const { path } = admitted;
    if (request.method === 'POST' && path === 'abort') return this.#abort(request, text);
    if (request.method !== 'GET') return text(405, 'text/plain', 'attempt inspect: GET only.\n');
    const script = /^page\/([a-z-]+)\.js$/.exec(path)?.[1];
    if (script !== undefined && SCRIPTS.includes(script)) {
      return text(200, 'text/javascript', await packaged(`dist/src/inspector/page/${script}.js`));
    }
    switch (path) {
      case '': return text(200, 'text/html', PAGE_HTML);
      case 'style.css': return text(200, 'text/css', PAGE_STYLE);
      case 'statechart.svg': return text(200, 'image/svg+xml', await packaged('visualizations/attempt.svg'));
      case 'events': return this.#watch(request, response, text);
      default: return text(404, 'text/plain', 'attempt inspect: there is no such page.\n');
    }
  }

  #watch(request: IncomingMessage, response: ServerResponse, text: (status: number, type: string, body: string) => void): void {
    if (this.#viewers.size >= MOST_VIEWERS) return text(503, 'text/plain', `attempt inspect: ${MOST_VIEWERS} pages are open.\n`);
    const viewer = new Viewer(response, (one) => this.#behind.begin(one));
    this.#viewers.add(viewer);
    this.#behind.viewers(this.#viewers.size);
    request.on('close', () => {
      this.#viewers.delete(viewer);
      this.#behind.viewers(this.#viewers.size);
    });
  }

  async #abort(request: IncomingMessage, text: (status: number, type: string, body: string) => void): Promise<void> {
    let body = '';
    for await (const chunk of request) {
      body += String(chunk);
      if (body.length > MOST_BODY_BYTES) return text(413, 'text/plain', 'attempt inspect: too long.\n');
    }
    let attemptId: unknown;
    try {
      ({ attemptId } = JSON.parse(body) as { attemptId?: unknown });
    } catch { /* said below: it is not what the page sends */ }
    if (typeof attemptId !== 'string') return text(400, 'text/plain', 'expected {"attemptId": "..."}');
    const answer = await this.#behind.abort(attemptId);
    return answer === null ? text(403, 'text/plain', 'stopping needs --allow-abort')
      : text(200, 'application/json', JSON.stringify(answer));
  }
}
