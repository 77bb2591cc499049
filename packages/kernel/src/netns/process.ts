/** Which process a number means. Numbers are given again: a process is its number and the moment it started. */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { errnoError, kernelErrors } from '../errors.ts';
import { linux, type Sys } from '../sys/index.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to its start, as text: the number may be larger than a double holds exactly. */
  readonly startTicks: string;
}

/** Reads which process has this number now. */
export function identifyProcess(pid: number): ProcessIdentity {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (cause) {
    throw processGone(pid, 'there is no such process', cause);
  }
  const startTicks = startTicksOf(text);
  if (startTicks === undefined) {
    throw kernelErrors.error('KERNEL_MALFORMED', `/proc/${pid}/stat does not name a start time`, {
      details: { pid },
    });
  }
  return { pid, startTicks };
}

/** Field 22 of a stat line. The second field is the command, which may contain blanks and brackets itself. */
export function startTicksOf(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields[19];
  return ticks !== undefined && /^\d+$/.test(ticks) ? ticks : undefined;
}

/** Runs `use` and makes sure that the number meant this very process all the while. */
export function whileItLives<T>(identity: ProcessIdentity, use: () => T, sys: Sys = linux): T {
  const { pid } = identity;
  const pidfd = sys.pidfdOpen(pid);
  if (pidfd === -constants.errno.ESRCH) throw processGone(pid, 'there is no such process');
  // Without pidfds (before Linux 5.3) the start time alone has to do.
  if (pidfd < 0 && pidfd !== -constants.errno.ENOSYS)
    throw errnoError(-pidfd, `holding process ${pid}`, { details: { pid } });
  try {
    expectSame(identity);
    const result = use();
    if (pidfd >= 0 && sys.pidfdProbe(pidfd) < 0) throw processGone(pid, 'it ended meanwhile');
    expectSame(identity);
    return result;
  } finally {
    if (pidfd >= 0) sys.close(pidfd);
  }
}

function expectSame(identity: ProcessIdentity): void {
  if (identifyProcess(identity.pid).startTicks !== identity.startTicks) {
    throw processGone(identity.pid, 'its number belongs to another process now');
  }
}

export function processGone(pid: number, why: string, cause?: unknown): Error {
  return kernelErrors.error('PROCESS_GONE', `process ${pid} is gone: ${why}`, { details: { pid }, cause });
}
