/** What can be read. Reads never wait for a lease, and never show what only operators may see. */
import { errors } from '../errors.ts';
import type { Lease } from '../lease/index.ts';
import type { LeaseBook } from '../leases/index.ts';
import type { PoolUsage, ResourcePool } from '../placement/index.ts';
import {
  type CallbackStore,
  createdAtMs,
  type DiagnosticsStore,
  type Release,
  type ReleaseStore,
  type RetentionRecord,
  type RetentionStore,
  type StoreFile,
} from '../stores/index.ts';

/** One container of a lease, as the engine shows it now. */
export interface InstanceFacts {
  readonly service: string;
  readonly index: number;
  readonly containerId: string;
  readonly image: string;
  readonly status: string;
  readonly fqdn: string | undefined;
  /** By container port (`80/tcp`), the first host binding. */
  readonly ports: ReadonlyMap<string, { readonly hostIp: string; readonly hostPort: string }>;
}

/** What the engine knows of the containers of a lease. */
export interface LeaseInspection {
  /** By service name, then index. */
  instances(lease: Lease): Promise<readonly InstanceFacts[]>;
  /** The last lines of each container, by `service/index`. */
  logs(lease: Lease, tail: number, signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
}

export interface ViewsContext {
  readonly book: LeaseBook;
  readonly pool: ResourcePool;
  readonly releases: ReleaseStore;
  readonly diagnostics: DiagnosticsStore;
  readonly retention: RetentionStore;
  readonly callbacks: CallbackStore;
  readonly inspection: LeaseInspection;
  readonly retentionMaxAgeMs: number;
  /** Asks the engine for a sign of life; rejects when there is none. */
  readonly ping: () => Promise<void>;
  readonly now: () => number;
}

export type ProvisionView =
  | { readonly kind: 'live'; readonly lease: Lease }
  /** `retainedUntilMs` absent: for ever. */
  | { readonly kind: 'retained'; readonly record: RetentionRecord; readonly retainedUntilMs?: number }
  | {
      readonly kind: 'gone';
      readonly lease: string;
      readonly provider: string;
      readonly createdAt: string;
      readonly failCount: number;
      readonly reason: string;
      readonly message: string;
    };

const notProvisioned = (): Error => errors.error('not_provisioned', 'not provisioned');

/** How long an answer of the stores is good for a health check: it writes, and anybody may ask. */
const storeCheckMs = 5000;

export class Views {
  readonly #context: ViewsContext;
  #storesCheckedMs = Number.NEGATIVE_INFINITY;

  constructor(context: ViewsContext) {
    this.#context = context;
  }

  async instances(uuid: string): Promise<readonly InstanceFacts[]> {
    const lease = this.#context.book.get(uuid);
    if (lease?.status !== 'ready') throw notProvisioned();
    return await this.#context.inspection.instances(lease);
  }

  async logs(uuid: string, tail: number, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const { book, inspection, diagnostics } = this.#context;
    const lease = book.get(uuid);
    if (lease !== undefined) return await inspection.logs(lease, tail, signal);
    const logs = diagnostics.get(uuid)?.logs ?? {};
    if (Object.keys(logs).length === 0) throw notProvisioned();
    return logs;
  }

  provision(uuid: string): ProvisionView {
    const { book, retention, diagnostics, retentionMaxAgeMs } = this.#context;
    const lease = book.get(uuid);
    if (lease !== undefined) return { kind: 'live', lease };
    // A record that cannot be read is an error: to show the lease as failed would be a guess.
    const record = retention.get(uuid);
    if (record !== undefined && record.status !== 'reaping')
      return {
        kind: 'retained',
        record,
        ...(retentionMaxAgeMs > 0 && { retainedUntilMs: createdAtMs(record) + retentionMaxAgeMs }),
      };
    const entry = diagnostics.get(uuid);
    if (entry === undefined) throw notProvisioned();
    return {
      kind: 'gone',
      lease: uuid,
      provider: entry.provider_uuid,
      createdAt: entry.created_at,
      failCount: entry.fail_count,
      reason: entry.reason,
      message: entry.message,
    };
  }

  page(after: string, limit: number): { readonly leases: readonly Lease[]; readonly next?: string } {
    return this.#context.book.page(after, limit);
  }

  lookup(uuids: readonly string[]): readonly Lease[] {
    return [...new Set(uuids)].sort().flatMap((uuid) => this.#context.book.get(uuid) ?? []);
  }

  retentions(after: string, limit: number): { readonly keys: readonly string[]; readonly next?: string } {
    return this.#context.retention.page(after, limit);
  }

  releases(uuid: string): readonly Release[] {
    if (this.#context.book.get(uuid) === undefined) throw notProvisioned();
    return this.#context.releases.list(uuid);
  }

  get usage(): PoolUsage {
    return this.#context.pool.usage;
  }

  /** Rejects with what is broken. */
  async checkHealth(): Promise<void> {
    const { ping, now, callbacks, diagnostics, releases, retention } = this.#context;
    await ping();
    if (now() - this.#storesCheckedMs < storeCheckMs) return;
    for (const { file } of [callbacks, diagnostics, releases, retention]) checkStore(file, now());
    this.#storesCheckedMs = now();
  }
}

function checkStore(file: StoreFile, nowMs: number): void {
  try {
    file.check(nowMs);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw errors.error('store_unusable', `the ${file.name} store cannot be used: ${why}`, { cause: error });
  }
}
