import { type Clock, isoTime } from '@berth/service';
import type { Lease } from '../lease/index.ts';
import type { Logs } from '../leases/index.ts';
import { type DiagnosticsEntry, type DiagnosticsStore, GroupCommit } from '../stores/index.ts';

/** Keeps what is known of a failure beyond the end of its lease. */
export class DiagnosticsKeeper {
  readonly #store: DiagnosticsStore;
  readonly #commits: GroupCommit;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(store: DiagnosticsStore, clock: Pick<Clock, 'now'>) {
    this.#store = store;
    this.#commits = new GroupCommit(store.file);
    this.#clock = clock;
  }

  /** Durable when it resolves. */
  async keep(lease: Lease, logs: Logs): Promise<void> {
    const { failure } = lease;
    const entry: DiagnosticsEntry = {
      lease_uuid: lease.uuid,
      provider_uuid: lease.provider,
      tenant: lease.tenant,
      error: failure?.detail ?? '',
      reason: failure?.reason ?? '',
      message: failure?.message ?? '',
      logs,
      fail_count: lease.failCount,
      created_at: isoTime(this.#clock.now()),
    };
    await this.#commits.commit({ apply: () => this.#store.put(entry) });
  }

  async drop(uuid: string): Promise<void> {
    await this.#commits.commit({ apply: () => this.#store.delete(uuid) });
  }
}
