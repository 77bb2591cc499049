/**
 * The storage life of a backend without an engine: the real leases, stores, retention and restore on a disk in memory. The
 * process can die, the power can fail and the disk can be full at any step; what starts again has only what was lasting.
 */
import type { VirtualClock } from '@berth/service';
import type { Lease, LeaseEvent, Owed } from '../lease/index.ts';
import { debtTask, type LeaseBook, type LeaseRegistry } from '../leases/index.ts';
import {
  allocationsOf,
  closeLease,
  demandOwnTenant,
  type RequestedItem,
  restore,
} from '../operations/index.ts';
import type { ResourcePool, SkuCatalogue } from '../placement/index.ts';
import type { Retention, RetentionConfig } from '../retention/index.ts';
import {
  type Kept,
  ReleaseStore,
  type RetentionStatus,
  RetentionStore,
  type StoreFile,
} from '../stores/index.ts';
import type { VolumeDoor, Volumes } from '../volumes/index.ts';
import { CountingMeter } from './counting-meter.ts';
import { Faults } from './faults.ts';
import { SimDisk, scratchSku } from './sim-disk.ts';
import { beginProcess, quiet, type StorageProcess } from './storage-process.ts';
import { storeFolder } from './store-folder.ts';
import { until } from './until.ts';

const catalogue: SkuCatalogue = {
  profiles: new Map([
    ['small', { cpuCores: 0.1, memoryMb: 16, diskMb: 100 }],
    ['large', { cpuCores: 0.1, memoryMb: 16, diskMb: 300 }],
    [scratchSku, { cpuCores: 0.1, memoryMb: 16, diskMb: 0 }],
  ]),
  mapping: new Map(),
};

export const hourMs = 3_600_000;

export const defaultConfig: RetentionConfig = {
  retainOnClose: true,
  retentionMaxAgeMs: 90 * 24 * hourMs,
  retentionReapIntervalMs: hourMs,
  retentionOrphanConfirmations: 3,
  maxRetainedLeasesPerTenant: 0,
  maxRetainedDiskMb: 0,
  maxRetainedDiskMbPerTenant: 0,
  retentionTenantBudgets: new Map(),
  retentionPartitionSource: '',
  catalogue,
};

const manifest = (services: readonly string[], env: Readonly<Record<string, string>> = {}): Uint8Array =>
  new TextEncoder().encode(
    JSON.stringify({
      services: Object.fromEntries(services.map((name) => [name, { image: 'registry.test/app:1', env }])),
    }),
  );

const mostTurns = 2000;
const turnsToDie = 6;

export class StorageWorld implements AsyncDisposable {
  readonly until = until;
  readonly faults = new Faults();
  readonly disk = new SimDisk(this.faults);
  readonly running = new Set<string>();
  readonly refuses = new Set<string>();
  readonly told: { readonly lease: string; readonly owed: Owed }[] = [];
  readonly metrics = new CountingMeter();
  config: RetentionConfig;
  /** What the manifests of new leases have in their environment. */
  env: Readonly<Record<string, string>> = {};
  readonly totalDiskMb: number;
  readonly #folder = storeFolder();
  readonly releases: ReleaseStore;
  readonly store: RetentionStore;
  #nowMs = Date.UTC(2026, 0, 1);
  #operations = 0;
  readonly #read = new Map<RetentionStatus, readonly Kept[]>();
  #process: StorageProcess;

  constructor(config: Partial<RetentionConfig> = {}, totalDiskMb = 1_000_000) {
    this.config = { ...defaultConfig, ...config };
    this.totalDiskMb = totalDiskMb;
    this.releases = new ReleaseStore(this.#folder.path('releases.db'));
    this.store = new RetentionStore(this.#folder.path('retention.db'));
    for (const { file, name } of [
      { file: this.releases.file, name: 'releases' },
      { file: this.store.file, name: 'retention' },
    ])
      this.#countCommits(file, name);
    this.#process = this.#begin();
  }

  /** The records in a state, as the store has them: read again only when something was written. */
  records(status: RetentionStatus): readonly Kept[] {
    const known = this.#read.get(status) ?? this.store.withStatus(status);
    this.#read.set(status, known);
    return known;
  }

  get book(): LeaseBook {
    return this.#process.book;
  }

  get pool(): ResourcePool {
    return this.#process.pool;
  }

  get registry(): LeaseRegistry {
    return this.#process.registry;
  }

  get retention(): Retention {
    return this.#process.retention;
  }

  get clock(): VirtualClock {
    return this.#process.clock;
  }

  get door(): VolumeDoor {
    return this.#process.door;
  }

  get volumes(): Volumes {
    return this.#process.volumes;
  }

  /** Every commit is a step that can go wrong before it, and right after it. */
  #countCommits(file: StoreFile, name: string): void {
    const commit = file.transaction.bind(file);
    file.transaction = <T>(work: () => T): T => {
      this.faults.reach(`commit ${name}`, 'before');
      const result = commit(work);
      this.#read.clear();
      this.faults.reach(`commit ${name}`, 'done');
      return result;
    };
  }

  #begin(): StorageProcess {
    return beginProcess(this, {
      nowMs: this.#nowMs,
      newOperationId: () => `op-${++this.#operations}`,
      tell: (lease, owed) => void this.told.push({ lease, owed }),
    });
  }

