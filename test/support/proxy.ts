/**
 * A small TCP proxy that a test owns: connections lead from a loopback port to a server's socket until the test cuts
 * them, holds back what is said, or lets everything vanish. Clients see the same port whatever the server does.
 */
import { createConnection, createServer, type Server as NetServer, type Socket } from 'node:net';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

export class Proxy {
  readonly #pairs = new Set<Pair>();
  readonly #server: NetServer;
  #to: string;
  #mode: 'open' | 'refusing' | 'silent' = 'open';
  #delayMs = 0;
  /** The next answer to a question that matches is not passed on: its connection is cut instead. */
  #cutAnswerTo: { readonly matches: RegExp; readonly answered: (cut: () => void) => void } | null = null;
  port = 0;

  /** @param to the socket file of a server */
  constructor(to: string) {
    this.#to = to;
    this.#server = createServer((client) => this.#accept(client));
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await new Promise((resolve) => { this.#server.once('listening', resolve); });
    this.port = (this.#server.address() as { port: number }).port;
    return this;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** From now on connections lead elsewhere; those there are, are cut. */
  leadTo(socket: string): void {
    this.#to = socket;
    this.cut();
  }

  /** Cuts every connection. New ones are let through. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  /** Cuts every connection and lets none through until `heal`. */
  break(): void {
    this.#mode = 'refusing';
    this.cut();
  }

  /** Half-open: connections stay, nothing passes either way, new ones are accepted and hear nothing. */
  silence(): void {
    this.#mode = 'silent';
  }

  /** All is well again. What vanished in silence stays lost, so its connections are cut. */
  heal(): void {
    if (this.#mode === 'silent') this.cut();
    this.#mode = 'open';
    this.#delayMs = 0;
  }

  /** Each piece, either way, arrives so many milliseconds later. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /**
   * The next question that matches reaches the server, and its answer never reaches the client.
   * @param meanwhile done when the server has answered, before the connection is cut
   * @returns when it has been cut
   */
  loseAnswerTo(matches: RegExp, meanwhile?: () => Promise<void>): Promise<void> {
    return new Promise((done, fail) => {
      const cutNow = (cut: () => void): void => {
        cut();
        done();
      };
      this.#cutAnswerTo = { matches, answered: (cut) => (meanwhile ? void meanwhile().then(() => cutNow(cut), fail) : cutNow(cut)) };
    });
  }

  async close(): Promise<void> {
    this.#mode = 'refusing';
    this.cut();
    await new Promise((resolve) => { this.#server.close(resolve); });
  }

  #accept(client: Socket): void {
    if (this.#mode === 'refusing') return void client.destroy();
    const server = createConnection(this.#to);
    const pair = { client, server };
    this.#pairs.add(pair);
    let losing: ((cut: () => void) => void) | null = null;
    client.on('data', (data) => {
      const cut = this.#cutAnswerTo;
      if (cut && cut.matches.test(data.toString('latin1'))) {
        this.#cutAnswerTo = null;
        losing = cut.answered;
      }
      this.#pass(data, server);
    });
    server.on('data', (data) => {
      if (losing === null) return this.#pass(data, client);
      losing(() => {
        client.destroy();
        server.destroy();
      });
      losing = () => {}; // what else is answered on this connection goes the same way
    });
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const one of [client, server]) one.on('error', end).on('close', end);
    client.setNoDelay(true);
  }

  #pass(data: Buffer, to: Socket): void {
    if (this.#mode === 'silent') return;
    const write = (): void => {
      if (this.#mode !== 'silent' && !to.destroyed) to.write(data);
    };
    if (this.#delayMs > 0) setTimeout(write, this.#delayMs);
    else write();
  }
}
