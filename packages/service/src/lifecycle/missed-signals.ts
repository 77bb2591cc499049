/**
 * Signals that come before anybody can hear them. The first process of a container is not ended by a signal that it does
 * not handle: while Node starts, `docker stop` goes unheard, and the container is killed hard once its time is over. But
 * Node handles these signals itself until we do, once, and leaves two traces: its handler is gone after the first of them,
 * and the standard streams are as blocking as it found them (docs/decisions/0183).
 */
import { closeSync, constants as files, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import { constants } from 'node:os';

type Ending = 'SIGTERM' | 'SIGINT';

/** Does the process handle the signal? `status` is its `/proc/PID/status`; undefined where that does not tell. */
export function handles(status: string, signal: Ending): boolean | undefined {
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (caught === undefined) return undefined;
  return (BigInt(`0x${caught}`) & (1n << BigInt(constants.signals[signal] - 1))) !== 0n;
}

/** Calls back for each of the signals from here on, and for one that has come since Node began. */
export function hear<S extends Ending>(signals: readonly [S, ...S[]], heard: (signal: S) => void): void {
  // Other processes than the first one were ended by such a signal.
  const first = process.pid === 1;
  const watched = first && leaveStdinUnblocked();
  const status = first ? read('/proc/self/status') : undefined;
  for (const signal of signals) process.on(signal, () => heard(signal));
  if (status === undefined) return;
  const missed = signals.find((signal) => handles(status, signal) === false);
  if (missed !== undefined) heard(missed);
  // Which of them it was, nobody can tell; they mean the same.
  else if (watched && !isUnblocked(0)) heard(signals[0]);
}

/**
 * Without a terminal or a pipe a container reads from `/dev/null`, where this changes nothing else: it never lets anybody
 * wait. Node's handler takes it back. False where the container reads from something else.
 */
function leaveStdinUnblocked(): boolean {
  try {
    const [ours, nothing] = [fstatSync(0), statSync('/dev/null')];
    if (ours.dev !== nothing.dev || ours.ino !== nothing.ino) return false;
    closeSync(0);
    return openSync('/dev/null', files.O_RDONLY | files.O_NONBLOCK) === 0;
  } catch {
    return false;
  }
}

function isUnblocked(fd: number): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(read(`/proc/self/fdinfo/${fd}`) ?? '')?.[1];
  return flags === undefined || (Number.parseInt(flags, 8) & files.O_NONBLOCK) !== 0;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}
