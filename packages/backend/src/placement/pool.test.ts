import { describe, expect, it } from 'vitest';
import { type Allocation, ResourcePool } from './pool.ts';

const of = (lease: string, diskMb: number): Allocation => ({
  key: `${lease}-web-0`,
  sku: 'small',
  cpuCores: 1,
  memoryMb: 64,
  diskMb,
});

describe('a restore', () => {
  /** 40 of 100 held by a lease, 60 kept of the one that comes back. */
  const nearlyFull = (quotaDiskMb?: number): ResourcePool => {
    const total = { cpuCores: 2, memoryMb: 4096, diskMb: 100 };
    const pool = new ResourcePool(
      total,
      quotaDiskMb === undefined ? undefined : { ...total, diskMb: quotaDiskMb },
    );
    pool.reserve('other', 'bob', [of('other', 40)]);
    pool.retainedDiskMb = 60;
    return pool;
  };

  it('needs no room for what is kept of it, on a disk that is full', () => {
    const pool = nearlyFull();
    pool.reserveRestored('new', 'alice', [of('new', 60)], 60);
    expect(pool.held('new')).toHaveLength(1);
    expect(() => nearlyFull().reserve('new', 'alice', [of('new', 60)])).toThrow('insufficient disk');
  });

  it('needs room for what goes beyond that', () => {
    const pool = nearlyFull();
    expect(() => pool.reserveRestored('new', 'alice', [of('new', 61)], 60)).toThrow(
      'insufficient resources: insufficient disk: need 1 MB, have 0 MB available',
    );
    expect(pool.held('new')).toEqual([]);
  });

  it('counts in full for its tenant, and needs cores and memory like any other', () => {
    expect(() => nearlyFull(59).reserveRestored('new', 'alice', [of('new', 60)], 60)).toThrow(
      'tenant quota for disk exceeded: need 60 MB, have 59 MB of a quota of 59 MB',
    );
    const two = [of('new', 30), { ...of('new', 30), key: 'new-web-1' }];
    expect(() => nearlyFull().reserveRestored('new', 'alice', two, 60)).toThrow('insufficient CPU');
  });
});
