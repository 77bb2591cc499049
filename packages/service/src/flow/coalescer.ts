import type { Cancellable, Clock } from '../clock.ts';
import type { Scope } from '../scope.ts';

export interface CoalescerOptions {
  readonly name: string;
  readonly clock: Pick<Clock, 'after' | 'monotonic'>;
  /** A run waits until nobody has asked for this long; 0: it starts at once. */
  readonly quietMs: number;
  /** … but not longer than this after the first one asked. */
  readonly atMostMs: number;
  /** The scope hears of a run that fails; the next one who asks starts another. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/**
 * Many requests, few runs: a burst of requests leads to one run, one that comes in the middle of a run leads to another
 * after it, and no two runs overlap. After the scope's end nothing runs any more.
 */
export class Coalescer {
  readonly #scope: Scope;
  readonly #options: CoalescerOptions;
  #firstAskedMs: number | undefined;
  #timer: Cancellable | undefined;
  #running = false;
  #idle = Promise.withResolvers<void>();

  constructor(scope: Scope, options: CoalescerOptions) {
    this.#scope = scope;
    this.#options = options;
    this.#idle.resolve();
    scope.defer(() => {
      this.#timer?.cancel();
      this.#idle.resolve();
    }, options.name);
  }

  /** Wants a run that begins after this moment. */
  ask(): void {
    if (this.#scope.closed || this.#firstAskedMs !== undefined) {
      if (!this.#running) this.#putOff();
      return;
    }
    this.#firstAskedMs = this.#options.clock.monotonic();
    if (this.#running) return;
    this.#idle = Promise.withResolvers();
    if (this.#options.quietMs > 0) this.#putOff();
    else this.#start();
  }

  /** Resolves as soon as nothing runs and nobody wants a run, or the scope has ended. */
  settled(): Promise<void> {
    return this.#idle.promise;
  }

  /** Sets the timer anew: once more the quiet time, within what is left of the longest wait. */
  #putOff(): void {
    if (this.#firstAskedMs === undefined || this.#scope.closed) return;
    const { clock, quietMs, atMostMs } = this.#options;
    const leftMs = this.#firstAskedMs + atMostMs - clock.monotonic();
    this.#timer?.cancel();
    this.#timer = clock.after(Math.max(0, Math.min(quietMs, leftMs)), () => this.#start());
  }

  #start(): void {
    this.#timer = undefined;
    this.#running = true;
    this.#scope.spawn(this.#options.name, async (signal) => {
      // Whoever asks goes on first: then all who ask in the same breath get the same run.
      await Promise.resolve();
      this.#firstAskedMs = undefined;
      try {
        await this.#options.run(signal);
      } finally {
        this.#running = false;
        // Another run takes the timer, even for no time at all: a run that asks for the next one must not starve the rest.
        if (this.#firstAskedMs === undefined) this.#idle.resolve();
        else this.#putOff();
      }
    });
  }
}
