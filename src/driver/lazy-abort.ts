/**
 * An AbortController whose signal is made when somebody asks for it. In most attempts nobody does, and a signal is dear:
 * Node gives each a prototype after it is made, and with that a hidden class of its own (see `live.ts`).
 */
import { live } from './live.js';

export class LazyAbort {
  #controller: AbortController | null = null;
  #fired: { readonly reason: unknown } | null = null;

  get isAborted(): boolean {
    return this.#fired !== null;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#fired) this.#controller.abort(this.#fired.reason);
    }
    return this.#controller.signal;
  }

  /** Fires the signal, once. */
  abort(reason: unknown): void {
    if (this.#fired) return;
    this.#fired = { reason };
    this.#controller?.abort(reason);
  }

  /** Throws the reason, once it has fired. */
  throwIfAborted(): void {
    if (this.#fired) throw this.#fired.reason;
  }
}

/** Gives an object the property `signal`. */
export const withSignal = live('signal', (abort: LazyAbort) => abort.signal);
