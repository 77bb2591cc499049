import type { RetentionMeter } from '../retention/index.ts';

/** What the meter of retention was told, by name. */
export class CountingMeter {
  readonly counts = new Map<string, number>();
  #gauges: Parameters<RetentionMeter['counted']>[0] | undefined;

  get gauges(): Parameters<RetentionMeter['counted']>[0] | undefined {
    return this.#gauges;
  }

  count(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  of(name: string): number {
    return this.counts.get(name) ?? 0;
  }

  readonly meter: RetentionMeter = {
    refused: (scope) => this.count(`refused ${scope}`),
    evicted: (level) => this.count(`evicted ${level}`),
    collapsed: (reason) => this.count(`collapsed ${reason}`),
    stamped: () => this.count('stamped'),
    capCheckFailed: (check) => this.count(`cap check failed ${check}`),
    scratchReclaimed: () => this.count('scratch reclaimed'),
    leaked: () => this.count('leaked'),
    swept: (outcome) => this.count(`swept ${outcome}`),
    accountingFailed: () => this.count('accounting failed'),
    reapSkipped: (reason) => this.count(`reap skipped ${reason}`),
    orphanPruned: () => this.count('orphan pruned'),
    orphanSkipped: (reason) => this.count(`orphan skipped ${reason}`),
    demoteRefused: (_, reason) => this.count(`demote refused ${reason}`),
    finalizerPending: () => this.count('finalizer pending'),
    adopted: () => this.count('adopted'),
    counted: (totals) => {
      this.#gauges = totals;
    },
  };
}
