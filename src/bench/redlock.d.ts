/** What the benchmark needs of redlock, whose own types its `exports` hide. */
declare module 'redlock' {
  export default class Redlock {
    constructor(clients: readonly unknown[], settings: { retryCount: number; automaticExtensionThreshold: number });
    acquire(resources: readonly string[], durationMs: number): Promise<{ release(): Promise<unknown> }>;
  }
}
