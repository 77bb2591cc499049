import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errors } from '../errors.ts';
import { type Allocation, diskOnly, ResourcePool } from './pool.ts';

const total = { cpuCores: 8, memoryMb: 4096, diskMb: 10_000 };
const quota = { cpuCores: 3, memoryMb: 2048, diskMb: 6000 };

/** The reference: recounts everything from the bare list of who holds what, in exact arithmetic. */
interface Model {
  readonly held: Map<string, { tenant: string; allocations: readonly Allocation[] }>;
  retained: number;
}

const totalOf = (model: Model, field: 'cpuCores' | 'memoryMb' | 'diskMb', tenant?: string): bigint => {
  let sum = 0n;
  for (const holding of model.held.values()) {
    if (tenant !== undefined && holding.tenant !== tenant) continue;
    for (const allocation of holding.allocations) sum += exact(allocation[field]);
  }
  return sum;
};
const exact = (amount: number): bigint => BigInt(Math.round(amount * 1e9));

function fits(model: Model, lease: string, tenant: string, wanted: readonly Allocation[]): boolean {
  const without: Model = { ...model, held: new Map([...model.held].filter(([key]) => key !== lease)) };
  const after: Model = {
    ...without,
    held: new Map([...without.held, [lease, { tenant, allocations: wanted }]]),
  };
  const fields = ['cpuCores', 'memoryMb', 'diskMb'] as const;
  if (wanted.length === 0) return true;
  return fields.every((field) => {
    const retained = field === 'diskMb' ? exact(model.retained) : 0n;
    const inTotal = totalOf(after, field) + retained <= exact(total[field]);
    return inTotal && (tenant === '' || totalOf(after, field, tenant) <= exact(quota[field]));
  });
}

const leases = fc.constantFrom('l1', 'l2', 'l3', 'l4', 'l5', 'l6');
const tenants = fc.constantFrom('', 'alice', 'bob');
const amounts = fc.record({
  cpuCores: fc.constantFrom(0.1, 0.2, 0.3, 0.5, 0.7, 1, 2.5),
  memoryMb: fc.constantFrom(64, 128, 512, 1024),
  diskMb: fc.constantFrom(0, 100, 1000, 3000),
});

type Step = fc.Command<Model, ResourcePool>;

const agrees = (model: Model, pool: ResourcePool): void => {
  const { allocated, available, allocations } = pool.usage;
  expect(exact(allocated.cpuCores)).toBe(totalOf(model, 'cpuCores'));
  expect(exact(allocated.memoryMb)).toBe(totalOf(model, 'memoryMb'));
  expect(exact(allocated.diskMb)).toBe(totalOf(model, 'diskMb'));
  expect(allocations).toBe(
    [...model.held.values()].reduce((sum, { allocations: list }) => sum + list.length, 0),
  );
  expect(available.diskMb).toBe(Math.max(0, total.diskMb - allocated.diskMb - model.retained));
};

const counted = { granted: 0, refused: 0, swapped: 0 };

const reserve = fc
  .tuple(leases, tenants, fc.array(amounts, { maxLength: 4 }))
  .map(([lease, tenant, list]): Step => {
    const allocations = list.map((one, index) => ({ ...one, key: `${lease}-app-${index}`, sku: 's' }));
    return {
      check: () => true,
      run: (model, pool) => {
        const expected = fits(model, lease, tenant, allocations);
        try {
          pool.reserve(lease, tenant, allocations);
          expect(expected).toBe(true);
          if (model.held.has(lease)) counted.swapped++;
          model.held.set(lease, { tenant, allocations });
          counted.granted++;
        } catch (error) {
          if (!errors.is(error, 'insufficient_resources')) throw error;
          expect(expected, error.message).toBe(false);
          expect(error.message).toMatch(
            /^insufficient resources: .*need [\d.]+ (cores|MB), have [\d.]+ (cores|MB)/,
          );
          counted.refused++;
        }
        expect(pool.held(lease)).toEqual(model.held.get(lease)?.allocations ?? []);
        agrees(model, pool);
      },
      toString: () => `reserve(${lease}, ${tenant}, ${JSON.stringify(list)})`,
    };
  });

