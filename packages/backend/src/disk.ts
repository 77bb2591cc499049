/** The data volumes as the program has them: who owns them, what they may hold, and what belongs to nobody. */
import { type Clock, every, type Scope } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import type { Config } from './config/index.ts';
import type { LeaseBook } from './leases/index.ts';
import type { BackendInstruments } from './metrics/index.ts';
import { orphanWitnesses } from './orphan-witnesses.ts';
import { keptQuotas, RetentionClaims } from './retention/index.ts';
import type { ReleaseStore, RetentionStore } from './stores/index.ts';
import {
  backfillQuotas,
  coverEscapes,
  liveClaims,
  liveQuotas,
  type OpenVolumes,
  OrphanSweep,
  openVolumes,
} from './volumes/index.ts';
import type { Workload } from './workload/index.ts';

interface DiskOptions {
  readonly config: Config;
  readonly log: Log;
}

export interface OpenDiskOptions extends DiskOptions {
  /** Ends after all that works with volumes. */
  readonly scope: Scope;
  readonly book: LeaseBook;
  readonly releases: ReleaseStore;
  readonly retention: RetentionStore;
  readonly metrics: BackendInstruments;
}

/** The name under which the backend remembers its volume root. */
const rootFact = 'volume root';

export function openDisk(options: OpenDiskOptions): Promise<OpenVolumes> {
  const { config, log, scope, book, releases, retention: kept, metrics } = options;
  return openVolumes({
    root: config.volumeDataPath,
    filesystem: config.volumeFilesystem,
    minAvgFileBytes: config.minAvgFileBytes,
    totalDiskMb: config.total.diskMb,
    backendName: config.name,
    claims: [liveClaims(book), new RetentionClaims(kept)],
    log,
    identity: {
      scope,
      known: { get: () => releases.fact(rootFact), set: (id) => releases.setFact(rootFact, id) },
    },
    meter: {
      refused: (site, reason) => metrics.destroyRefused.inc({ site, reason }),
      clearFailed: () => metrics.quotaClearFailed.inc(),
    },
  });
}

export interface TidyOptions extends DiskOptions {
  readonly metrics: BackendInstruments;
  readonly disk: OpenVolumes;
  readonly book: LeaseBook;
  readonly releases: ReleaseStore;
  readonly retention: RetentionStore;
  readonly work: Pick<Workload, 'listing'>;
}

/** When all leases are known again: the quotas of their volumes, and the volumes that belong to none of them. */
export async function tidyDisk(options: TidyOptions): Promise<OrphanSweep> {
  const { config, log, metrics, book, retention, disk } = options;
  const { volumes, door } = disk;
  const orphans = new OrphanSweep({ volumes, door, witnesses: () => orphanWitnesses(options), log });
  if (volumes.root === undefined) return orphans;
  const onEach = (outcome: 'applied' | 'failed'): void => metrics.quotaBackfill.inc({ outcome });
  await backfillQuotas({ volumes, log, onEach }, [
    () => liveQuotas(book.values(), config.containerTmpfsSizeMb),
    () => keptQuotas(retention),
  ]);
  const { listed, outcome } = await orphans.run();
  log.info('volumes looked through', { volumes: listed, destroyed: outcome.destroyed.length });
  return orphans;
}

const defaultOrphansMs = 3_600_000;

/** What becomes nobody's while the program runs is found, too, and not only at its next start. */
export function keepSweepingOrphans(
  scope: Scope,
  orphans: OrphanSweep,
  { config, log, clock, disk }: DiskOptions & { readonly clock: Clock; readonly disk: OpenVolumes },
): void {
  if (disk.volumes.root === undefined) return;
  every(scope, {
    name: 'look for volumes without an owner',
    clock,
    everyMs: config.retentionReapIntervalMs || config.retentionMaxAgeMs || defaultOrphansMs,
    atOnce: false,
    run: async () => void (await orphans.run()),
    onError: (error) =>
      log.warn('volumes without an owner could not be looked for', { error: errorText(error) }),
  });
}

/** How long a tenant can hold more than its quota where a file system lets it make what no quota covers. */
const escapeMs = 10_000;

/** Sets quotas again wherever something was made that they do not cover. */
export function guardQuotas(
  scope: Scope,
  {
    config,
    log,
    clock,
    book,
    retention,
    disk,
  }: Omit<TidyOptions, 'metrics' | 'releases' | 'work'> & { readonly clock: Clock },
): void {
  const { volumes } = disk;
  if (volumes.root === undefined) return;
  every(scope, {
    name: 'look for what no quota covers',
    clock,
    everyMs: escapeMs,
    atOnce: false,
    run: () =>
      coverEscapes({ volumes, log }, [
        () => liveQuotas(book.values(), config.containerTmpfsSizeMb),
        () => keptQuotas(retention),
      ]),
    onError: (error) => log.warn('volumes could not be looked through', { error: errorText(error) }),
  });
}
