/** Takes a restore back: the data gets its kept names again, and its record is active once more. */
import type { KeyedSerial } from '@berth/service';
import type { Log } from '@berth/service/log';
import type { VolumeName } from '../names/index.ts';
import type { Kept, RetentionRecord, RetentionStore } from '../stores/index.ts';
import type { Accounting } from './accounting.ts';
import type { RetentionMeter, VolumesPort } from './ports.ts';
import { adoptions, keptDiskMb } from './records.ts';

export interface RollbackContext {
  readonly store: RetentionStore;
  readonly volumes: VolumesPort;
  readonly accounting: Accounting;
  readonly locks: KeyedSerial<string>;
  readonly meter: RetentionMeter;
  readonly log: Log;
}

export class Rollback {
  readonly #context: RollbackContext;

  constructor(context: RollbackContext) {
    this.#context = context;
  }

  /** Every restore into this lease, whose containers are gone. Rejects when one of them cannot be taken back. */
  async into(newLease: string): Promise<void> {
    const { store, locks } = this.#context;
    for (const { key } of store.restoringInto(newLease))
      await locks.run(key, async () => {
        // It may have come to its end while we waited.
        const kept = store.kept(key);
        if (kept?.status === 'restoring' && kept.newLease === newLease) await this.backLocked(kept);
      });
  }

  /** With the lock of the closed lease held. Rejects with nothing lost: the record still owns the data under both names. */
  async backLocked({ key, newLease, record }: Kept): Promise<void> {
    const { store, volumes, accounting, meter, log } = this.#context;
    if (record === undefined) throw new Error(`the retention record of lease ${key} cannot be read`);
    const there = new Set(await volumes.list());
    for (const { kept, adopted } of adoptions(record, newLease)) {
      if (there.has(kept) || there.has(adopted)) await this.#giveBack(adopted, kept, record);
      // Removed by somebody else: that must not hold back what is left.
      else log.error('a kept volume is gone', { lease_uuid: key, volume: kept, restoring_into: newLease });
    }
    let reverted: boolean;
    try {
      reverted = store.revertToActive(key, record.generation);
    } catch (error) {
      meter.leaked();
      throw error;
    }
    accounting.refresh();
    log.info('restore taken back', {
      lease_uuid: key,
      restoring_into: newLease,
      outcome: reverted ? 'active' : 'somebody else has the record now',
    });
  }

  /** With the size that it had, for which it is counted again: the restore may have given it another one. */
  async #giveBack(adopted: VolumeName, kept: VolumeName, record: RetentionRecord): Promise<void> {
    const { volumes } = this.#context;
    await volumes.rename(adopted, kept);
    const diskMb = keptDiskMb(record, kept);
    if (diskMb > 0) await volumes.ensureQuota(kept, diskMb);
  }
}
