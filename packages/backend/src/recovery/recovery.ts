/** Makes leases and containers agree: once at the start, and from then on whenever something may have been missed. */
import { errorText, type Log } from '@berth/service/log';
import type { Lease, Owed } from '../lease/index.ts';
import type { LeaseBook, LeaseRegistry, Message } from '../leases/index.ts';
import type { ResourcePool, SkuCatalogue } from '../placement/index.ts';
import {
  type ContainerListing,
  type Evidence,
  type LeaseContainer,
  type Migration,
  type TenantNetworks,
  unusable,
} from '../workload/index.ts';
import { compare } from './comparison.ts';

export interface RecoveryContext {
  readonly book: LeaseBook;
  readonly registry: LeaseRegistry;
  readonly pool: ResourcePool;
  readonly listing: ContainerListing;
  readonly networks: TenantNetworks;
  readonly migration: Migration;
  readonly catalogue: SkuCatalogue;
  readonly evidence: Evidence;
  /** Gives leases that were rebuilt without a history the one that has come since. */
  readonly takeUpHistory: (owed: ReadonlyMap<string, Owed>) => Promise<void>;
  readonly isolation: boolean;
  readonly log: Log;
  readonly meter: {
    compared(outcome: 'success' | 'error'): void;
    deathDropped(): void;
  };
}

export class Recovery {
  readonly #context: RecoveryContext;

  constructor(context: RecoveryContext) {
    this.#context = context;
  }

  /** Takes everything up where the last process left it. When this resolves, every lease is what it is. */
  async start(): Promise<void> {
    const { book, pool, log } = this.#context;
    const { owed, unreadable } = book.load();
    for (const uuid of unreadable)
      log.error('the record of a lease cannot be read, its containers decide', { lease_uuid: uuid });
    for (const { uuid, tenant, allocations } of book.values()) pool.adopt(uuid, tenant, allocations);
    pool.strandedDiskMb = book.droppedDiskMb;
    await this.#context.takeUpHistory(owed);
    const { listing, migration } = this.#context;
    await migration.run((await listing.all()).containers);
    const { containers } = await listing.all();
    await this.#settleDebts(owed);
    await this.#agree([...book.values()], containers, true);
    await this.#resume();
    await this.#tidyNetworks();
    log.info('leases recovered', { leases: book.size, containers: containers.length });
  }

  /** One look at everything. What changes meanwhile is left for the next one. */
  async compare(): Promise<void> {
    const { book, listing, meter } = this.#context;
    try {
      const before = [...book.values()];
      const { containers } = await listing.all();
      const unchanged = before.filter((lease) => book.get(lease.uuid) === lease);
      await this.#agree(unchanged, containers, false);
      await this.#tidyNetworks();
      meter.compared('success');
    } catch (error) {
      meter.compared('error');
      throw error;
    }
  }

  async #settleDebts(owed: ReadonlyMap<string, Owed>): Promise<void> {
    const { registry } = this.#context;
    await Promise.all(
      Array.from(owed, ([uuid, debt]) => registry.handled(uuid, { kind: 'settle', owed: debt })),
    );
  }

  async #agree(leases: readonly Lease[], all: readonly LeaseContainer[], atStart: boolean): Promise<void> {
    const { book, registry, meter } = this.#context;
    const containers = all.filter((one) => this.#isUsable(one));
    const isKnown = (uuid: string): boolean => book.get(uuid) !== undefined;
    for (const { lease, message } of compare({ leases, containers, atStart, isKnown })) {
      if (atStart) await registry.handled(lease, await this.#withLogs(lease, message));
      else if (!registry.tryPost(lease, message) && message.kind === 'death') meter.deathDropped();
    }
  }

  /** What a dead container printed last is kept with the finding. */
  async #withLogs(uuid: string, message: Message): Promise<Message> {
    if (message.kind !== 'fact' || message.event.name !== 'FoundDead') return message;
    return { ...message, logs: await this.#context.evidence.logs({ uuid }) };
  }

  #isUsable(container: LeaseContainer): boolean {
    const { legacy, setAside } = container;
    // What is left of a migration goes in its own time.
    if (legacy && setAside) return false;
    const why = legacy ? 'it has no service' : unusable(container, this.#context.catalogue);
    if (why === undefined) return true;
    this.#context.log.error('a container runs that belongs to no lease that can be offered', {
      container_id: container.id.slice(0, 12),
      lease_uuid: container.lease,
      sku: container.sku,
      reason: why,
    });
    return false;
  }

  /** What was under way goes on, and a close that did not succeed is tried again. */
  async #resume(): Promise<void> {
    const { book, registry } = this.#context;
    for (const { uuid, operation, closing } of [...book.values()])
      if (operation !== undefined || closing !== undefined) await registry.handled(uuid, { kind: 'resume' });
  }

  async #tidyNetworks(): Promise<void> {
    const { isolation, networks, book, log } = this.#context;
    if (!isolation) return;
    try {
      await networks.tidy((tenant) => book.openLeasesOf(tenant) > 0);
    } catch (error) {
      log.warn('networks without leases could not be looked for', { error: errorText(error) });
    }
  }
}
