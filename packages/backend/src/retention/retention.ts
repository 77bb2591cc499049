/** Keeps the data of closed leases: puts its parts together. */
import { type Clock, every, KeyedSerial, type Scope } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import type { Config } from '../config/index.ts';
import { parseVolume, type VolumeName } from '../names/index.ts';
import type { ResourcePool } from '../placement/index.ts';
import type { RetentionStore } from '../stores/index.ts';
import { Accounting } from './accounting.ts';
import { RetentionClaims } from './claims.ts';
import { Closing } from './closing.ts';
import type { RecordCopies } from './copies.ts';
import { Finalizer } from './finalizer.ts';
import { Keeping } from './keeping.ts';
import { Orphans } from './orphans.ts';
import { sourceFrom } from './partition.ts';
import { Passes } from './passes.ts';
import type {
  DoorPort,
  LeasesPort,
  ReleasesPort,
  RetentionMeter,
  TeardownPort,
  VolumesPort,
} from './ports.ts';
import { Restoring } from './restoring.ts';
import { Rollback } from './rollback.ts';
import { TakingBack } from './taking-back.ts';

export type RetentionConfig = Pick<
  Config,
  | 'retainOnClose'
  | 'retentionMaxAgeMs'
  | 'retentionReapIntervalMs'
  | 'retentionOrphanConfirmations'
  | 'maxRetainedLeasesPerTenant'
  | 'maxRetainedDiskMb'
  | 'maxRetainedDiskMbPerTenant'
  | 'retentionTenantBudgets'
  | 'retentionPartitionSource'
  | 'catalogue'
>;

export interface RetentionOptions {
  readonly store: RetentionStore;
  readonly volumes: VolumesPort;
  readonly door: DoorPort;
  readonly leases: LeasesPort;
  readonly releases: ReleasesPort;
  readonly pool: ResourcePool;
  readonly copies: RecordCopies;
  readonly teardown: TeardownPort;
  readonly config: RetentionConfig;
  readonly clock: Clock;
  readonly meter: RetentionMeter;
  readonly log: Log;
  /** Runs something beside everything else. */
  readonly spawn: (name: string, work: () => Promise<void>) => void;
}

export interface Retention {
  readonly claims: RetentionClaims;
  readonly accounting: Accounting;
  readonly closing: Closing;
  readonly takingBack: TakingBack;
  readonly restoring: Restoring;
  readonly passes: Passes;
}

export function retention(options: RetentionOptions): Retention {
  const { store, volumes, config, releases, teardown, clock, log, spawn } = options;
  const locks = new KeyedSerial<string>();
  const accounting = new Accounting(options);
  const common = {
    ...options,
    locks,
    accounting,
    catalogue: config.catalogue,
    maxAgeMs: config.retentionMaxAgeMs,
  };
  const rollback = new Rollback(common);
  const finalizer = new Finalizer(common);
  const restoring = new Restoring({ ...common, rollback });
  const keeping = new Keeping({
    ...options,
    limits: config,
    source: sourceFrom(config.retentionPartitionSource),
    reapSoon: (leases) => spawn('destruction of evicted data', () => passes.reap(leases)),
  });
  const closing = new Closing({
    ...common,
    rollback,
    finalizer,
    keeping,
    releases,
    retainOnClose: config.retainOnClose,
  });
  const orphans = new Orphans({
    store,
    volumes,
    copies: options.copies,
    locks,
    confirmations: config.retentionOrphanConfirmations,
    meter: options.meter,
    log,
  });
  const passes: Passes = new Passes({
    ...common,
    closing,
    finalizer,
    restoring,
    orphans,
    teardown: (lease) => teardown(lease, 'restore_reconcile'),
    clock,
  });
  return {
    claims: new RetentionClaims(store),
    accounting,
    closing,
    takingBack: new TakingBack({ ...common, rollback }),
    restoring,
    passes,
  };
}

const defaultSweepMs = 3_600_000;

/** Looks after kept data from now on, if there can be any. */
export function keepSweeping(
  scope: Scope,
  { passes }: Retention,
  { config, clock, log }: Pick<RetentionOptions, 'config' | 'clock' | 'log'>,
): void {
  const { retentionMaxAgeMs: maxAgeMs, retentionReapIntervalMs: intervalMs, retainOnClose } = config;
  if (maxAgeMs <= 0 && !retainOnClose) return;
  every(scope, {
    name: 'sweep of kept data',
    clock,
    everyMs: intervalMs || maxAgeMs || defaultSweepMs,
    atOnce: false,
    run: () => passes.sweep(),
    onError: (error) => log.error('the sweep of kept data did not succeed', { error: errorText(error) }),
  });
}

/** Kept volumes of leases that the store does not know. Nobody destroys them, and nobody counts or restores them either. */
export function unknownKept(
  store: Pick<RetentionStore, 'kept'>,
  listed: readonly VolumeName[],
): readonly VolumeName[] {
  return listed.filter((name) => {
    const parsed = parseVolume(name);
    return parsed?.retained === true && store.kept(parsed.lease) === undefined;
  });
}

/**
 * Kept volumes, and a store that had never heard of any when it was first opened: it is lost, or what an earlier program knew
 * has not been brought over. Whoever destroyed anything now would do it in the dark. Undefined: nothing of the kind.
 */
export async function reasonToHold(
  store: RetentionStore,
  volumes: Pick<VolumesPort, 'list'>,
  nowMs: number,
): Promise<string | undefined> {
  if (store.knows('imported')) return undefined;
  const { length } = unknownKept(store, await volumes.list());
  if (length === 0 || (store.knows('records') && !store.knows('held'))) return undefined;
  // It stays so when this store gets records of its own.
  store.learn('held', nowMs);
  return `there are ${length} volumes of closed leases that the retention store does not know: it is lost, or was not imported`;
}
