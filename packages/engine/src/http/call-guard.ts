import type { Cancellable, Clock } from '@berth/service';
import { type EngineError, engineErrors } from '../errors.ts';

/** What bounds one call. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Until the complete answer; for an answer that is a stream, until it begins. Infinity: no limit. */
  readonly timeoutMs?: number | undefined;
}

interface Endable {
  destroy(error: Error): void;
}

/** Watches one call: ends it when its time is over or its signal aborts, and leaves no timer and no listener behind. */
export class CallGuard {
  readonly #what: string;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: Cancellable | undefined;
  readonly #onAbort = (): void => this.#trip(this.#aborted());
  #target: Endable | undefined;
  /** Why the call was ended from this side. */
  tripped: EngineError | undefined;

  constructor(clock: Clock, what: string, timeoutMs: number, signal: AbortSignal | undefined) {
    this.#what = what;
    this.#signal = signal;
    if (signal?.aborted) {
      this.tripped = this.#aborted();
      return;
    }
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (Number.isFinite(timeoutMs))
      this.#timer = clock.after(timeoutMs, () => this.#trip(this.#late(timeoutMs)));
  }

  /** What has to be ended from now on. */
  watch(target: Endable): void {
    this.#target = target;
    if (this.tripped !== undefined) target.destroy(this.tripped);
  }

  /** The answer has begun, and it may take as long as it likes. */
  stopTimer(): void {
    this.#timer?.cancel();
  }

  release(): void {
    this.#timer?.cancel();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#target = undefined;
  }

  #trip(error: EngineError): void {
    const target = this.#target;
    this.tripped = error;
    this.release();
    target?.destroy(error);
  }

  #aborted(): EngineError {
    return engineErrors.error('ENGINE_ABORTED', `${this.#what} was called off`, {
      cause: this.#signal?.reason,
    });
  }

  #late(timeoutMs: number): EngineError {
    return engineErrors.error('ENGINE_TIMEOUT', `cannot ${this.#what}: no answer within ${timeoutMs} ms`, {
      details: { timeoutMs },
    });
  }
}
