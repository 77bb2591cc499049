import type { Config } from './config.ts';
import { largestDiskMb } from './schema.ts';

/** What is allowed, but hardly meant: told at every start. */
export function configWarnings(config: Config): readonly string[] {
  return [
    ...profileWarnings(config),
    ...retentionWarnings(config),
    ...(config.retainOnClose ? budgetWarnings(config) : []),
  ];
}

/** A tier that asks for more than the whole, of whatever there is. */
function profileWarnings({ catalogue, total }: Pick<Config, 'catalogue' | 'total'>): readonly string[] {
  const parts = [
    ['cpu_cores', 'cpuCores', 'total_cpu_cores'],
    ['memory_mb', 'memoryMb', 'total_memory_mb'],
    ['disk_mb', 'diskMb', 'total_disk_mb'],
  ] as const;
  return [...catalogue.profiles].flatMap(([name, profile]) =>
    parts
      .filter(([, part]) => profile[part] > total[part])
      .map(
        ([key, part, whole]) =>
          `sku_profiles.${name}: ${key} ${profile[part]} is more than ${whole} (${total[part]}): no lease can have it`,
      ),
  );
}

function retentionWarnings(config: Config): readonly string[] {
  const { retainOnClose, maxRetainedDiskMb, maxRetainedDiskMbPerTenant, maxRetainedLeasesPerTenant } = config;
  const perTenant = maxRetainedDiskMbPerTenant > 0 || maxRetainedLeasesPerTenant > 0;
  const configured =
    perTenant ||
    maxRetainedDiskMb > 0 ||
    config.retentionPartitionSource !== '' ||
    config.retentionTenantBudgets.size > 0;
  if (!retainOnClose)
    return configured
      ? ['limits of kept data are set, but retain_on_close is false: they have no effect']
      : [];
  return maxRetainedDiskMb > 0 && !perTenant
    ? ['max_retained_disk_mb is set without any limit per tenant: one tenant can fill it alone']
    : [];
}

function budgetWarnings(config: Config): readonly string[] {
  const { retentionPartitionSource: source, retentionTenantBudgets: budgets } = config;
  const largest = largestDiskMb(config);
  const ofBudgets = [...budgets].flatMap(([tenant, budget]) => {
    const { maxPartitions, perPartitionMaxDiskMb: diskMb, perPartitionMaxLeases: leases } = budget;
    return [
      ...(maxPartitions > 0 && source === ''
        ? [`retention_tenant_budgets.${tenant} has partitions, but retention_partition_source is not set`]
        : []),
      ...(diskMb > 0 && diskMb < (leases + 1) * largest
        ? [
            `retention_tenant_budgets.${tenant}: the disk of a partition is used up before its count, nothing will roll`,
          ]
        : []),
    ];
  });
  return [
    ...(source !== '' && budgets.size === 0
      ? ['retention_partition_source is set, but no tenant has a budget with partitions']
      : []),
    ...ofBudgets,
  ];
}
