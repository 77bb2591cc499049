/** What can be said of a container that failed, and what it printed: for operators, in bounds. */
import type { ContainerDetails, Containers } from '@berth/engine';
import type { Logs } from '../leases/index.ts';
import type { LeaseContainer } from './listing.ts';

const diagnosisLines = 20;
const diagnosisBytes = 4096;
const keptLines = 100;
const perContainerBytes = 5 * 1024 * 1024;
const perLeaseBytes = 32 * 1024 * 1024;

export const cutContainer = '[log truncated: exceeded 5 MiB limit]';
export const cutLease = '[log truncated: aggregate log size limit reached]';
const unavailable = '<log unavailable>';

/** `exit_code=1, oom_killed=true; logs:` and the last lines, 4096 bytes at most. */
export async function diagnosis(
  containers: Pick<Containers, 'logs'>,
  { id, state }: Pick<ContainerDetails, 'id' | 'state'>,
  signal: AbortSignal,
): Promise<string> {
  const facts = `exit_code=${state.exitCode}${state.oomKilled ? ', oom_killed=true' : ''}`;
  const tail = await containers.logs(id, { tail: diagnosisLines }, { signal }).catch(() => undefined);
  const text = tail === undefined || tail.text === '' ? facts : `${facts}; logs:\n${tail.text}`;
  return cut(text, diagnosisBytes, '...');
}

/** The last lines of each container, as many as fit. */
export async function capturedLogs(
  containers: Pick<Containers, 'logs'>,
  of: readonly LeaseContainer[],
  signal: AbortSignal,
): Promise<Logs> {
  return await readLogs(containers, of, keptLines, signal, 'stop');
}

/** What a tenant reads: a marker stands for what was cut, and for each container that is left out. */
export async function tenantLogs(
  containers: Pick<Containers, 'logs'>,
  of: readonly LeaseContainer[],
  tail: number,
  signal: AbortSignal,
): Promise<Logs> {
  return await readLogs(containers, of, tail, signal, 'mark');
}

async function readLogs(
  containers: Pick<Containers, 'logs'>,
  of: readonly LeaseContainer[],
  tail: number,
  signal: AbortSignal,
  beyond: 'stop' | 'mark',
): Promise<Logs> {
  const logs: Record<string, string> = {};
  let left = perLeaseBytes;
  for (const { id, service, index } of of) {
    const key = `${service}/${index}`;
    if (left <= 0) {
      if (beyond === 'stop') break;
      logs[key] = cutLease;
      continue;
    }
    const text = await one(containers, id, tail, signal);
    const bytes = Buffer.byteLength(text);
    logs[key] = bytes <= left ? text : `${cut(text, left, '')}\n${cutLease}`;
    left -= bytes;
  }
  return logs;
}

async function one(
  containers: Pick<Containers, 'logs'>,
  id: string,
  tail: number,
  signal: AbortSignal,
): Promise<string> {
  try {
    const { text, truncated } = await containers.logs(id, { tail, maxBytes: perContainerBytes }, { signal });
    return truncated ? `${text}\n${cutContainer}` : text;
  } catch {
    return unavailable;
  }
}

/** At most so many bytes, the ending included, never inside a character. */
export function cut(text: string, bytes: number, ending: string): string {
  const all = Buffer.from(text);
  if (all.length <= bytes) return text;
  let end = Math.max(0, bytes - Buffer.byteLength(ending));
  while (end > 0 && ((all[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${all.subarray(0, end).toString('utf8')}${ending}`;
}
