const LONGEST_MS = 10_000;

/** Waits for the next of something that comes by itself, and says when it came. */
export class Arrivals {
  readonly #now: () => number;
  #waiting: ((at: number) => void) | undefined;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  readonly arrived = (): void => {
    this.#waiting?.(this.#now());
    this.#waiting = undefined;
  };

  /** Whoever asks again before it came takes the place of whoever asked before. */
  next(what = 'a change'): Promise<number> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`nothing was heard of ${what} for ${LONGEST_MS} ms`)),
        LONGEST_MS,
      );
      this.#waiting = (at) => {
        clearTimeout(late);
        resolve(at);
      };
    });
  }
}
