/** The records' side of a restore: taking the data over, and letting go of the record once the new lease stands. */
import type { Clock, KeyedSerial } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import { errors } from '../errors.ts';
import { allocationKey, parseVolume } from '../names/index.ts';
import type { Kept, RetentionRecord, RetentionStore } from '../stores/index.ts';
import type { Accounting } from './accounting.ts';
import type { RecordCopies } from './copies.ts';
import type { LeasesPort, ReleasesPort, RetentionMeter, TeardownPort, VolumesPort } from './ports.ts';
import { adoptions } from './records.ts';
import type { Rollback } from './rollback.ts';

export interface RestoringContext {
  readonly store: RetentionStore;
  readonly volumes: VolumesPort;
  readonly leases: LeasesPort;
  readonly releases: Pick<ReleasesPort, 'latestActive'>;
  readonly copies: Pick<RecordCopies, 'drop'>;
  readonly teardown: TeardownPort;
  readonly rollback: Rollback;
  readonly accounting: Accounting;
  readonly locks: KeyedSerial<string>;
  readonly maxAgeMs: number;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly meter: RetentionMeter;
  readonly log: Log;
}

export class Restoring {
  readonly #context: RestoringContext;

  constructor(context: RestoringContext) {
    this.#context = context;
  }

  /**
   * Claims the data for a lease that is reserved already, gives it its names there, and hands over. When any of it fails,
   * the data is what it was, as far as that can be done; if not, its record owns it under either name, and the next pass
   * goes on.
   */
  async takeOver(original: string, newLease: string, handOver: () => Promise<void>): Promise<void> {
    await this.#context.locks.run(original, async () => {
      const claimed = this.#claim(original, newLease);
      this.#context.accounting.refresh();
      try {
        await this.#adopt(claimed, newLease);
        await handOver();
      } catch (error) {
        await this.#undo(original, newLease);
        throw error;
      }
    });
  }

  #claim(original: string, newLease: string): RetentionRecord {
    const { store, maxAgeMs, clock } = this.#context;
    const claimed = store.claimForRestore(original, newLease, maxAgeMs, clock.now());
    if (claimed === 'no_retention') throw errors.error('not_retained', 'no retained data for lease');
    if (claimed === 'not_restorable') throw errors.error('invalid_state', 'invalid state for restore');
    return claimed;
  }

  async #adopt(record: RetentionRecord, newLease: string): Promise<void> {
    const { volumes, clock, meter } = this.#context;
    const began = clock.monotonic();
    for (const { kept, adopted } of adoptions(record, newLease)) await volumes.rename(kept, adopted);
    meter.adopted((clock.monotonic() - began) / 1000);
  }

  /** No container was made: one that cannot be looked for must not hold the data back. */
  async #undo(original: string, newLease: string): Promise<void> {
    const { store, rollback, teardown, log } = this.#context;
    const why = (error: unknown) => ({
      lease_uuid: original,
      restoring_into: newLease,
      error: errorText(error),
    });
    await teardown(newLease, 'restore_prelude').catch((error: unknown) =>
      log.warn('containers of a restore that was given up could not be looked for', why(error)),
    );
    try {
      const kept = store.kept(original);
      if (kept?.status === 'restoring' && kept.newLease === newLease) await rollback.backLocked(kept);
    } catch (error) {
      log.error('a restore could not be taken back, will try again', why(error));
    }
  }

  /**
   * What has to be true before the new lease's volumes are touched: all the data is there, under its names there. A process
   * that was interrupted while it gave the data back finds some of it gone, and would start the lease on empty volumes.
   */
  async demandAdopted(newLease: string): Promise<void> {
    const { store, locks } = this.#context;
    const [into] = store.restoringInto(newLease);
    if (into === undefined) throw new Error('the kept data has gone back to where it came from');
    await locks.run(into.key, async () => {
      const kept = store.kept(into.key);
      if (kept?.status !== 'restoring' || kept.newLease !== newLease || kept.record === undefined)
        throw new Error('the kept data is not there to be restored any more');
      await this.#adopt(kept.record, newLease);
    });
  }

  /** The work of a restore has failed, and its containers are gone. False when the data could not be given back yet. */
  async failed(newLease: string): Promise<boolean> {
    try {
      await this.#context.rollback.into(newLease);
      return true;
    } catch (error) {
      this.#context.log.error('a restore could not be taken back, will try again', {
        restoring_into: newLease,
        error: errorText(error),
      });
      return false;
    }
  }

  /** Brings the restores into a lease to their end, as far as the lease itself has come. */
  async settle(newLease: string): Promise<void> {
    for (const { key } of this.#context.store.restoringInto(newLease)) await this.reconcile(key);
  }

  /** One record that is being restored: done, taken back, or left to whoever works on it. */
  async reconcile(original: string): Promise<void> {
    const { store, locks } = this.#context;
    await locks.run(original, async () => {
      const kept = store.kept(original);
      if (kept?.status === 'restoring') await this.#reconcileLocked(kept);
    });
  }

  async #reconcileLocked(kept: Kept): Promise<void> {
    const { leases, teardown, rollback } = this.#context;
    const status = leases.get(kept.newLease)?.status;
    if (status === 'ready') return await this.#finish(kept);
    // Somebody works on it, or it runs and only its record lingers: nothing of it may be torn down.
    if (status !== undefined && status !== 'failed') return;
    await teardown(kept.newLease, 'restore_reconcile');
    await rollback.backLocked(kept);
  }

  /** The record goes only when the new lease can be brought back without it. */
  async #finish({ key, newLease, record }: Kept): Promise<void> {
    const { store, releases, copies, accounting, meter, log } = this.#context;
    try {
      if (record === undefined) throw new Error('its retention record cannot be read');
      if (releases.latestActive(newLease) === undefined)
        throw new Error('the new lease has no active release');
      await this.#label(record, newLease);
      store.deleteRestored(key, record.generation);
      accounting.refresh();
      await copies.drop(key).catch(() => undefined);
      log.info('restore committed', { lease_uuid: key, restored_into: newLease });
    } catch (error) {
      meter.finalizerPending();
      log.warn('a restore is done, but its record stays for now', {
        lease_uuid: key,
        restored_into: newLease,
        error: errorText(error),
      });
    }
  }

  /** A second witness for the day on which records are lost: it holds up nothing. */
  async #label(record: RetentionRecord, newLease: string): Promise<void> {
    const { volumes, leases, log } = this.#context;
    const given = new Map(leases.get(newLease)?.allocations.map((one) => [one.key, one]));
    for (const { adopted } of adoptions(record, newLease)) {
      const { service = '', index = 0 } = parseVolume(adopted) ?? {};
      const { sku, diskMb } = given.get(allocationKey({ lease: newLease, service, index })) ?? {};
      if (sku === undefined || diskMb === undefined || diskMb === 0) continue;
      await volumes.handOver(adopted, { lease: newLease, sku, sizeMb: diskMb }).catch((error: unknown) =>
        log.warn('a restored volume still says that it was made for the closed lease', {
          lease_uuid: newLease,
          volume: adopted,
          error: errorText(error),
        }),
      );
    }
  }
}
