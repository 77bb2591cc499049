import { type Clock, serviceErrors } from '@berth/service';

export interface TimeLimit extends Disposable {
  /** Aborts when the time is over, or with the outer signal. */
  readonly signal: AbortSignal;
}

/** A limit for work of many steps, each of which takes the signal. */
export function timeLimit(
  clock: Pick<Clock, 'after'>,
  ms: number,
  what: string,
  outer?: AbortSignal,
): TimeLimit {
  const controller = new AbortController();
  const timer = clock.after(ms, () =>
    controller.abort(serviceErrors.error('DEADLINE_PASSED', `${what} took longer than ${ms} ms`)),
  );
  return {
    signal: outer === undefined ? controller.signal : AbortSignal.any([outer, controller.signal]),
    [Symbol.dispose]: () => timer.cancel(),
  };
}
