/** Keeps a watch over the kernel open for as long as a scope lives. */
import type { Clock, Scope } from '@berth/service';
import type { Log } from '@berth/service/log';
import { processMessages } from './messages/index.ts';
import { pause } from './wakeup.ts';

const reopenPauseMs = 2_000;

export function watchRepeatedly(
  scope: Scope,
  name: string,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  open: (onFailure: (error: unknown) => void) => Disposable,
): void {
  scope.spawn(name, async (signal) => {
    while (!signal.aborted) {
      const ended = Promise.withResolvers<unknown>();
      const stop = (): void => ended.resolve(undefined);
      signal.addEventListener('abort', stop, { once: true });
      try {
        using _watch = open(ended.resolve);
        const err = await ended.promise;
        if (!signal.aborted) log.say(processMessages.watchFailed, { err });
      } catch (err) {
        log.say(processMessages.watchFailed, { err });
      } finally {
        signal.removeEventListener('abort', stop);
      }
      await pause(clock, reopenPauseMs, signal);
    }
  });
}
