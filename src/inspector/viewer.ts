/**
 * One open page: what it is sent, and what happens when it does not read. A page that is slow or gone is not waited for:
 * what does not fit its buffer is dropped and counted, and once it reads again it is told everything anew.
 */
import type { ServerResponse } from 'node:http';

/** What may lie unread. */
const MOST_UNREAD_BYTES = 2 ** 20;

export class Viewer {
  readonly #response: ServerResponse;
  readonly #begin: () => void;
  #isBehind = false;
  #toldDropped = 0;
  dropped = 0;

  /** @param begin tells it everything; called at once, and whenever it has fallen behind and reads again */
  constructor(response: ServerResponse, begin: (viewer: Viewer) => void) {
    this.#response = response;
    this.#begin = () => begin(this);
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    response.on('drain', () => {
      if (!this.#isBehind) return;
      this.#isBehind = false;
      this.#begin();
    });
    this.#begin();
  }

  /** @param weight how many events this is, for the count of what was dropped */
  send(name: string, news: unknown, weight = 0): void {
    if (this.#isBehind) {
      this.dropped += weight;
      return;
    }
    // JSON has no line breaks outside its strings, and none in them: one `data:` line is enough.
    this.#response.write(`event: ${name}\ndata: ${JSON.stringify(news)}\n\n`);
    this.#isBehind = this.#response.writableLength > MOST_UNREAD_BYTES;
  }

  /** @param elsewhere how many were dropped before they could be sent to anybody */
  tellDropped(elsewhere: number): void {
    const count = elsewhere + this.dropped;
    if (count === this.#toldDropped || this.#isBehind) return;
    this.#toldDropped = count;
    this.send('dropped', { count });
  }

  end(): void {
    this.#response.end();
    this.#response.destroy();
  }
}
