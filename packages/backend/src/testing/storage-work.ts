/** The work of leases on volumes, with containers that are only remembered: what an engine does takes no time here. */
import type { Lease } from '../lease/index.ts';
import type { DeprovisionResult, LeaseWork, ProvisionResult, ReplaceResult } from '../leases/index.ts';
import type { VolumeName } from '../names/index.ts';
import type { Retention } from '../retention/index.ts';
import { type VolumeDoor, type Volumes, volumesStay } from '../volumes/index.ts';
import { type SimDisk, simBackend } from './sim-disk.ts';

/** Size of a volume that holds nothing but content of the image. */
const scratchMb = 64;

export interface StorageWorkContext {
  readonly disk: SimDisk;
  readonly volumes: Volumes;
  readonly door: VolumeDoor;
  /** Leases whose containers run; they do not end with our process. */
  readonly running: Set<string>;
  readonly retention: () => Retention;
  /** The engine refuses to start anything for this lease. */
  readonly refuses: Set<string>;
}

export class StorageWork implements LeaseWork {
  readonly #context: StorageWorkContext;

  constructor(context: StorageWorkContext) {
    this.#context = context;
  }

  async provision(lease: Lease): Promise<ProvisionResult> {
    const made: VolumeName[] = [];
    try {
      await this.#context.retention().takingBack.into(lease);
      await this.#volumes(lease, made);
      await this.#up(lease);
    } catch (error) {
      this.#context.running.delete(lease.uuid);
      const operation = this.#context.door.operation(lease.uuid);
      const { leftOnDisk } = await operation.destroy('provision_cleanup', made);
      const failure = {
        reason: 'ContainerExited',
        message: 'volume creation failed',
        detail: String(error),
      } as const;
      return { kind: 'failed', failure, logs: {}, left: leftOnDisk, stays: await this.staysOf(lease) };
    }
    return { kind: 'provisioned', items: lease.items };
  }

  async replace(lease: Lease): Promise<ReplaceResult> {
    const { running, door, volumes } = this.#context;
    const { restoring } = this.#context.retention();
    try {
      await restoring.demandAdopted(lease.uuid);
      await this.#volumes(lease, []);
      await this.#up(lease);
      return { kind: 'replaced', images: lease.images };
    } catch (error) {
      const failure = { reason: 'RestoreFailed', message: 'restore failed', detail: String(error) } as const;
      running.delete(lease.uuid);
      const givenBack = await restoring.failed(lease.uuid);
      const made = await volumes.ofLease(lease.uuid);
      const { leftOnDisk } = await door.operation(lease.uuid).destroy('provision_cleanup', made);
      return { kind: 'failed', failure, logs: {}, left: !givenBack || leftOnDisk };
    }
  }

  async deprovision(lease: Lease): Promise<DeprovisionResult> {
    const { retention, running, disk } = this.#context;
    const { closing } = retention();
    const failed = (detail: string): DeprovisionResult => ({
      kind: 'failed',
      failure: { reason: 'CleanupFailed', message: 'cleanup failed', detail },
    });
    try {
      closing.begin(lease);
    } catch (error) {
      return failed(String(error));
    }
    await disk.faults.pass(`containers of ${lease.uuid} end`, 'before');
    running.delete(lease.uuid);
    await disk.faults.pass(`containers of ${lease.uuid} end`, 'done');
    const closed = await closing.volumesOf(lease);
    if (closed.kind === 'gone') return { kind: 'closed', retained: closed.retained };
    if (closed.kind === 'failed') return failed(closed.detail);
    return {
      kind: 'exhausted',
      failure: {
        reason: 'VolumeCleanupExhausted',
        message: 'volume cleanup exhausted',
        detail: closed.detail,
      },
    };
  }

  async #volumes(lease: Lease, made: VolumeName[]): Promise<void> {
    const { volumes } = this.#context;
    for (const { serviceName: service, quantity, sku } of lease.items)
      for (let index = 0; index < quantity; index++) {
        const diskMb = lease.allocations.find((one) => one.sku === sku)?.diskMb ?? 0;
        const { uuid, tenant, provider } = lease;
        const sizeMb = diskMb || scratchMb;
        const place = { lease: uuid, tenant, provider, service, index };
        const owner = { backend: simBackend, ...place, sku, sizeMb, createdAtMs: 0 };
        const { name, created } = await volumes.obtain(owner);
        if (created) made.push(name);
      }
  }

  async #up(lease: Lease): Promise<void> {
    const { disk, running, refuses } = this.#context;
    await disk.faults.pass(`containers of ${lease.uuid} start`, 'before');
    if (refuses.has(lease.uuid)) throw new Error('the container does not start');
    running.add(lease.uuid);
    await disk.faults.pass(`containers of ${lease.uuid} start`, 'done');
  }

  async diagnose(): Promise<{ detail: string; logs: Record<string, string> }> {
    return { detail: '', logs: {} };
  }

  async confirmDeath(): Promise<undefined> {
    return undefined;
  }

  async rediscover(): Promise<undefined> {
    return undefined;
  }

  async tidy(): Promise<void> {
    return undefined;
  }

  staysOf(lease: Lease): Promise<readonly string[]> {
    return volumesStay(this.#context.volumes, lease);
  }

  async findDeath(): Promise<undefined> {
    return undefined;
  }
}
