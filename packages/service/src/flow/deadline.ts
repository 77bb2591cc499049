import type { Clock } from '../clock.ts';
import { serviceErrors } from '../service-errors.ts';

export interface DeadlineOptions {
  readonly clock: Pick<Clock, 'after'>;
  readonly ms: number;
  /** What has to be done by then, for the error: `the image pull`. */
  readonly what: string;
  /** Ends it earlier, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs something that must be done in time. Its signal aborts at the deadline or with the outer signal, and the caller gets
 * the error at that moment, whether or not the task listens.
 */
export async function withDeadline<T>(
  { clock, ms, what, signal: outer }: DeadlineOptions,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted();
  const controller = new AbortController();
  const ended = Promise.withResolvers<never>();
  const end = (reason: unknown): void => {
    controller.abort(reason);
    ended.reject(reason);
  };
  const onOuter = (): void => end(outer?.reason);
  outer?.addEventListener('abort', onOuter, { once: true });
  const timer = clock.after(ms, () =>
    end(serviceErrors.error('DEADLINE_PASSED', `${what} took longer than ${ms} ms`)),
  );
  try {
    return await Promise.race([run(controller.signal), ended.promise]);
  } finally {
    timer.cancel();
    outer?.removeEventListener('abort', onOuter);
  }
}

/** Resolves when the signal aborts: for a main function that has nothing more to do than to live. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
