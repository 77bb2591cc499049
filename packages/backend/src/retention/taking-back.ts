/** A lease that is started again takes back what an earlier close of it has put away: its data is found by its name again. */
import type { KeyedSerial } from '@berth/service';
import type { Log } from '@berth/service/log';
import type { Lease } from '../lease/index.ts';
import { canonicalForm, parseVolume, type VolumeName, volumeName } from '../names/index.ts';
import type { Kept, RetentionStore } from '../stores/index.ts';
import type { Accounting } from './accounting.ts';
import type { RecordCopies } from './copies.ts';
import type { TeardownPort, VolumesPort } from './ports.ts';
import type { Rollback } from './rollback.ts';

export interface TakingBackContext {
  readonly store: RetentionStore;
  readonly volumes: Pick<VolumesPort, 'list' | 'rename'>;
  readonly copies: Pick<RecordCopies, 'drop'>;
  readonly accounting: Accounting;
  readonly locks: KeyedSerial<string>;
  readonly rollback: Rollback;
  readonly teardown: TeardownPort;
  readonly log: Log;
}

export class TakingBack {
  readonly #context: TakingBackContext;

  constructor(context: TakingBackContext) {
    this.#context = context;
  }

  /** Before any volume of the lease is touched. May be repeated; rejects with nothing lost, and the lease must not start then. */
  async into(lease: Pick<Lease, 'uuid' | 'tenant' | 'items' | 'operation'>): Promise<void> {
    const { store, locks, rollback, teardown, log } = this.#context;
    // Data of another lease that a restore has left under the names of this one: it would start on that.
    if (lease.operation?.kind === 'provision' && store.restoringInto(lease.uuid).length > 0) {
      await teardown(lease.uuid, 'restore_reconcile');
      await rollback.into(lease.uuid);
    }
    if (store.kept(lease.uuid) === undefined && !store.isClosing(lease.uuid)) return;
    await locks.run(lease.uuid, async () => {
      const kept = store.kept(lease.uuid);
      // What is marked to be destroyed is no data any more; its destruction leaves alone what the lease has.
      const hasData = kept !== undefined && kept.status !== 'reaping';
      if (hasData) await this.#move(ownNames(lease, kept));
      // Somebody would go on with that close as soon as the lease is not tracked any more.
      store.deleteIntent(lease.uuid);
      if (!hasData) return;
      // From here on the lease alone claims what has its name.
      store.deleteIfActive(lease.uuid);
      this.#context.accounting.refresh();
      await this.#context.copies.drop(lease.uuid).catch(() => undefined);
      log.warn('a lease has been started again and has its kept data back', { lease_uuid: lease.uuid });
    });
  }

  async #move(names: readonly VolumeName[]): Promise<void> {
    const { volumes, log } = this.#context;
    const there = new Set(await volumes.list());
    for (const name of names) {
      const live = canonicalForm(name);
      if (there.has(name) || there.has(live)) await volumes.rename(name, live);
      else log.error('a kept volume is gone', { volume: name });
    }
  }
}

/** Throws when not all of it can become the lease's: then none of it does. */
function ownNames(
  { tenant, items }: Pick<Lease, 'tenant' | 'items'>,
  { status, record }: Kept,
): readonly VolumeName[] {
  if (record === undefined) throw new Error('its retention record cannot be read');
  if (status === 'restoring')
    throw new Error(`its kept data is being restored into ${record.new_lease_uuid}`);
  if (record.tenant !== tenant) throw new Error('its kept data belongs to another tenant');
  return record.retained_volume_names.map((written) => {
    const parsed = parseVolume(written);
    const covered = items.some(
      ({ serviceName, quantity }) => serviceName === parsed?.service && (parsed?.index ?? 0) < quantity,
    );
    // The lease would have no claim on it.
    if (!covered) throw new Error(`its kept volume ${written} has no place in it`);
    return volumeName(written);
  });
}
