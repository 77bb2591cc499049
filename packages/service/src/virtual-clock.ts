import type { Cancellable, Clock } from './clock.ts';

interface Alarm {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that moves only when told to: the time of simulations and tests. */
export class VirtualClock implements Clock {
  #elapsedMs = 0;
  #order = 0;
  readonly #startMs: number;
  readonly #alarms = new Set<Alarm>();

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
    const alarm: Alarm = { due: this.#elapsedMs + Math.max(delayMs, 0), order: this.#order++, callback };
    this.#alarms.add(alarm);
    return { cancel: () => this.#alarms.delete(alarm) };
  }

  /** How many callbacks are waiting: what a leak test looks at. */
  get pending(): number {
    return this.#alarms.size;
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
      this.#alarms.delete(alarm);
      this.#elapsedMs = Math.max(this.#elapsedMs, alarm.due);
      alarm.callback();
      await settle();
    }
    this.#elapsedMs = target;
  }

  #next(): Alarm | undefined {
    let first: Alarm | undefined;
    for (const alarm of this.#alarms) {
      if (
        first === undefined ||
        alarm.due < first.due ||
        (alarm.due === first.due && alarm.order < first.order)
      ) {
        first = alarm;
      }
    }
    return first;
  }
}

/** Lets every promise that can settle without outside help do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
