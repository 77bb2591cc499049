import { type Clock, sleep } from '../clock.ts';
import { report } from '../report.ts';
import type { Scope } from '../scope.ts';

export interface EveryOptions {
  readonly name: string;
  readonly clock: Pick<Clock, 'after'>;
  /** The pause between the end of a round and the beginning of the next one. */
  readonly everyMs: number;
  /** Is there a round at once, or only after the first pause? */
  readonly atOnce: boolean;
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Hears of a round that failed; the next one comes all the same. Must not throw. */
  readonly onError: (error: unknown) => void;
}

/** Rounds at intervals, never two at once, until the scope ends. */
export function every(scope: Scope, { name, clock, everyMs, atOnce, run, onError }: EveryOptions): void {
  scope.spawn(name, async (signal) => {
    if (!atOnce) await sleep(clock, everyMs, signal);
    for (;;) {
      try {
        await run(signal);
      } catch (error) {
        if (signal.aborted) throw error;
        report(() => onError(error));
      }
      await sleep(clock, everyMs, signal);
    }
  });
}
