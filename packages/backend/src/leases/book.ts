/** All leases: durable in the store, and in memory for reads that never wait. Memory changes only after the store has. */

import {
  type HistoryChange,
  type Lease,
  type LeaseStatus,
  type Owed,
  readLease,
  readOwed,
  sameTerms,
  type WrittenLease,
  writeOwed,
  writeState,
  writeTerms,
} from '../lease/index.ts';
import type { GroupCommit, LeaseRow, ReleaseStore } from '../stores/index.ts';
import { OrderedIds } from './ordered-ids.ts';

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
  readonly #ordered = new OrderedIds();
  readonly #tenants = new Map<string, number>();
  readonly #statuses = new Map<LeaseStatus, number>();
  /** Leases whose rows cannot be read; such a row is put aside before another takes its place. */
  readonly #unreadable = new Set<string>();
  /** Leases of which something has been written, perhaps in vain, that is not what is in memory. */
  readonly #unpublished = new Set<string>();
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
    for (const row of this.#store.leases.all()) {
      const { uuid } = row;
      try {
        const lease = leaseIn(row);
        if (row.owed !== undefined) owed.set(uuid, readOwed(row.owed));
        if (lease !== undefined) this.#publish({ uuid, lease });
      } catch {
        unreadable.push(uuid);
        this.#unreadable.add(uuid);
      }
    }
    for (const { uuid, ...written } of this.#store.leases.allDropped())
      this.#dropped.set(uuid, diskOfWritten(uuid, written));
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
    const written = this.#store.leases.dropped(uuid);
    return written === undefined ? undefined : readLease(uuid, written);
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
    const most = limit === 0 ? this.#ordered.size : limit;
    const ids = this.#ordered.after(after, most + 1);
    const leases = ids.slice(0, most).flatMap((id) => this.#leases.get(id) ?? []);
    const last = leases.at(-1);
    return ids.length <= most || last === undefined ? { leases } : { leases, next: last.uuid };
  }

  countOf(status: LeaseStatus): number {
    return this.#statuses.get(status) ?? 0;
  }

  /** How many leases the tenant has that are not being closed. */
  openLeasesOf(tenant: string): number {
    return this.#tenants.get(tenant) ?? 0;
  }

  /** Durable and visible when this resolves; without effect when it rejects. */
  commit(change: LeaseChange): Promise<void> {
    const applied = () => {
      for (const one of change.history ?? []) this.#followHistory(change.uuid, one);
      this.#publish(change);
    };
    return this.#commits.commit({ apply: () => this.#write(change), applied });
  }

  /** The caller of a lease is owed nothing any more; durable when this resolves. */
  settle(uuid: string): Promise<void> {
    return this.#commits.commit({ apply: () => this.#store.leases.settle(uuid) });
  }

  #write({ uuid, lease, owed, history, nowMs }: LeaseChange): void {
    const { leases } = this.#store;
    const debt = owed && writeOwed(owed);
    if (this.#unreadable.has(uuid)) leases.putAside(uuid, nowMs);
    if (history !== undefined) this.#store.apply(uuid, history, nowMs);
    if (lease === undefined) {
      leases.end(uuid, debt);
      return;
    }
    const before = this.#unpublished.has(uuid) ? undefined : this.#leases.get(uuid);
    if (before === undefined || !sameTerms(before, lease)) leases.putTerms(uuid, writeTerms(lease));
    this.#unpublished.add(uuid);
    leases.putState(uuid, writeState(lease), debt);
  }

  #followHistory(uuid: string, change: HistoryChange): void {
    if (change.kind === 'remember') this.#dropped.set(uuid, diskOf(change.lease));
    if (change.kind === 'purge') this.#dropped.delete(uuid);
  }

  #publish({ uuid, lease }: Pick<LeaseChange, 'uuid' | 'lease'>): void {
    this.#unreadable.delete(uuid);
    this.#unpublished.delete(uuid);
    const before = this.#leases.get(uuid);
    move(this.#statuses, before?.status, lease?.status);
    move(this.#tenants, openTenant(before), openTenant(lease));
    if (lease !== undefined) this.#leases.set(uuid, lease);
    else this.#leases.delete(uuid);
    if (before === undefined && lease !== undefined) this.#ordered.add(uuid);
    if (before !== undefined && lease === undefined) this.#ordered.delete(uuid);
  }
}

/** Nothing for a lease that has ended. Throws when it cannot be read. */
function leaseIn({ uuid, terms, state }: LeaseRow): Lease | undefined {
  if (terms === undefined && state === undefined) return undefined;
  if (terms === undefined || state === undefined) throw new Error(`a part of lease ${uuid} is missing`);
  return readLease(uuid, { terms, state });
}

const diskOf = ({ allocations }: Lease): number => allocations.reduce((sum, { diskMb }) => sum + diskMb, 0);

/** A record that cannot be read says nothing; its volumes are protected all the same. */
function diskOfWritten(uuid: string, written: WrittenLease): number {
  try {
    return diskOf(readLease(uuid, written));
  } catch {
    return 0;
  }
}

/** Whose it is, unless it is being closed. */
const openTenant = (lease: Lease | undefined): string | undefined =>
  lease === undefined || lease.status === 'deprovisioning' ? undefined : lease.tenant;

function move<K extends string>(counts: Map<K, number>, from: K | undefined, to: K | undefined): void {
  if (from === to) return;
  const left = from === undefined ? 0 : (counts.get(from) ?? 0) - 1;
  if (from !== undefined && left > 0) counts.set(from, left);
  else if (from !== undefined) counts.delete(from);
  if (to !== undefined) counts.set(to, (counts.get(to) ?? 0) + 1);
}
