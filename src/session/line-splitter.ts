/**
 * Cuts a stream of bytes into lines without ever holding more than a stated amount.
 * Owns: the bytes of the line that has not ended yet. Must not know: what a line says.
 */

const NEWLINE = 0x0a;

/** One line, without its newline. `number` counts from 1. */
export interface Line {
  readonly bytes: Buffer;
  readonly number: number;
}

export class LineSplitter {
  readonly #maxBytes: number;
  readonly #onLong: (piece: Buffer, number: number) => void;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #long = false;
  #number = 1;

  /**
   * @param maxBytes the longest line that is handed out
   * @param onLong gets a longer line piece by piece instead, in order; it may throw
   */
  constructor(maxBytes: number, onLong: (piece: Buffer, number: number) => void) {
    this.#maxBytes = maxBytes;
    this.#onLong = onLong;
  }

  /** The lines that end in this chunk. They may share its memory: use them before it is filled again. */
  push(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#endLine(chunk.subarray(start, end), lines);
      start = end + 1;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start));
    return lines;
  }

  /** The last line, where no newline ends it. */
  end(): Line[] {
    const lines: Line[] = [];
    if (this.#heldBytes > 0 || this.#long) this.#endLine(Buffer.alloc(0), lines);
    return lines;
  }

  #endLine(rest: Buffer, lines: Line[]): void {
    if (this.#long || this.#heldBytes + rest.length > this.#maxBytes) {
      this.#overflow(rest);
    } else {
      const bytes = this.#held.length === 0 ? rest : Buffer.concat([...this.#held, rest]);
      lines.push({ bytes, number: this.#number });
    }
    this.#drop();
    this.#long = false;
    this.#number += 1;
  }

  #hold(piece: Buffer): void {
    if (this.#long || this.#heldBytes + piece.length > this.#maxBytes) {
      this.#overflow(piece);
      this.#long = true;
      return;
    }
    this.#held.push(Buffer.from(piece)); // a copy: the chunk's memory will be filled again
    this.#heldBytes += piece.length;
  }

  #overflow(piece: Buffer): void {
    for (const held of this.#held) this.#onLong(held, this.#number);
    this.#drop();
    this.#onLong(piece, this.#number);
  }

  #drop(): void {
    this.#held = [];
    this.#heldBytes = 0;
  }
}
