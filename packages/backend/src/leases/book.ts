/** All leases: durable in the store, and in memory for reads that never wait. Memory changes only after the store has. */

import {
  decodeRow,
  encodeRow,
  type HistoryChange,
  type Lease,
  type LeaseStatus,
  type Owed,
} from '../lease/index.ts';
import type { GroupCommit, ReleaseStore } from '../stores/index.ts';
import { OrderedLeases } from './ordered-leases.ts';

export interface LeasePage {
  readonly leases: readonly Lease[];
  /** The cursor of the next page; absent on the last one. */
  readonly next?: string;
}

export interface Loaded {
  /** What callers are still owed from before, by lease. */
  readonly owed: ReadonlyMap<string, Owed>;
  /** Leases whose rows this version cannot read. The rows stay as they are. */
  readonly unreadable: readonly string[];
}

/** What is written in one transaction. */
export interface LeaseChange {
  readonly uuid: string;
  readonly lease: Lease | undefined;
  readonly owed?: Owed | undefined;
  readonly history?: readonly HistoryChange[];
  readonly nowMs: number;
}

export class LeaseBook {
  readonly #store: ReleaseStore;
  readonly #commits: GroupCommit;
  readonly #leases = new Map<string, Lease>();
  readonly #ordered = new OrderedLeases();
  readonly #tenants = new Map<string, number>();
  readonly #statuses = new Map<LeaseStatus, number>();
  /** Leases whose rows cannot be read; such a row is put aside before another takes its place. */
  readonly #unreadable = new Set<string>();
  /** By lease, the disk of those that ended without a close. */
  readonly #dropped = new Map<string, number>();

  constructor(store: ReleaseStore, commits: GroupCommit) {
    this.#store = store;
    this.#commits = commits;
  }

  /** Reads what is in the store. A row that cannot be read is told of, and hides no other. */
  load(): Loaded {
    const owed = new Map<string, Owed>();
    const unreadable: string[] = [];
    for (const { uuid, row: text } of this.#store.leaseRows()) {
      try {
        const row = decodeRow(text);
        if (row.owed !== undefined) owed.set(uuid, row.owed);
        if (row.lease !== undefined) this.#publish(uuid, row.lease);
      } catch {
        unreadable.push(uuid);
        this.#unreadable.add(uuid);
      }
    }
    for (const { uuid, row } of this.#store.droppedRows()) this.#dropped.set(uuid, diskOf(row));
    return { owed, unreadable };
  }

  get size(): number {
    return this.#leases.size;
  }

  get(uuid: string): Lease | undefined {
    return this.#leases.get(uuid);
  }

  /** Is there a row of that lease that cannot be read? */
  isUnreadable(uuid: string): boolean {
    return this.#unreadable.has(uuid);
  }

  /** What was last known of a lease that ended without a close. Throws when it cannot be read. */
  dropped(uuid: string): Lease | undefined {
    const row = this.#store.droppedRow(uuid);
    return row === undefined ? undefined : decodeRow(row).lease;
  }

  /** By lease, what those have on disk that ended without a close; always of now. */
  get droppedDiskMb(): ReadonlyMap<string, number> {
    return this.#dropped;
  }

  values(): IterableIterator<Lease> {
    return this.#leases.values();
  }

  /** In ascending order of the ids, strictly after the cursor; `limit` 0: all. */
  page(after: string, limit: number): LeasePage {
    if (limit === 0) return { leases: this.#ordered.after(after, this.#ordered.size) };
    const found = this.#ordered.after(after, limit + 1);
    if (found.length <= limit) return { leases: found };
    const leases = found.slice(0, limit);
    const last = leases.at(-1);
    return last === undefined ? { leases } : { leases, next: last.uuid };
  }

  countOf(status: LeaseStatus): number {
    return this.#statuses.get(status) ?? 0;
  }

  /** How many leases the tenant has that are not being closed. */
  openLeasesOf(tenant: string): number {
    return this.#tenants.get(tenant) ?? 0;
  }

  /** Durable and visible when this resolves; without effect when it rejects. */
  async commit({ uuid, lease, owed, history = [], nowMs }: LeaseChange): Promise<void> {
    const text =
      lease === undefined && owed === undefined
        ? undefined
        : encodeRow({ ...(lease !== undefined && { lease }), ...(owed !== undefined && { owed }) });
    await this.#commits.commit(() => {
      if (this.#unreadable.has(uuid)) this.#store.putAsideLease(uuid, nowMs);
      if (history.length > 0) this.#store.apply(uuid, history, nowMs);
      this.#store.putLease(uuid, text);
    });
    this.#unreadable.delete(uuid);
    for (const change of history) {
      if (change.kind === 'remember') this.#dropped.set(uuid, diskOf(change.lease));
      if (change.kind === 'purge') this.#dropped.delete(uuid);
    }
    this.#publish(uuid, lease);
  }

  #publish(uuid: string, lease: Lease | undefined): void {
    const before = this.#leases.get(uuid);
    if (before !== undefined) {
      if (isOpen(before)) count(this.#tenants, before.tenant, -1);
      count(this.#statuses, before.status, -1);
    }
    if (lease === undefined) {
      this.#leases.delete(uuid);
      this.#ordered.delete(uuid);
      return;
    }
    this.#leases.set(uuid, lease);
    this.#ordered.put(lease);
    if (isOpen(lease)) count(this.#tenants, lease.tenant, 1);
    count(this.#statuses, lease.status, 1);
  }
}

/** A record that cannot be read says nothing; its volumes are protected all the same. */
function diskOf(last: Lease | string): number {
  try {
    const lease = typeof last === 'string' ? decodeRow(last).lease : last;
    return (lease?.allocations ?? []).reduce((sum, { diskMb }) => sum + diskMb, 0);
  } catch {
    return 0;
  }
}

const isOpen = ({ status }: Lease): boolean => status !== 'deprovisioning';

function count<K>(counts: Map<K, number>, key: K, by: 1 | -1): void {
  const next = (counts.get(key) ?? 0) + by;
  if (next === 0) counts.delete(key);
  else counts.set(key, next);
}
