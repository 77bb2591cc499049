/** What limits apply to a tenant's kept data, and what they say. Pure. */
import type { Config } from '../config/index.ts';

/** 0: no limit. */
export interface Budget {
  readonly maxLeases: number;
  readonly maxDiskMb: number;
  readonly maxPartitions: number;
  readonly perPartitionMaxLeases: number;
  readonly perPartitionMaxDiskMb: number;
}

export type RetentionLimits = Pick<
  Config,
  | 'maxRetainedLeasesPerTenant'
  | 'maxRetainedDiskMb'
  | 'maxRetainedDiskMbPerTenant'
  | 'retentionTenantBudgets'
  | 'retentionPartitionSource'
>;

/** A tenant's own budget takes the place of the general limits, upwards and downwards. */
export function budgetOf(limits: RetentionLimits, tenant: string): Budget {
  return (
    limits.retentionTenantBudgets.get(tenant) ?? {
      maxLeases: limits.maxRetainedLeasesPerTenant,
      maxDiskMb: limits.maxRetainedDiskMbPerTenant,
      maxPartitions: 0,
      perPartitionMaxLeases: 0,
      perPartitionMaxDiskMb: 0,
    }
  );
}

/** What a level gives up at most in one close; the rest follows with later ones. */
const mostEvictions = 32;

export interface Candidate {
  readonly lease: string;
  readonly partition: string;
}

export interface Eviction {
  readonly lease: string;
  readonly level: 'tenant' | 'partition';
}

/**
 * Which of a tenant's kept leases make room for one more: within its partition first, then over all. `oldestFirst` does not
 * hold the closing lease itself.
 */
export function evictions(
  budget: Budget,
  oldestFirst: readonly Candidate[],
  partition: string,
): readonly Eviction[] {
  const surplus = (cap: number, held: number): number =>
    cap === 0 ? 0 : Math.min(Math.max(0, held - (cap - 1)), mostEvictions);
  const inPartition = partition === '' ? [] : oldestFirst.filter((one) => one.partition === partition);
  const first = inPartition
    .slice(0, surplus(budget.perPartitionMaxLeases, inPartition.length))
    .map(({ lease }) => lease);
  const left = oldestFirst.filter(({ lease }) => !first.includes(lease));
  const second = left.slice(0, surplus(budget.maxLeases, left.length)).map(({ lease }) => lease);
  return [
    ...first.map((lease) => ({ lease, level: 'partition' as const })),
    ...second.map((lease) => ({ lease, level: 'tenant' as const })),
  ];
}

/** Disk of active records at each level that has a limit. */
export interface ActiveDisk {
  readonly global: () => number;
  readonly tenant: () => number;
  readonly partition: () => number;
}

export type Scope = 'global' | 'tenant' | 'partition';

export interface DiskCaps {
  readonly global: number;
  readonly tenant: number;
  readonly partition: number;
}

export const diskCaps = (limits: RetentionLimits, budget: Budget, partition: string): DiskCaps => ({
  global: limits.maxRetainedDiskMb,
  tenant: budget.maxDiskMb,
  partition: partition === '' ? 0 : budget.perPartitionMaxDiskMb,
});

/** The first limit that so much more would break; nothing is read for a level without one. */
export function breach(caps: DiskCaps, held: ActiveDisk, incomingMb: number): Scope | undefined {
  const scopes: readonly Scope[] = ['global', 'tenant', 'partition'];
  return scopes.find((scope) => caps[scope] > 0 && held[scope]() + incomingMb > caps[scope]);
}
