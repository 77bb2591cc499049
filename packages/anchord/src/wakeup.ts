import { type Clock, sleep } from '@berth/service';

/** Wakes one loop that waits; being woken many times while it works counts once. */
export class Wakeup {
  #awake = false;
  #resolve: (() => void) | undefined;

  wake(): void {
    this.#awake = true;
    this.#resolve?.();
  }

  /** Until somebody wakes us, at once if that has happened since the last time. Ends without a word at the abort. */
  async wait(signal: AbortSignal): Promise<void> {
    while (!this.#awake && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const end = (): void => {
          signal.removeEventListener('abort', end);
          this.#resolve = undefined;
          resolve();
        };
        this.#resolve = end;
        signal.addEventListener('abort', end, { once: true });
      });
    }
    this.#awake = false;
  }

  /** The same, but no longer than so many milliseconds; true if somebody woke us. */
  async waitUpTo(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
    let late = false;
    const timer = clock.after(Math.max(ms, 0), () => {
      late = true;
      this.wake();
    });
    await this.wait(signal);
    timer.cancel();
    return !late && !signal.aborted;
  }
}

/** Lets time pass; ends early, without a word, at the abort. */
export const pause = (clock: Clock, ms: number, signal: AbortSignal): Promise<void> =>
  sleep(clock, ms, signal).catch(() => undefined);
