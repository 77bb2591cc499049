/** Would a tool that we start hold CAP_SYS_ADMIN? Asked of what a child inherits, not of ourselves. */
import { readFile } from 'node:fs/promises';
import { filesystemErrors } from './errors.ts';
import type { QuotaKind } from './quota-volumes.ts';

const capSysAdmin = 1n << 21n;

export type CapabilityVerdict = 'held' | 'missing' | 'unknown';

/** `status` is the text of /proc/self/status. */
export function judgeCapability(status: string, effectiveUid: number): CapabilityVerdict {
  // Root's children get what the bounding set allows; others only what is in the ambient set.
  const field = effectiveUid === 0 ? 'CapBnd' : 'CapAmb';
  const hex = new RegExp(`^${field}:\\s*([0-9a-fA-F]{1,16})$`, 'm').exec(status)?.[1];
  if (hex === undefined) return 'unknown';
  return (BigInt(`0x${hex}`) & capSysAdmin) === 0n ? 'missing' : 'held';
}

/** Throws when the tools could not set quotas. `warn` hears of a probe that told nothing. */
export async function demandCapability(kind: QuotaKind, warn: (message: string) => void): Promise<void> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const verdict = judgeCapability(status, process.geteuid?.() ?? 0);
  if (verdict === 'missing') {
    throw filesystemErrors.error(
      'CAPABILITY_MISSING',
      `the ${kind} tools would run without CAP_SYS_ADMIN: a service that is not root needs AmbientCapabilities=CAP_SYS_ADMIN, root needs it in the bounding set; setcap ...+ep on the program is not enough`,
    );
  }
  if (verdict === 'unknown')
    warn(`could not find out whether the ${kind} tools will hold CAP_SYS_ADMIN; going on`);
}
