/** Decides at a close whether data can be kept, and what has to make room for it. */
import type { Clock } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import type { PartitionSource } from '../config/index.ts';
import { retainedForm, type VolumeName } from '../names/index.ts';
import { type CloseIntent, footprintMb, type RetentionRecord, type RetentionStore } from '../stores/index.ts';
import {
  type Budget,
  breach,
  budgetOf,
  diskCaps,
  evictions,
  type RetentionLimits,
  type Scope,
} from './budgets.ts';
import { partitionOf } from './partition.ts';
import type { ReleasesPort, RetentionMeter } from './ports.ts';
import { durableItems, manifestObject, recordOf, stackOf } from './records.ts';

export interface KeepingContext {
  readonly store: RetentionStore;
  readonly releases: Pick<ReleasesPort, 'latestActive'>;
  readonly limits: RetentionLimits;
  readonly source: PartitionSource | undefined;
  readonly clock: Pick<Clock, 'now'>;
  readonly meter: RetentionMeter;
  readonly log: Log;
  /** Data that has been marked to be destroyed: soon, and not while somebody waits. */
  readonly reapSoon: (leases: readonly string[]) => void;
}

export type Verdict =
  | { readonly kind: 'kept'; readonly record: RetentionRecord }
  | { readonly kind: 'refused'; readonly scope: Scope };

export class Keeping {
  readonly #context: KeepingContext;

  constructor(context: KeepingContext) {
    this.#context = context;
  }

  decide(closing: CloseIntent, durable: readonly VolumeName[]): Verdict {
    const { limits, meter, log } = this.#context;
    if (closing.refused !== undefined) return { kind: 'refused', scope: closing.refused };
    const intent = this.#withManifest(closing);
    const budget = budgetOf(limits, intent.tenant);
    const partition = this.#partition(intent, budget);
    this.#makeRoom(intent, budget, partition);
    const scope = this.#refusal(intent, budget, partition, durable);
    if (scope !== undefined) {
      meter.refused(scope);
      log.warn('the data of a closed lease is not kept, a limit is reached', {
        lease_uuid: intent.lease_uuid,
        scope,
      });
      return { kind: 'refused', scope };
    }
    return { kind: 'kept', record: recordOf(intent, durable.map(retainedForm), partition) };
  }

  /** The record is durable. */
  kept({ record }: Extract<Verdict, { kind: 'kept' }>): void {
    if ((record.partition ?? '') !== '') this.#context.meter.stamped();
  }

  #withManifest(intent: CloseIntent): CloseIntent {
    if (intent.stack_manifest !== null) return intent;
    const { releases, log } = this.#context;
    const manifest = manifestObject(releases.latestActive(intent.lease_uuid)?.manifest);
    if (manifest === null)
      log.warn('data is kept without a manifest: it cannot be restored through the API', {
        lease_uuid: intent.lease_uuid,
      });
    return { ...intent, stack_manifest: manifest };
  }

  #partition({ tenant, lease_uuid: uuid, stack_manifest: manifest }: CloseIntent, budget: Budget): string {
    const { source, store, meter, log } = this.#context;
    if (budget.maxPartitions === 0 || source === undefined) return '';
    const { partition, collapsed } = partitionOf(source, stackOf(manifest));
    if (collapsed !== undefined) {
      meter.collapsed(collapsed.reason);
      log.warn('a partition is not honoured', { lease_uuid: uuid, ...collapsed });
    }
    if (partition === '') return '';
    try {
      const known = store.partitionsOf(tenant);
      if (known.has(partition) || known.size < budget.maxPartitions) return partition;
      meter.collapsed('over_limit');
      log.warn('a partition is not honoured', { lease_uuid: uuid, reason: 'over_limit', value: partition });
    } catch (error) {
      meter.collapsed('store_error');
      meter.capCheckFailed('bound');
      log.warn('partitions could not be counted', { lease_uuid: uuid, error: errorText(error) });
    }
    return '';
  }

  /** The oldest data of the tenant gives way. When that cannot be decided, everything stays. */
  #makeRoom({ tenant, lease_uuid: uuid }: CloseIntent, budget: Budget, partition: string): void {
    if (budget.maxLeases === 0 && (budget.perPartitionMaxLeases === 0 || partition === '')) return;
    const { store, meter, clock, log, reapSoon } = this.#context;
    try {
      const candidates = store
        .ofTenant(tenant, 'active')
        .filter(({ key, record }) => key !== uuid && record !== undefined)
        .map(({ key, record }) => ({ lease: key, partition: record?.partition ?? '' }));
      const marked = evictions(budget, candidates, partition).filter(({ lease, level }) => {
        if (!store.markReapingIfActive(lease, clock.now())) return false;
        meter.evicted(level);
        log.info('kept data makes room for newer data', { lease_uuid: lease, level, for: uuid });
        return true;
      });
      if (marked.length > 0) reapSoon(marked.map(({ lease }) => lease));
    } catch (error) {
      meter.capCheckFailed('evict');
      log.error('kept data could not be looked through for what makes room', {
        lease_uuid: uuid,
        error: errorText(error),
      });
    }
  }

  /** This decision destroys: whatever is not certain keeps the data. */
  #refusal(
    { tenant, lease_uuid: uuid, items }: CloseIntent,
    budget: Budget,
    partition: string,
    durable: readonly VolumeName[],
  ): Scope | undefined {
    const { limits, store, meter, log } = this.#context;
    const caps = diskCaps(limits, budget, partition);
    if (caps.global === 0 && caps.tenant === 0 && caps.partition === 0) return undefined;
    let check: 'refuse_get' | 'breach' = 'refuse_get';
    try {
      if (store.kept(uuid) !== undefined) return undefined;
      check = 'breach';
      const held = {
        global: () => store.activeMb(),
        tenant: () => store.activeMb({ tenant }),
        partition: () => store.activeMb({ tenant, partition }),
      };
      return breach(caps, held, footprintMb(durableItems(items, durable)));
    } catch (error) {
      meter.capCheckFailed(check);
      log.error('limits of kept data could not be checked, it is kept', {
        lease_uuid: uuid,
        error: errorText(error),
      });
      return undefined;
    }
  }
}
