/**
 * Signals that came before anybody could hear them. The first process of a container is not ended by a signal that it does
 * not handle: while Node starts, `docker stop` goes unheard, and the container is killed hard once its time is over. But
 * Node handles these signals itself until we do, once: its handler is gone after the first of them.
 */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

type Ending = 'SIGTERM' | 'SIGINT';

/** Does the process handle the signal? `status` is its `/proc/PID/status`; undefined where that does not tell. */
export function handles(status: string, signal: Ending): boolean | undefined {
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (caught === undefined) return undefined;
  return (BigInt(`0x${caught}`) & (1n << BigInt(constants.signals[signal] - 1))) !== 0n;
}

/** `status` is that of a process that has set no handler of its own yet. */
export const signalsNoLongerCaught = (status: string, signals: readonly Ending[]): readonly Ending[] =>
  signals.filter((signal) => handles(status, signal) === false);

/** Ask before the first handler is set. Other processes than the first one were ended by such a signal. */
export function missedSignals(signals: readonly Ending[]): readonly Ending[] {
  if (process.pid !== 1) return [];
  try {
    return signalsNoLongerCaught(readFileSync('/proc/self/status', 'utf8'), signals);
  } catch {
    return [];
  }
}
