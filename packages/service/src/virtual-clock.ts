import type { Cancellable, Clock } from './clock.ts';

interface Alarm {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

const before = (a: Alarm, b: Alarm): boolean => a.due < b.due || (a.due === b.due && a.order < b.order);

/** A clock that moves only when told to: the time of simulations and tests. */
export class VirtualClock implements Clock {
  #elapsedMs = 0;
  #order = 0;
  #pending = 0;
  readonly #startMs: number;
  /** A binary heap by due time; what was called off stays in it until it comes up. */
  readonly #heap: Alarm[] = [];

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#startMs = startMs;
  }

  now(): number {
    return this.#startMs + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, callback: () => void): Cancellable {
    const due = this.#elapsedMs + (delayMs > 0 ? delayMs : 0);
    const alarm: Alarm = { due, order: this.#order++, callback, cancelled: false };
    this.#push(alarm);
    this.#pending += 1;
    return {
      cancel: () => {
        if (!alarm.cancelled) this.#pending -= 1;
        alarm.cancelled = true;
      },
    };
  }

  /** How many callbacks are waiting: what a leak test looks at. */
  get pending(): number {
    return this.#pending;
  }

  /** When the next callback is due, in monotonic milliseconds. */
  get nextDue(): number | undefined {
    return this.#next()?.due;
  }

  /** Moves time on and fires everything that falls due on the way, in order, letting promises settle in between. */
  async advance(byMs: number): Promise<void> {
    const target = this.#elapsedMs + byMs;
    await settle();
    for (let alarm = this.#next(); alarm !== undefined && alarm.due <= target; alarm = this.#next()) {
      this.#pop();
      this.#pending -= 1;
      alarm.cancelled = true;
      this.#elapsedMs = Math.max(this.#elapsedMs, alarm.due);
      alarm.callback();
      await settle();
    }
    this.#elapsedMs = Math.max(this.#elapsedMs, target);
  }

  #next(): Alarm | undefined {
    while (this.#heap[0]?.cancelled === true) this.#pop();
    return this.#heap[0];
  }

  #push(alarm: Alarm): void {
    let at = this.#heap.push(alarm) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const above = this.#heap[up];
      if (above === undefined || before(above, alarm)) break;
      this.#heap[at] = above;
      at = up;
    }
    this.#heap[at] = alarm;
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = this.#heap[2 * at + 1];
      const right = this.#heap[2 * at + 2];
      if (left === undefined) break;
      const rightIsFirst = right !== undefined && before(right, left);
      const first = rightIsFirst ? right : left;
      if (before(last, first)) break;
      this.#heap[at] = first;
      at = 2 * at + (rightIsFirst ? 2 : 1);
    }
    this.#heap[at] = last;
  }
}

/** Lets every promise that can settle without outside help do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
