/**
 * One process of a storage world: the real leases, retention and restore, wired as a start of the program wires them. All that
 * outlives it belongs to the world.
 */
import { Scope, VirtualClock } from '@berth/service';
import { createLog } from '@berth/service/log';
import type { Owed } from '../lease/index.ts';
import { LeaseBook, LeaseRegistry } from '../leases/index.ts';
import { orphanWitnesses } from '../orphan-witnesses.ts';
import { ResourcePool } from '../placement/index.ts';
import {
  type Retention,
  RetentionClaims,
  type RetentionConfig,
  recordCopies,
  retention,
} from '../retention/index.ts';
import { GroupCommit, type ReleaseStore, type RetentionStore } from '../stores/index.ts';
import { liveClaims, OrphanSweep, type VolumeDoor, type Volumes } from '../volumes/index.ts';
import type { CountingMeter } from './counting-meter.ts';
import type { Faults } from './faults.ts';
import { type SimDisk, simVolumes } from './sim-disk.ts';
import { StorageWork } from './storage-work.ts';

export interface StorageProcess {
  readonly scope: Scope;
  readonly book: LeaseBook;
  readonly pool: ResourcePool;
  readonly registry: LeaseRegistry;
  readonly retention: Retention;
  readonly clock: VirtualClock;
  readonly volumes: Volumes;
  readonly door: VolumeDoor;
  readonly orphans: OrphanSweep;
}

/** What a process finds when it begins, and leaves when it dies. */
interface Lasting {
  readonly faults: Faults;
  readonly disk: SimDisk;
  readonly releases: ReleaseStore;
  readonly store: RetentionStore;
  readonly metrics: CountingMeter;
  readonly config: RetentionConfig;
  readonly totalDiskMb: number;
  /** Leases whose containers run. */
  readonly running: Set<string>;
  /** Leases for which the engine starts nothing. */
  readonly refuses: Set<string>;
}

interface Surroundings {
  readonly nowMs: number;
  readonly newOperationId: () => string;
  readonly tell: (lease: string, owed: Owed) => void;
}

export const quiet = createLog({
  level: 'error',
  format: () => '',
  sink: { write: () => undefined, flush: () => undefined, takeDropped: () => 0 },
});

export function beginProcess(
  { faults, disk, releases, store, metrics, config, totalDiskMb, running, refuses }: Lasting,
  { nowMs, newOperationId, tell }: Surroundings,
): StorageProcess {
  const scope = new Scope('storage', () => undefined);
  const clock = new VirtualClock(nowMs);
  const book = new LeaseBook(releases, new GroupCommit(releases.file));
  const pool = new ResourcePool({ cpuCores: 1e6, memoryMb: 1e9, diskMb: totalDiskMb });
  const { owed } = book.load();
  for (const { uuid, tenant, allocations } of book.values()) pool.adopt(uuid, tenant, allocations);
  pool.strandedDiskMb = book.droppedDiskMb;
  const claims = [liveClaims(book), new RetentionClaims(store)];
  const { volumes, door } = simVolumes(disk, claims, quiet);
  const kept: Retention = retention({
    store,
    volumes,
    door,
    copies: recordCopies(undefined),
    leases: book,
    releases,
    pool,
    teardown: async (lease) => {
      await faults.pass(`containers of ${lease} end`, 'before');
      running.delete(lease);
    },
    config,
    clock,
    meter: metrics.meter,
    log: quiet,
    spawn: (name, work) => void scope.spawn(name, work),
  });
  const work = new StorageWork({ disk, running, refuses, volumes, door, retention: () => kept });
  const deliver = (lease: string, debt: Owed): void => {
    if (!faults.dead) tell(lease, debt);
  };
  const registry = new LeaseRegistry({
    scope,
    clock,
    log: quiet,
    book,
    pool,
    work,
    newOperationId,
    outlets: {
      keepDiagnostics: async () => undefined,
      dropDiagnostics: async () => undefined,
      settleRestore: (uuid) => kept.restoring.settle(uuid),
      enqueue: async () => undefined,
      deliver,
      deliverUnstored: deliver,
    },
    meter: {
      transition: () => undefined,
      actorCreated: () => undefined,
      actorPanicked: () => metrics.count('panics'),
      workPanicked: () => metrics.count('panics'),
      outcomeDropped: () => undefined,
      deathDropped: () => undefined,
    },
  });
  for (const [uuid, debt] of owed) registry.tryPost(uuid, { kind: 'settle', owed: debt });
  const containers = (): { readonly lease: string }[] => Array.from(running, (lease) => ({ lease }));
  const listing = { all: async () => ({ containers: containers(), unreadable: [] }) };
  const witnesses = () => orphanWitnesses({ releases, work: { listing } });
  const orphans = new OrphanSweep({ volumes, door, witnesses, log: quiet });
  return { scope, book, pool, registry, retention: kept, clock, volumes, door, orphans };
}
