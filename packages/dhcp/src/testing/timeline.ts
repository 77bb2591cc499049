import type { Random } from './random.ts';

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** Simulated time: runs what was planned, in order, as fast as the machine allows. */
export class Timeline {
  nowMs = 0;
  #order = 0;
  readonly #due: Due[] = [];

  after(delayMs: number, run: () => void): void {
    const due = { atMs: this.nowMs + Math.max(delayMs, 0), order: this.#order++, run };
    const at = this.#due.findLastIndex((other) => other.atMs <= due.atMs) + 1;
    this.#due.splice(at, 0, due);
  }

  runFor(durationMs: number): void {
    const end = this.nowMs + durationMs;
    for (let next = this.#due[0]; next !== undefined && next.atMs <= end; next = this.#due[0]) {
      this.#due.shift();
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
    }
    this.nowMs = end;
  }

  /** How much is planned: what must not grow. */
  get planned(): number {
    return this.#due.length;
  }
}

/** What a network does to packets at the moment. */
export interface Weather {
  readonly loss: number;
  readonly duplication: number;
  readonly damage: number;
  readonly delayMs: number;
}

export const fine: Weather = { loss: 0, duplication: 0, damage: 0, delayMs: 2 };

/** Carries bytes from one side to the other: late, twice, out of order, damaged, or not at all. */
export class Link {
  weather: Weather = fine;
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #damage: (bytes: Uint8Array, random: Random) => Uint8Array;

  constructor(timeline: Timeline, random: Random, damage: (bytes: Uint8Array, random: Random) => Uint8Array) {
    this.#timeline = timeline;
    this.#random = random;
    this.#damage = damage;
  }

  carry(bytes: Uint8Array, deliver: (bytes: Uint8Array) => void): void {
    const { loss, duplication, damage, delayMs } = this.weather;
    const copies = this.#random.chance(duplication) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      if (this.#random.chance(loss)) continue;
      const arrived = this.#random.chance(damage) ? this.#damage(bytes, this.#random) : bytes;
      this.#timeline.after(this.#random.fraction() * delayMs, () => deliver(arrived));
    }
  }
}
