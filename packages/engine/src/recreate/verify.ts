import { sleep } from '@berth/service';
import type { ContainerDetails } from '../containers/index.ts';
import { find, type RecreateDoor } from './door.ts';

export interface VerifyOptions {
  /** A container that ends within this time after its start was never up. Default: one second. */
  readonly settleMs?: number | undefined;
  /** What else has to hold. Rejects where it does not. */
  readonly verify?: ((replacement: ContainerDetails) => Promise<void>) | undefined;
}

const SETTLE_MS = 1000;

/** Why the container is not fit to take over; undefined if it is. Throws only where the engine cannot be asked. */
export async function whyUnfit(
  door: RecreateDoor,
  id: string,
  networks: readonly string[],
  { settleMs = SETTLE_MS, verify }: VerifyOptions,
): Promise<string | undefined> {
  const first = await find(door, id);
  const missing = networks.filter((name) => first?.attachments[name]?.endpointId === undefined);
  const atOnce = whyNotRunning(first);
  if (atOnce !== undefined) return atOnce;
  if (missing.length > 0) return `it is not on the network ${missing.join(', ')}`;
  await sleep(door.clock, settleMs);
  const second = await find(door, id);
  const later = whyNotRunning(second);
  if (second === undefined || later !== undefined) return later;
  if (second.state.startedAt !== first?.state.startedAt) return 'it did not stay up';
  return verify?.(second).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

function whyNotRunning(container: ContainerDetails | undefined): string | undefined {
  if (container === undefined) return 'it is gone';
  const { status, running, restarting, exitCode, error } = container.state;
  if (running && !restarting && container.restartCount === 0) return undefined;
  const what = status === 'exited' ? `it ended with ${exitCode}` : `it is ${status}`;
  return error === undefined ? what : `${what}: ${error}`;
}
