/** The data volumes as the program has them: who owns them, what they may hold, and what belongs to nobody. */
import { type Clock, every, type Scope } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import type { Config } from './config/index.ts';
import type { LeaseBook } from './leases/index.ts';
import type { BackendInstruments } from './metrics/index.ts';
import { orphanWitnesses } from './orphan-witnesses.ts';
import { Ownerless } from './ownerless.ts';
import type { ResourcePool } from './placement/index.ts';
import { keptQuotas, RetentionClaims } from './retention/index.ts';
import { type ReleaseStore, type RetentionStore, rootFact } from './stores/index.ts';
import {
  backfillQuotas,
  coverEscapes,
  type DiskDoors,
  liveClaims,
  liveQuotas,
  type OpenVolumes,
  OrphanSweep,
  openVolumes,
  RoomWatch,
  type Swept,
} from './volumes/index.ts';
import { backfillWitnesses } from './witness-backfill.ts';
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
  readonly doors?: { readonly disk?: DiskDoors } | undefined;
}

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
    doors: options.doors?.disk,
    scope,
    known: { get: () => releases.fact(rootFact), set: (id) => releases.setFact(rootFact, id) },
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
  readonly pool: ResourcePool;
}

/**
 * When all leases are known again: the quotas and labels of their volumes, and the volumes that belong to none of them. Hands
 * back what has to be done of that from time to time.
 */
export async function tidyDisk(options: TidyOptions): Promise<() => Promise<void>> {
  const { config, log, metrics, book, retention, disk, pool } = options;
  const { volumes, door } = disk;
  if (volumes.root === undefined) return async () => undefined;
  const onEach = (outcome: 'applied' | 'failed'): void => metrics.quotaBackfill.inc({ outcome });
  await backfillQuotas({ volumes, log, onEach }, [
    () => liveQuotas(book.values(), config.containerTmpfsSizeMb),
    () => keptQuotas(retention),
  ]);
  await backfillWitnesses({ ...options, volumes });
  const orphans = new OrphanSweep({ volumes, door, witnesses: () => orphanWitnesses(options), log });
  const ownerless = new Ownerless({ volumes, book, retention, log });
  const look = async (): Promise<Swept> => {
    const swept = await orphans.run();
    pool.ownerlessDiskMb = await ownerless.diskMb(swept);
    return swept;
  };
  const { listed, outcome } = await look();
  log.info('volumes looked through', { volumes: listed, destroyed: outcome.destroyed.length });
  const room = new RoomWatch(volumes.root, pool, log);
  return async () => {
    await look();
    await room.look();
  };
}

const defaultLookMs = 3_600_000;

/** What becomes nobody's while the program runs is found, too, and not only at its next start. */
export function keepTidying(
  scope: Scope,
  tidy: () => Promise<void>,
  { config, log, clock, disk }: DiskOptions & { readonly clock: Clock; readonly disk: OpenVolumes },
): void {
  if (disk.volumes.root === undefined) return;
  every(scope, {
    name: 'look through the volumes',
    clock,
    everyMs: config.retentionReapIntervalMs || config.retentionMaxAgeMs || defaultLookMs,
    atOnce: false,
    run: tidy,
    onError: (error) => log.warn('the volumes could not be looked through', { error: errorText(error) }),
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
  }: Omit<TidyOptions, 'metrics' | 'releases' | 'work' | 'pool'> & { readonly clock: Clock },
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
