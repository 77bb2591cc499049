import { RecordingLog } from '@berth/service/testing';
import { describe, expect, it } from 'vitest';
import { RetentionStore } from '../stores/index.ts';
import { leaseId } from '../testing/leases.ts';
import { storeFolder } from '../testing/store-folder.ts';
import { tellHoldings } from './holdings.ts';

const budget = (maxLeases: number, maxDiskMb: number) => ({
  maxLeases,
  maxDiskMb,
  maxPartitions: 0,
  perPartitionMaxLeases: 0,
  perPartitionMaxDiskMb: 0,
});

describe('at the start, the kept data of a tenant with a budget', () => {
  it('is told, as a warning when it is more than the budget', () => {
    using folder = storeFolder();
    const store = new RetentionStore(folder.path('retention.db'));
    const keep = (n: number, tenant: string, diskMb?: number): void => {
      store.adopt(leaseId(n), {
        original_lease_uuid: leaseId(n),
        tenant,
        provider_uuid: 'p',
        items: [{ sku: 'small', quantity: 2, ...(diskMb !== undefined && { disk_mb: diskMb }) }],
        callback_url: '',
        retained_volume_names: [],
        status: n === 9 ? 'reaping' : 'active',
        generation: 0,
        created_at: '2026-01-01T00:00:00Z',
      });
    };
    for (const n of [1, 2]) keep(n, 'many', 10);
    keep(3, 'large', 30);
    keep(4, 'within', 10);
    keep(5, 'within');
    keep(6, 'without a budget', 1000);
    keep(9, 'within', 1000);
    const logs = new RecordingLog();
    const retentionTenantBudgets = new Map([
      ['many', budget(1, 100)],
      ['large', budget(1, 59)],
      ['within', budget(2, 20)],
    ]);
    tellHoldings(store, { retentionTenantBudgets }, logs.log);
    const holds = { active_count: 1, budget_count: 1, unresolved_skus: '' };
    expect(logs.attrsOf('a tenant has more kept data than its budget allows')).toMatchObject([
      { tenant: 'many', ...holds, active_count: 2, active_mb: 40, budget_mb: 100 },
      { tenant: 'large', ...holds, active_mb: 60, budget_mb: 59 },
    ]);
    expect(logs.attrsOf('kept data of a tenant with a budget')).toMatchObject([
      {
        tenant: 'within',
        active_count: 2,
        budget_count: 2,
        active_mb: 20,
        budget_mb: 20,
        unresolved_skus: 'small',
      },
    ]);
    store.file.close();
    tellHoldings(store, { retentionTenantBudgets }, logs.log);
    expect(logs.attrsOf('the kept data of a tenant could not be compared with its budget')).toHaveLength(3);
  });
});
