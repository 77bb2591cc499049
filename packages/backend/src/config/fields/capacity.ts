/** What there is to give away, in which portions, and to whom. */
import { decimal, integer, list, object, optional, record, required, text } from '@berth/service/config';
import { largestCpuCores, largestMb } from '../limits.ts';

/** Less than this the kernel does not divide a core into, and of nearly nothing the engine makes no limit at all. */
const smallestCpuCores = 0.01;
/** With less the engine makes no container. */
const smallestMemoryMb = 6;

const profile = object({
  fields: {
    cpuCores: required('cpu_cores', decimal({ min: smallestCpuCores, max: largestCpuCores }), {
      about: `CPU cores; fractions are allowed, from ${smallestCpuCores} on.`,
    }),
    memoryMb: required('memory_mb', integer({ min: smallestMemoryMb, max: largestMb }), {
      about: `Memory in MiB, at least ${smallestMemoryMb}; there is no swap beside it.`,
    }),
    diskMb: optional('disk_mb', integer({ min: 0, max: largestMb }), {
      default: 0,
      about: 'Quota of the data volume in MiB; 0 means that there is none.',
    }),
  },
});

const quota = object({
  fields: {
    cpuCores: required('max_cpu_cores', decimal({ above: 0, max: largestCpuCores }), { about: 'CPU cores.' }),
    memoryMb: required('max_memory_mb', integer({ min: 1, max: largestMb }), { about: 'Memory in MiB.' }),
    diskMb: required('max_disk_mb', integer({ min: 1, max: largestMb }), { about: 'Disk in MiB.' }),
  },
});

export const capacityFields = {
  totalCpuCores: optional('total_cpu_cores', decimal({ above: 0, max: largestCpuCores }), {
    default: 8,
    about: 'CPU cores for leases.',
  }),
  totalMemoryMb: optional('total_memory_mb', integer({ min: 1, max: largestMb }), {
    default: 16384,
    about: 'Memory for leases, in MiB.',
  }),
  totalDiskMb: optional('total_disk_mb', integer({ min: 1, max: largestMb }), {
    default: 102400,
    about: 'Disk for leases, in MiB.',
  }),
  skuProfiles: required('sku_profiles', record(profile, { minEntries: 1 }), {
    about: 'What one instance of each tier may use.',
  }),
  skuMapping: optional('sku_mapping', record(text(), { names: 'SKU' }), {
    default: new Map<string, string>(),
    about: 'SKU of the chain to name of a profile.',
  }),
  allowedRegistries: optional('allowed_registries', list(text({ minLength: 1 }), { minItems: 1 }), {
    default: ['docker.io', 'ghcr.io'],
    about: 'Registries that images may come from, exactly.',
  }),
  tenantQuota: optional('tenant_quota', quota, {
    about: 'What the live leases of one tenant may use together.',
  }),
};
