import { type Clock, sleep } from '../clock.ts';
import type { Backoff } from './backoff.ts';

export interface RetryOptions {
  readonly clock: Pick<Clock, 'after' | 'monotonic'>;
  readonly backoff: Backoff;
  readonly signal?: AbortSignal;
  /** Does it make sense to try again after this error? By default always. */
  readonly retryable?: (error: unknown) => boolean;
  /** How often it is tried at most, the first time included. */
  readonly attempts?: number;
  /** No attempt begins later than this after the first one. */
  readonly withinMs?: number;
  readonly onRetry?: (error: unknown, pauseMs: number) => void;
}

/** Tries until it works; gives up with the last error. Aborting ends a pause at once, with the signal's reason. */
export async function retry<T>(options: RetryOptions, attempt: (count: number) => Promise<T>): Promise<T> {
  const { clock, backoff, signal, retryable = () => true } = options;
  const { attempts = Number.POSITIVE_INFINITY, withinMs = Number.POSITIVE_INFINITY } = options;
  const startMs = clock.monotonic();
  for (let count = 1; ; count++) {
    signal?.throwIfAborted();
    try {
      const result = await attempt(count);
      backoff.reset();
      return result;
    } catch (error) {
      if (signal?.aborted || count >= attempts || !retryable(error)) throw error;
      const pauseMs = backoff.next();
      if (clock.monotonic() + pauseMs - startMs > withinMs) throw error;
      options.onRetry?.(error, pauseMs);
      await sleep(clock, pauseMs, signal);
    }
  }
}
