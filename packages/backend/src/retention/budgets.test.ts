import { describe, expect, it } from 'vitest';
import { breach, evictions } from './budgets.ts';

describe('limits', () => {
  const budget = {
    maxLeases: 3,
    maxDiskMb: 0,
    maxPartitions: 4,
    perPartitionMaxLeases: 2,
    perPartitionMaxDiskMb: 0,
  };
  const lease = (name: string, partition = '') => ({ lease: name, partition });

  it('evict within the partition first, then over all, the oldest first', () => {
    const held = [lease('1', 'x'), lease('2'), lease('3', 'x'), lease('4', 'x'), lease('5')];
    expect(evictions(budget, held, 'x')).toEqual([
      { lease: '1', level: 'partition' },
      { lease: '3', level: 'partition' },
      { lease: '2', level: 'tenant' },
    ]);
    expect(evictions(budget, held, '').map(({ lease: one }) => one)).toEqual(['1', '2', '3']);
    expect(evictions({ ...budget, maxLeases: 0 }, held, '')).toEqual([]);
    const many = Array.from({ length: 100 }, (_, n) => lease(String(n)));
    expect(evictions(budget, many, '')).toHaveLength(32);
  });

  it('refuse at the first level that would be broken, and read nothing for one that is not set', () => {
    const never = () => {
      throw new Error('read');
    };
    expect(
      breach({ global: 0, tenant: 0, partition: 0 }, { global: never, tenant: never, partition: never }, 1),
    ).toBe(undefined);
    const held = { global: () => 50, tenant: () => 20, partition: () => 10 };
    expect(breach({ global: 100, tenant: 70, partition: 60 }, held, 50)).toBeUndefined();
    expect(breach({ global: 100, tenant: 70, partition: 60 }, held, 51)).toBe('global');
    expect(breach({ global: 0, tenant: 70, partition: 60 }, held, 51)).toBe('tenant');
    expect(breach({ global: 0, tenant: 0, partition: 60 }, held, 51)).toBe('partition');
  });
});
