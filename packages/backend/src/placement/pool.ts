/** The ledger of what leases may use. Pure accounting: whoever asks first gets it, all of it or nothing. */
import { errors } from '../errors.ts';

/** What one instance holds. */
export interface Allocation {
  /** `<lease>-<service>-<index>` */
  readonly key: string;
  readonly sku: string;
  readonly cpuCores: number;
  readonly memoryMb: number;
  readonly diskMb: number;
}

/** What is left of an instance whose containers are gone and whose data is not. */
export const diskOnly = (allocation: Allocation): Allocation => ({ ...allocation, cpuCores: 0, memoryMb: 0 });

export const isDiskOnly = ({ cpuCores, memoryMb }: Allocation): boolean => cpuCores === 0 && memoryMb === 0;

export interface Amounts {
  readonly cpuCores: number;
  readonly memoryMb: number;
  readonly diskMb: number;
}

export interface PoolUsage {
  readonly total: Amounts;
  readonly allocated: Amounts;
  /** Never below 0; what closed leases still hold on disk is not available. */
  readonly available: Amounts;
  readonly allocations: number;
}

/** CPU in billionths of a core: sums of fractions would drift. */
interface Sum {
  nanoCpus: number;
  memoryMb: number;
  diskMb: number;
}

interface Holding {
  readonly tenant: string;
  readonly allocations: readonly Allocation[];
}

const nothing = (): Sum => ({ nanoCpus: 0, memoryMb: 0, diskMb: 0 });
const nanoCpus = (cores: number): number => Math.round(cores * 1e9);
const sumOf = (amounts: Amounts): Sum => ({ ...amounts, nanoCpus: nanoCpus(amounts.cpuCores) });
const amountsOf = (sum: Sum): Amounts => ({
  cpuCores: sum.nanoCpus / 1e9,
  memoryMb: sum.memoryMb,
  diskMb: sum.diskMb,
});

function add(sum: Sum, allocation: Allocation, times: 1 | -1): void {
  sum.nanoCpus += times * nanoCpus(allocation.cpuCores);
  sum.memoryMb += times * allocation.memoryMb;
  sum.diskMb += times * allocation.diskMb;
}

export class ResourcePool {
  readonly #total: Sum;
  readonly #quota: Sum | undefined;
  readonly #holdings = new Map<string, Holding>();
  readonly #allocated = nothing();
  readonly #byTenant = new Map<string, Sum>();
  #allocations = 0;
  #retainedDiskMb = 0;
  #ownerlessDiskMb: ReadonlyMap<string, number> = new Map();
  #restoringDiskMb: ReadonlyMap<string, number> = new Map();
  #strandedDiskMb: ReadonlyMap<string, number> = new Map();

  constructor(total: Amounts, tenantQuota?: Amounts) {
    this.#total = sumOf(total);
    this.#quota = tenantQuota && sumOf(tenantQuota);
  }

  /**
   * Reserves for all instances of a lease or for none. What the lease held before is given back in the same step, so that a
   * new attempt of a failed lease competes with nobody for its own room; when refused, it keeps what it had.
   */
  reserve(lease: string, tenant: string, allocations: readonly Allocation[]): void {
    this.#reserve(lease, tenant, allocations, undefined);
  }

  /**
   * Reserves for a lease that takes over kept data of so much disk: that much is counted already, and only what goes beyond
   * it needs room, taken all together. One step, like every reservation.
   */
  reserveRestored(
    lease: string,
    tenant: string,
    allocations: readonly Allocation[],
    keptDiskMb: number,
  ): void {
    this.#reserve(lease, tenant, allocations, keptDiskMb);
  }

