/** Work that is done one after the other, in the order in which it was asked for, unless one takes too long. */
export class Turns {
  readonly #longestMs: number;
  #last: Promise<unknown> = Promise.resolve();

  /** @param longestMs - after which the next one begins beside it: it may be waiting for what the others do not need. */
  constructor(longestMs: number) {
    this.#longestMs = longestMs;
  }

  /** Begins when the one before has ended, however it ended. Settles as `work` does. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const end = (): void => {
      resolve(undefined);
    };
    this.#last = promise;
    await before;
    const timer = setTimeout(end, this.#longestMs);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      end();
    }
  }
}
