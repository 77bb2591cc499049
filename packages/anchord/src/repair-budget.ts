/**
 * How often something may be put right at once. Who undoes our repairs as fast as we make them would else keep both of us,
 * and the log, busy without end; past the budget the next regular look has to do.
 */
export class RepairBudget {
  readonly #most: number;
  readonly #perSecond: number;
  readonly #now: () => number;
  #left: number;
  #at: number;

  /** `now` in milliseconds, never going back. */
  constructor(now: () => number, { most = 20, perSecond = 2 } = {}) {
    this.#now = now;
    this.#most = most;
    this.#perSecond = perSecond;
    this.#left = most;
    this.#at = now();
  }

  /** True as long as there is something left of it. */
  spend(): boolean {
    const now = this.#now();
    this.#left = Math.min(this.#most, this.#left + ((now - this.#at) / 1_000) * this.#perSecond);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