  #reserve(
    lease: string,
    tenant: string,
    allocations: readonly Allocation[],
    keptDiskMb: number | undefined,
  ): void {
    const before = this.#holdings.get(lease);
    this.release(lease);
    try {
      for (const [index, allocation] of allocations.entries()) {
        if (allocations.findIndex(({ key }) => key === allocation.key) !== index)
          throw errors.error(
            'insufficient_resources',
            `insufficient resources: allocation ${allocation.key} is asked for twice`,
          );
      }
      this.#check(lease, tenant, allocations, keptDiskMb);
    } catch (error) {
      if (before !== undefined) this.#hold(lease, before);
      throw error;
    }
    this.#hold(lease, { tenant, allocations });
  }

  /** Takes over what a lease is known to hold, without asking whether there is room: it is in use already. */
  adopt(lease: string, tenant: string, allocations: readonly Allocation[]): void {
    this.release(lease);
    // One that holds nothing counts for nothing, and what others count for it goes on counting.
    if (allocations.length > 0) this.#hold(lease, { tenant, allocations });
  }

  /** Gives back all that a lease holds; nothing happens when it holds nothing. */
  release(lease: string): void {
    const holding = this.#holdings.get(lease);
    if (holding === undefined) return;
    this.#holdings.delete(lease);
    this.#count(holding, -1);
  }

  held(lease: string): readonly Allocation[] {
    return this.#holdings.get(lease)?.allocations ?? [];
  }

  /** What closed leases still hold on disk. */
  set retainedDiskMb(value: number) {
    this.#retainedDiskMb = Math.max(0, value);
  }

  /** What is on disk and belongs to nobody: by the lease that would have it, should it come back, or by a name of its own. */
  set ownerlessDiskMb(byLease: ReadonlyMap<string, number>) {
    this.#ownerlessDiskMb = byLease;
  }

  /** By new lease, what restores have on disk: counted here as long as the new lease itself holds nothing. */
  set restoringDiskMb(byLease: ReadonlyMap<string, number>) {
    this.#restoringDiskMb = byLease;
  }

  /**
   * By lease, what those that are not tracked any more have on disk, and nobody has closed: counted as long as the lease itself
   * holds nothing. The map is the caller's, and is looked at anew each time.
   */
  set strandedDiskMb(byLease: ReadonlyMap<string, number>) {
    this.#strandedDiskMb = byLease;
  }

  /** `returning`: what a lease has on disk itself is not in its own way. */
  #keptDiskMb(returning?: string): number {
    let sum = this.#retainedDiskMb;
    for (const byLease of [this.#restoringDiskMb, this.#strandedDiskMb, this.#ownerlessDiskMb])
      for (const [lease, diskMb] of byLease)
        if (lease !== returning && !this.#holdings.has(lease)) sum += diskMb;
    return sum;
  }

  get usage(): PoolUsage {
    return {
      total: amountsOf(this.#total),
      allocated: amountsOf(this.#allocated),
      available: {
        cpuCores: (this.#total.nanoCpus - this.#allocated.nanoCpus) / 1e9,
        memoryMb: this.#total.memoryMb - this.#allocated.memoryMb,
        diskMb: this.#availableDiskMb(this.#allocated.diskMb),
      },
      allocations: this.#allocations,
    };
  }

  #hold(lease: string, holding: Holding): void {
    this.#holdings.set(lease, holding);
    this.#count(holding, 1);
  }

  #count({ tenant, allocations }: Holding, times: 1 | -1): void {
    const ofTenant = this.#byTenant.get(tenant) ?? nothing();
    for (const allocation of allocations) {
      add(this.#allocated, allocation, times);
      add(ofTenant, allocation, times);
    }
    this.#allocations += times * allocations.filter((one) => !isDiskOnly(one)).length;
    const empty = ofTenant.nanoCpus === 0 && ofTenant.memoryMb === 0 && ofTenant.diskMb === 0;
    if (empty) this.#byTenant.delete(tenant);
    else this.#byTenant.set(tenant, ofTenant);
  }

  #availableDiskMb(allocatedMb: number): number {
    return Math.max(0, this.#total.diskMb - allocatedMb - this.#keptDiskMb());
  }

  #checkGrowth(allocations: readonly Allocation[], keptDiskMb: number): void {
    const growthMb = allocations.reduce((sum, { diskMb }) => sum + diskMb, 0) - keptDiskMb;
    if (growthMb <= 0) return;
    const taken = this.#allocated.diskMb + this.#keptDiskMb();
    if (taken + growthMb > this.#total.diskMb)
      throw short('disk', 'MB', growthMb, this.#total.diskMb - taken);
  }

  /** In the order of the instances, each with what those before it take; equal fits. */
  #check(
    lease: string,
    tenant: string,
    allocations: readonly Allocation[],
    keptDiskMb: number | undefined,
  ): void {
    if (keptDiskMb !== undefined) this.#checkGrowth(allocations, keptDiskMb);
    const taken = this.#keptDiskMb(lease);
    const all = { ...this.#allocated };
    const ofTenant = { ...(this.#byTenant.get(tenant) ?? nothing()) };
    for (const allocation of allocations) {
      const before = { ...all };
      const tenantBefore = { ...ofTenant };
      add(all, allocation, 1);
      add(ofTenant, allocation, 1);
      const total = this.#total;
      if (all.nanoCpus > total.nanoCpus)
        throw short('CPU', 'cores', allocation.cpuCores, (total.nanoCpus - before.nanoCpus) / 1e9);
      if (all.memoryMb > total.memoryMb)
        throw short('memory', 'MB', allocation.memoryMb, total.memoryMb - before.memoryMb);
      if (keptDiskMb === undefined && all.diskMb + taken > total.diskMb)
        throw short('disk', 'MB', allocation.diskMb, total.diskMb - before.diskMb - taken);
      if (this.#quota === undefined || tenant === '') continue;
      const quota = this.#quota;
      if (ofTenant.nanoCpus > quota.nanoCpus)
        throw over('CPU', 'cores', allocation.cpuCores, tenantBefore.nanoCpus / 1e9, quota.nanoCpus / 1e9);
      if (ofTenant.memoryMb > quota.memoryMb)
        throw over('memory', 'MB', allocation.memoryMb, tenantBefore.memoryMb, quota.memoryMb);
      if (ofTenant.diskMb > quota.diskMb)
        throw over('disk', 'MB', allocation.diskMb, tenantBefore.diskMb, quota.diskMb);
    }
  }
}

function short(what: string, unit: string, need: number, have: number): Error {
  return errors.error(
    'insufficient_resources',
    `insufficient resources: insufficient ${what}: need ${need} ${unit}, have ${Math.max(0, have)} ${unit} available`,
  );
}

function over(what: string, unit: string, need: number, inUse: number, quota: number): Error {
  return errors.error(
    'insufficient_resources',
    `insufficient resources: tenant quota for ${what} exceeded: need ${need} ${unit}, ` +
      `have ${Math.max(0, quota - inUse)} ${unit} of a quota of ${quota} ${unit}`,
  );
}
