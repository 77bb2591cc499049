import { setTimeout as pause } from 'node:timers/promises';
import { labErrors } from '../errors.ts';

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly everyMs?: number;
  /** Added to the message when the time is over: the last thing seen, the end of a log. */
  readonly evidence?: () => string;
}

/** Looks again and again until the answer is not undefined or false; says what was missing when the time is over. */
export async function waitFor<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  { timeoutMs, everyMs = 20, evidence }: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > deadline) {
      const seenLast = evidence === undefined ? '' : `\n${evidence()}`;
      throw labErrors.error('NOT_READY', `${what}: not within ${timeoutMs} ms${seenLast}`);
    }
    await pause(everyMs);
  }
}
