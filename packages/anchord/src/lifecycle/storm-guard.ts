/**
 * Holds storms of repairs back. Each repair of one container makes the next one wait longer, and a container that was
 * repaired too often in a while is left alone until that while is over: whoever undoes our repairs, or breaks what we
 * repair, would else keep both of us busy without end.
 */

export interface StormLimits {
  /** The pause after the first repair; it doubles with each further one. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** So many repairs within so long, and no more. */
  readonly most: number;
  readonly withinMs: number;
  /** Which part of a pause is added by chance, so that several anchors do not act in the same moment. */
  readonly jitter: number;
}

const usualLimits: StormLimits = {
  firstPauseMs: 1_000,
  longestPauseMs: 30_000,
  most: 10,
  withinMs: 600_000,
  jitter: 0.25,
};

export type Permission =
  | { readonly kind: 'go' }
  /** Too soon after the last repair. */
  | { readonly kind: 'wait'; readonly ms: number; readonly sinceLastMs: number }
  /** Too many; `isNews` the first time that somebody hears it. */
  | { readonly kind: 'held'; readonly ms: number; readonly isNews: boolean };

interface Record {
  readonly at: number[];
  pauseMs: number;
  held: boolean;
}

export class StormGuard {
  readonly limits: StormLimits;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #records = new Map<string, Record>();

  /** `now` in milliseconds, never going back. */
  constructor(now: () => number, random: () => number, limits: Partial<StormLimits> = {}) {
    this.limits = { ...usualLimits, ...limits };
    this.#now = now;
    this.#random = random;
  }

  /** Whether this may be repaired now. Changes nothing but what was told. */
  ask(key: string): Permission {
    const now = this.#now();
    this.#forget(now);
    const record = this.#records.get(key);
    const first = record?.at[0];
    const last = record?.at.at(-1);
    if (record === undefined || first === undefined || last === undefined) return { kind: 'go' };
    if (record.at.length >= this.limits.most) {
      const isNews = !record.held;
      record.held = true;
      return { kind: 'held', ms: first + this.limits.withinMs - now, isNews };
    }
    const ms = last + record.pauseMs - now;
    return ms <= 0 ? { kind: 'go' } : { kind: 'wait', ms, sinceLastMs: now - last };
  }

  /** It was repaired, or that was tried. */
  done(key: string): void {
    const { firstPauseMs, longestPauseMs, jitter } = this.limits;
    const record = this.#records.get(key) ?? { at: [], pauseMs: 0, held: false };
    const full = Math.min(firstPauseMs * 2 ** record.at.length, longestPauseMs);
    record.at.push(this.#now());
    record.pauseMs = full * (1 + jitter * this.#random());
    this.#records.set(key, record);
  }

  /** Whose limit is reached at this moment, and was told. */
  get held(): readonly string[] {
    this.#forget(this.#now());
    return [...this.#records].filter(([, { held }]) => held).map(([key]) => key);
  }

  #forget(now: number): void {
    for (const [key, record] of this.#records) {
      while (record.at[0] !== undefined && record.at[0] + this.limits.withinMs <= now) record.at.shift();
      if (record.at.length < this.limits.most) record.held = false;
      if (record.at.length === 0) this.#records.delete(key);
    }
  }
}
