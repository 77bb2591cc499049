/** Something that was started and can be called off; calling it off twice is harmless. */
export interface Cancellable {
  cancel(): void;
}

/** All that a program may know of time. Injected, so that a whole program runs in the simulator. */
export interface Clock {
  /** Wall time, milliseconds since the epoch. Jumps when the host's clock is set: for records and log lines only. */
  now(): number;
  /** Milliseconds that never jump: for durations and deadlines. */
  monotonic(): number;
  /** Calls back once after `delayMs`. Does not keep the process alive on its own. */
  after(delayMs: number, callback: () => void): Cancellable;
}

/** setTimeout takes 32 bits of milliseconds and fires at once beyond that; longer waits go in legs. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, callback) {
    const due = performance.now() + delayMs;
    let timer: NodeJS.Timeout;
    const arm = (remainingMs: number): void => {
      const legMs = Math.min(Math.max(remainingMs, 0), LONGEST_TIMER_MS);
      timer = setTimeout(() => {
        const leftMs = due - performance.now();
        if (legMs === LONGEST_TIMER_MS && leftMs > 0) arm(leftMs);
        else callback();
      }, legMs);
      timer.unref();
    };
    arm(delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Resolves after `delayMs`, or rejects with the signal's reason as soon as that aborts. */
export function sleep(clock: Pick<Clock, 'after'>, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
