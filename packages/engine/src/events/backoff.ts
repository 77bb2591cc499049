export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Pauses that double up to a limit, each somewhere between half and all of itself, so that many do not retry as one. */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  #failures = 0;

  constructor(options: BackoffOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  next(): number {
    const { firstMs, maxMs } = this.#options;
    // 2 ** 30 times anything is beyond any limit, and further doubling ends in Infinity.
    const fullMs = Math.min(firstMs * 2 ** Math.min(this.#failures, 30), maxMs);
    this.#failures += 1;
    return fullMs * (0.5 + 0.5 * this.#random());
  }

  reset(): void {
    this.#failures = 0;
  }
}
