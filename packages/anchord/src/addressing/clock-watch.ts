import type { Cancellable, Clock } from '@berth/service';

const lookEveryMs = 60_000;
/** Clocks are slewed by milliseconds; whoever moves one by so much has set it, or the machine was asleep. */
const jumpMs = 30_000;

/** Notices that more or less time has passed than the clock of our timers says: a machine that slept, or was restored. */
export class ClockWatch implements Disposable {
  readonly #clock: Clock;
  readonly #onJump: () => void;
  #offsetMs: number;
  #timer: Cancellable;

  constructor(clock: Clock, onJump: () => void) {
    this.#clock = clock;
    this.#onJump = onJump;
    this.#offsetMs = clock.now() - clock.monotonic();
    this.#timer = this.#again();
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  #again(): Cancellable {
    return this.#clock.after(lookEveryMs, () => this.#look());
  }

  #look(): void {
    const before = this.#offsetMs;
    this.#offsetMs = this.#clock.now() - this.#clock.monotonic();
    this.#timer = this.#again();
    if (Math.abs(this.#offsetMs - before) > jumpMs) this.#onJump();
  }
}
