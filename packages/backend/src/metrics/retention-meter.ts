import type { RetentionMeter } from '../retention/index.ts';
import type { BackendInstruments } from './meters.ts';

/** What the keeping of data counts. */
export function retentionMeter(metrics: BackendInstruments): RetentionMeter {
  return {
    refused: (scope) => {
      metrics.refusedByScope.inc({ scope });
      if (scope === 'global') metrics.refused.inc();
    },
    evicted: (level) => (level === 'tenant' ? metrics.evicted : metrics.partitionEvicted).inc(),
    collapsed: (reason) => metrics.partitionCollapsed.inc({ reason }),
    stamped: () => metrics.partitionStamped.inc(),
    capCheckFailed: (check) => metrics.capCheckFailed.inc({ check }),
    scratchReclaimed: () => metrics.scratchReclaimed.inc(),
    leaked: () => metrics.leaked.inc(),
    swept: (outcome) => metrics.sweeps.inc({ outcome }),
    accountingFailed: () => metrics.accountingFailed.inc(),
    reapSkipped: (reason) => metrics.reapSkips.inc({ reason }),
    orphanPruned: () => metrics.orphansPruned.inc(),
    orphanSkipped: (reason) => metrics.orphanSkips.inc({ reason }),
    demoteRefused: (backend, reason) => metrics.demoteRefused.inc({ backend, reason }),
    finalizerPending: () => metrics.finalizerPending.inc(),
    adopted: (seconds) =>
      metrics.replacePhaseSeconds.observe(seconds, { operation: 'restore', phase: 'adopt' }),
    counted: (totals) => {
      metrics.retainedBytes.set(totals.retainedBytes);
      metrics.retainedLeases.set(totals.retainedLeases);
      metrics.reapingBytes.set(totals.reapingBytes);
      metrics.reapingLeases.set(totals.reapingLeases);
      metrics.partitions.set(totals.partitions);
    },
  };
}