  /** The process ends here and now, with the power or without it, and another one begins. */
  async restart(power: boolean): Promise<void> {
    const { scope, clock } = this.#process;
    this.#nowMs = clock.now() + 1000;
    this.faults.kill();
    // What the old process waits for never comes; what it was about to do fails, and nobody hears of it.
    void scope.close();
    for (let turn = 0; turn < turnsToDie; turn++) await new Promise((resolve) => setImmediate(resolve));
    this.faults.reset();
    if (power) {
      this.disk.failPower();
      this.running.clear();
    }
    await this.startAgain();
  }

  /** What a start does, in its order. */
  async startAgain(): Promise<void> {
    this.#process = this.#begin();
    const { book, registry, retention: kept } = this.#process;
    kept.accounting.refresh();
    for (const { uuid, operation, closing } of [...book.values()])
      if (operation !== undefined || closing !== undefined)
        await this.#alive(registry.handled(uuid, { kind: 'resume' }));
    await this.#alive(kept.passes.atStart());
    await this.#alive(this.sweepOrphans());
    await this.#alive(kept.passes.reapExpired());
    kept.accounting.refresh();
  }

  /** Waits for what the process does, unless it dies. */
  async #alive(work: Promise<unknown>): Promise<void> {
    await this.ended(work.catch(() => undefined));
  }

  /** What nothing claims, and nobody has a reason to keep. */
  async sweepOrphans(): Promise<void> {
    await this.#process.orphans.run();
  }

  async provision(uuid: string, tenant: string, items: readonly RequestedItem[]): Promise<void> {
    const services = items.map(({ serviceName }) => serviceName);
    const allocations = allocationsOf(uuid, items, catalogue);
    const { book, pool, registry, volumes } = this.#process;
    await demandOwnTenant({ book, volumes, log: quiet }, uuid, tenant);
    const prepare = (current: Lease | undefined, operationId: string): LeaseEvent => {
      if (current !== undefined && current.status !== 'failed') throw new Error('exists');
      pool.reserve(uuid, tenant, allocations);
      const lease = {
        uuid,
        tenant,
        provider: 'p',
        callbackUrl: 'http://127.0.0.1/',
        items,
        images: {},
        allocations,
        lastRelease: this.releases.highestVersion(uuid),
      };
      return { name: 'ProvisionRequested', operationId, lease, manifest: manifest(services, this.env) };
    };
    await registry.request(
      uuid,
      { prepare, refusal: () => new Error('refused') },
      new AbortController().signal,
    );
  }

  async close(uuid: string): Promise<void> {
    const { book, registry } = this.#process;
    const context = {
      book,
      registry,
      releases: this.releases,
      store: this.store,
      volumes: this.volumes,
      rules: { catalogue },
      log: quiet,
    };
    await closeLease(context, uuid, new AbortController().signal);
  }

  /** Somebody removes all containers of a lease, and that is found out. */
  async dropContainers(uuid: string): Promise<void> {
    const basis = this.book.get(uuid);
    if (basis === undefined) throw new Error(`there is no lease ${uuid}`);
    this.running.delete(uuid);
    await this.registry.handled(uuid, {
      kind: 'fact',
      event: { name: 'ContainersRemoved' },
      basis,
      logs: {},
    });
  }

  async restore(from: string, uuid: string, tenant: string, items: readonly RequestedItem[]): Promise<void> {
    const { book, registry, pool, retention: kept } = this.#process;
    await restore(
      {
        rules: { catalogue, allowedRegistries: ['registry.test'] },
        book,
        registry,
        pool,
        releases: this.releases,
        store: this.store,
        retention: kept,
        volumes: this.volumes,
        meter: this.metrics.meter,
        log: quiet,
      },
      {
        leaseUuid: uuid,
        fromLeaseUuid: from,
        tenant,
        providerUuid: 'p',
        items,
        callbackUrl: 'http://127.0.0.1/',
      },
      new AbortController().signal,
    );
  }

  /** Resolves when the work has ended, or when the process is dead. */
  async ended(work: Promise<unknown>): Promise<void> {
    let done = false;
    const finished = work.finally(() => {
      done = true;
    });
    await until('the work has ended', () => done || this.faults.dead);
    if (done) await finished;
    else finished.catch(() => undefined);
  }

  /** Nothing is going on any more, or the process is dead. What waits for a time gets it. */
  async idle(): Promise<void> {
    let still = 0;
    for (let turn = 1; still < 3 && !this.faults.dead; turn++) {
      if (turn > mostTurns) throw new Error('it does not become quiet');
      await new Promise((resolve) => setImmediate(resolve));
      still = this.#isBusy() ? 0 : still + 1;
      if (turn % 20 === 0) await this.clock.advance(6000);
    }
  }

  #isBusy(): boolean {
    const { depths } = this.registry.sample();
    return (
      this.registry.busy ||
      depths.some((depth) => depth > 0) ||
      this.#process.scope.running.some((task) => task.includes(debtTask)) ||
      [...this.book.values()].some(({ operation }) => operation !== undefined)
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    void this.#process.scope.close();
    this.faults.reset();
    await new Promise((resolve) => setImmediate(resolve));
    this.releases.file.close();
    this.store.file.close();
    this.#folder[Symbol.dispose]();
  }
}
