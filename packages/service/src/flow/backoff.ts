import type { Random } from '../random.ts';

export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  /** How much longer each pause is than the one before. */
  readonly factor?: number;
  /** Which part of a pause is left to chance, so that many do not come back at the same moment: 0 none, 1 all of it. */
  readonly jitter?: number;
  readonly random?: Random;
}

/** Pauses that grow with every failure, up to a limit. */
export class Backoff {
  readonly #options: Required<BackoffOptions>;
  #failures = 0;

  constructor({ factor = 2, jitter = 0, random = () => 0, ...limits }: BackoffOptions) {
    if (!(limits.initialMs >= 0 && limits.maxMs >= limits.initialMs && factor >= 1)) {
      throw new RangeError('a back-off needs 0 <= initialMs <= maxMs and a factor of at least 1');
    }
    this.#options = { factor, jitter, random, ...limits };
  }

  /** How often in a row it has failed. */
  get failures(): number {
    return this.#failures;
  }

  /** The pause after one more failure. */
  next(): number {
    const { initialMs, maxMs, factor, jitter, random } = this.#options;
    const full = Math.min(maxMs, initialMs * factor ** this.#failures);
    this.#failures += 1;
    return full * (1 - jitter * random());
  }

  /** After a success: the next pause is the first one again. */
  reset(): void {
    this.#failures = 0;
  }
}
