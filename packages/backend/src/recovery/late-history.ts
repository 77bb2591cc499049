/**
 * A lease that was rebuilt from its containers before the history of an earlier program was brought over runs something that it
 * does not know, and could not be restarted. When the history is there, the lease takes up what it says.
 */
import type { Log } from '@berth/service/log';
import type { Owed } from '../lease/index.ts';
import type { LeaseBook } from '../leases/index.ts';
import { imagesOf } from '../operations/index.ts';
import type { ReleaseStore } from '../stores/index.ts';
import { knownRelease } from '../workload/index.ts';

export interface LateHistoryContext {
  readonly book: LeaseBook;
  readonly releases: Pick<ReleaseStore, 'latestActive' | 'highestVersion'>;
  readonly log: Log;
  readonly now: () => number;
}

/** `owed`: what callers have not been told yet stays owed. */
export async function takeUpHistory(
  { book, releases, log, now }: LateHistoryContext,
  owed: ReadonlyMap<string, Owed>,
): Promise<void> {
  for (const lease of [...book.values()]) {
    if (lease.release !== undefined || lease.operation !== undefined) continue;
    const { uuid } = lease;
    const known = knownRelease(releases, uuid, log);
    if (known === undefined) continue;
    const { version: release, stack } = known;
    const lastRelease = Math.max(lease.lastRelease, releases.highestVersion(uuid));
    await book.commit({
      uuid,
      lease: { ...lease, release, lastRelease, images: imagesOf(stack) },
      owed: owed.get(uuid),
      nowMs: now(),
    });
    log.info('a lease has taken up its release history', { lease_uuid: uuid, version: release });
  }
}
