/** The data volumes as the program has them: who owns them, what they may hold, and what belongs to nobody. */
import { type Clock, every, type Scope } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import type { Config } from './config/index.ts';
import type { LeaseBook } from './leases/index.ts';
import type { BackendInstruments } from './metrics/index.ts';
import { parseVolume } from './names/index.ts';
import { keptQuotas, RetentionClaims } from './retention/index.ts';
import type { ReleaseStore, RetentionStore } from './stores/index.ts';
import {
  backfillQuotas,
  coverEscapes,
  liveClaims,
  liveQuotas,
  type OpenVolumes,
  openVolumes,
  sweepOrphans,
  type Witness,
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
export async function tidyDisk(options: TidyOptions): Promise<void> {
  const { config, log, metrics, book, releases, retention, disk, work } = options;
  const { volumes, door } = disk;
  if (volumes.root === undefined) return;
  const onEach = (outcome: 'applied' | 'failed'): void => metrics.quotaBackfill.inc({ outcome });
  await backfillQuotas({ volumes, log, onEach }, [
    () => liveQuotas(book.values(), config.containerTmpfsSizeMb),
    () => keptQuotas(retention),
  ]);
  const { containers, unreadable } = await work.listing.all();
  const standing = new Set(containers.map(({ lease }) => lease));
  const witnesses: readonly Witness[] = [
    (name) => hasRelease(releases, leaseOf(name)),
    (name) => wasDropped(releases, leaseOf(name)),
    (name) => (standing.has(leaseOf(name)) ? 'a container of its lease is there' : undefined),
    () =>
      unreadable.length > 0 ? 'there are containers of which it cannot be told whose they are' : undefined,
  ];
  const { listed, outcome } = await sweepOrphans({ volumes, door, witnesses, log });
  log.info('volumes looked through', { volumes: listed, destroyed: outcome.destroyed.length });
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

const leaseOf = (name: Parameters<Witness>[0]): string => parseVolume(name)?.lease ?? '';

/** A lease whose containers somebody else has removed still has what it ran in its history. In doubt it has. */
function hasRelease(releases: ReleaseStore, lease: string): string | undefined {
  try {
    return releases.latestActive(lease) === undefined ? undefined : 'its lease has an active release';
  } catch (error) {
    return `the releases of its lease cannot be read: ${errorText(error)}`;
  }
}

/** One that nobody has closed since, whatever its history says. */
const wasDropped = (releases: ReleaseStore, lease: string): string | undefined =>
  releases.droppedRow(lease) === undefined
    ? undefined
    : 'the containers of its lease were removed by somebody else, and the lease was never closed';
