/** What tenants with a budget of their own hold, beside what they may: told at the start, enforced by later closes only. */
import { errorText, type Log } from '@berth/service/log';
import type { RetentionStore } from '../stores/index.ts';
import type { RetentionLimits } from './budgets.ts';

export function tellHoldings(
  store: Pick<RetentionStore, 'ofTenant' | 'activeMb'>,
  { retentionTenantBudgets: budgets }: Pick<RetentionLimits, 'retentionTenantBudgets'>,
  log: Log,
): void {
  for (const [tenant, { maxLeases, maxDiskMb }] of budgets)
    try {
      const active = store.ofTenant(tenant, 'active');
      const activeMb = store.activeMb({ tenant });
      const sizeless = active.flatMap(({ record }) => record?.items ?? []).filter(isSizeless);
      const context = {
        tenant,
        active_count: active.length,
        budget_count: maxLeases,
        active_mb: activeMb,
        budget_mb: maxDiskMb,
        // What they have on disk is not in the sum.
        unresolved_skus: [...new Set(sizeless.map(({ sku }) => sku))].join(', '),
      };
      if (active.length > maxLeases || activeMb > maxDiskMb)
        log.warn('a tenant has more kept data than its budget allows', context);
      else log.info('kept data of a tenant with a budget', context);
    } catch (error) {
      log.warn('the kept data of a tenant could not be compared with its budget', {
        tenant,
        error: errorText(error),
      });
    }
}

const isSizeless = ({ disk_mb: diskMb }: { readonly disk_mb?: number | undefined }): boolean =>
  diskMb === undefined;
