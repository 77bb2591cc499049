/** Tells the pool what closed leases hold on disk. Read from the store each time: nothing is added up on the side. */
import { errorText, type Log } from '@berth/service/log';
import type { ResourcePool } from '../placement/index.ts';
import type { RetentionStore } from '../stores/index.ts';
import type { RetentionMeter } from './ports.ts';

const mib = 1024 * 1024;

export interface AccountingContext {
  readonly store: RetentionStore;
  readonly pool: ResourcePool;
  readonly meter: RetentionMeter;
  readonly log: Log;
}

export class Accounting {
  readonly #context: AccountingContext;

  constructor(context: AccountingContext) {
    this.#context = context;
  }

  /** False when the store cannot be read: the last value stays, and nobody may rely on the new owner being counted. */
  refresh(): boolean {
    const { store, pool, meter, log } = this.#context;
    try {
      const totals = store.totals();
      pool.retainedDiskMb = totals.activeMb + totals.reapingMb;
      // Bytes of a restore are counted with its new lease, and here when that holds nothing (any more).
      pool.restoringDiskMb = totals.restoringMb;
      meter.counted({
        retainedBytes: (totals.activeMb + totals.reapingMb) * mib,
        retainedLeases: totals.activeLeases,
        reapingBytes: totals.reapingMb * mib,
        reapingLeases: totals.reapingLeases,
        partitions: totals.partitions,
      });
      return true;
    } catch (error) {
      meter.accountingFailed();
      log.error('kept disk could not be counted, the last value stays', { error: errorText(error) });
      return false;
    }
  }
}