const release = leases.map(
  (lease): Step => ({
    check: () => true,
    run: (model, pool) => {
      pool.release(lease);
      model.held.delete(lease);
      agrees(model, pool);
    },
    toString: () => `release(${lease})`,
  }),
);

const retain = fc.constantFrom(-5, 0, 500, 4000).map(
  (amount): Step => ({
    check: () => true,
    run: (model, pool) => {
      pool.retainedDiskMb = amount;
      model.retained = Math.max(0, amount);
      agrees(model, pool);
    },
    toString: () => `retain(${amount})`,
  }),
);

describe('the resource pool', () => {
  it('agrees with a recount from scratch after every step, grants what fits and refuses what does not', () => {
    fc.assert(
      fc.property(
        fc.commands([reserve, reserve, release, retain], { maxCommands: 60, size: '+1' }),
        (steps) => {
          fc.modelRun(
            () => ({ model: { held: new Map(), retained: 0 }, real: new ResourcePool(total, quota) }),
            steps,
          );
        },
      ),
      { numRuns: 300 },
    );
    expect(Math.min(counted.granted, counted.refused, counted.swapped)).toBeGreaterThan(100);
  });

  it('grants exactly the rest', () => {
    const pool = new ResourcePool({ cpuCores: 0.3, memoryMb: 100, diskMb: 0 });
    const third = (index: number) => ({
      key: `l-app-${index}`,
      sku: 's',
      cpuCores: 0.1,
      memoryMb: 30,
      diskMb: 0,
    });
    pool.reserve('l', 't', [third(0), third(1), third(2)]);
    expect(pool.usage.available.cpuCores).toBe(0);
    expect(() => pool.reserve('m', 't', [third(0)])).toThrow(
      'insufficient resources: insufficient CPU: need 0.1 cores, have 0 cores available',
    );
    pool.release('l');
    pool.release('l');
    expect(pool.usage).toMatchObject({ allocated: { cpuCores: 0, memoryMb: 0, diskMb: 0 }, allocations: 0 });
  });

  it('takes over what is in use even where there is no room for it', () => {
    const pool = new ResourcePool({ cpuCores: 1, memoryMb: 100, diskMb: 0 });
    pool.adopt('l', 't', [{ key: 'l-app-0', sku: 's', cpuCores: 4, memoryMb: 400, diskMb: 0 }]);
    expect(pool.usage).toMatchObject({ allocated: { cpuCores: 4, memoryMb: 400 }, allocations: 1 });
  });

  it('counts what leases without containers have on disk, once, and not among containers', () => {
    const pool = new ResourcePool({ cpuCores: 1, memoryMb: 100, diskMb: 100 });
    const one = { key: 'l-app-0', sku: 's', cpuCores: 1, memoryMb: 50, diskMb: 60 };
    pool.adopt('l', 't', [diskOnly(one)]);
    expect(pool.usage).toMatchObject({
      allocated: { cpuCores: 0, memoryMb: 0, diskMb: 60 },
      available: { diskMb: 40 },
      allocations: 0,
    });
    const stranded = new Map([['l', 60]]);
    pool.strandedDiskMb = stranded;
    expect(pool.usage.available.diskMb, 'it holds it itself').toBe(40);
    pool.adopt('l', 't', []);
    expect(pool.usage.available.diskMb, 'one that holds nothing is counted by others').toBe(40);
    const other = { ...one, key: 'm-app-0' };
    expect(() => pool.reserve('m', 't', [other])).toThrow('need 60 MB, have 40 MB');
    pool.reserve('l', 't', [one]);
    expect(pool.usage).toMatchObject({ available: { diskMb: 40 }, allocations: 1 });
    pool.release('l');
    stranded.delete('l');
    expect(pool.usage.available.diskMb).toBe(100);
  });

  it('refuses a key that is asked for twice', () => {
    const pool = new ResourcePool(total);
    const same = { key: 'l-app-0', sku: 's', cpuCores: 1, memoryMb: 1, diskMb: 0 };
    expect(() => pool.reserve('l', 't', [same, same])).toThrow('twice');
  });
});
