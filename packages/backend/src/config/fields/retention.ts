/** Data volumes, and what becomes of them when a lease is closed. */
import {
  boolean,
  integer,
  object,
  oneOf,
  optional,
  path,
  record,
  required,
  text,
} from '@berth/service/config';
import { integerOr } from '../limits.ts';
import { parsePartitionSource } from '../partition-source.ts';
import { hours, span } from '../spans.ts';

const budget = object({
  fields: {
    maxLeases: required('max_retained_leases', integer({ min: 1, max: 65536 }), {
      about: 'Closed leases kept.',
    }),
    maxDiskMb: required('max_retained_disk_mb', integer({ min: 1 }), { about: 'Their disk in MiB.' }),
    maxPartitions: optional('max_partitions', integer({ min: 0, max: 1024 }), {
      default: 0,
      about: 'How many partitions the tenant may declare; 0 for none.',
    }),
    perPartitionMaxLeases: optional('per_partition_max_leases', integer({ min: 0 }), {
      default: 0,
      about: 'Closed leases kept in one partition; 0 for no limit of its own.',
    }),
    perPartitionMaxDiskMb: optional('per_partition_max_disk_mb', integer({ min: 0 }), {
      default: 0,
      about: 'Their disk in MiB; 0 for no limit of its own.',
    }),
  },
  rules: (rule) => [
    rule('perPartitionMaxLeases', ['maxLeases', 'maxPartitions'], (value) => {
      const { perPartitionMaxLeases: most, maxLeases, maxPartitions } = value;
      if (most > 0 && maxPartitions === 0) return 'needs max_partitions';
      return most > maxLeases ? `must be at most max_retained_leases (${maxLeases})` : undefined;
    }),
    rule('perPartitionMaxDiskMb', ['maxDiskMb', 'maxPartitions', 'perPartitionMaxLeases'], (value) => {
      const { perPartitionMaxDiskMb: most, maxDiskMb, maxPartitions, perPartitionMaxLeases } = value;
      if (most > 0 && maxPartitions === 0) return 'needs max_partitions';
      if (most > 0 && perPartitionMaxLeases === 0) return 'needs per_partition_max_leases';
      return most > maxDiskMb ? `must be at most max_retained_disk_mb (${maxDiskMb})` : undefined;
    }),
  ],
});

export const retentionFields = {
  retainOnClose: optional('retain_on_close', boolean(), {
    default: false,
    about: 'Keep the data of closed leases.',
  }),
  retentionMaxAgeMs: optional('retention_max_age', span, {
    default: hours(2160),
    about: 'How long the data of a closed lease is kept; 0 for ever.',
  }),
  retentionReapIntervalMs: optional('retention_reap_interval', span, {
    default: hours(1),
    about:
      'How often kept data, and volumes without an owner, are looked through; 0 means `retention_max_age`, then 1h.',
  }),
  maxRetainedLeasesPerTenant: optional('max_retained_leases_per_tenant', integer({ min: 0 }), {
    default: 0,
    about: 'Closed leases kept for one tenant; 0 for any number.',
  }),
  retentionOrphanConfirmations: optional('retention_orphan_confirmations', integer({ min: 0 }), {
    default: 3,
    about: 'After how many looks a record without volumes is dropped; 0 for never.',
  }),
  maxRetainedDiskMb: optional('max_retained_disk_mb', integer({ min: 0 }), {
    default: 0,
    about: 'Disk of all kept data in MiB; 0 for no limit.',
  }),
  maxRetainedDiskMbPerTenant: optional('max_retained_disk_mb_per_tenant', integer({ min: 0 }), {
    default: 0,
    about: 'Disk of the kept data of one tenant in MiB; 0 for no limit.',
  }),
  retentionPartitionSource: optional('retention_partition_source', text(), {
    default: '',
    about: 'Where a manifest names the partition: `manifest.label:<key>` or `manifest.env:<key>`.',
    check: (written) => {
      if (written === '') return undefined;
      const source = parsePartitionSource(written);
      return typeof source === 'string' ? source : undefined;
    },
  }),
  retentionTenantBudgets: optional(
    'retention_tenant_budgets',
    record(budget, {
      names: 'tenant',
      checkName: (tenant) =>
        /^\S+$/.test(tenant) && Buffer.byteLength(tenant) <= 128
          ? undefined
          : 'must be 1 to 128 bytes without white space',
    }),
    { default: new Map(), about: 'Limits of single tenants.' },
  ),
  volumeDataPath: optional('volume_data_path', path(), {
    default: '',
    about: 'Folder of the data volumes; needed when a profile has disk.',
    check: (folder) => (/[ \t\n]/.test(folder) ? 'must have no blank, tab or line feed in it' : undefined),
  }),
  volumeFilesystem: optional('volume_filesystem', oneOf(['', 'btrfs', 'xfs', 'zfs']), {
    default: '',
    about: 'What file system is expected there; empty takes the one that is found.',
  }),
  minAvgFileBytes: optional('min_avg_file_bytes', integerOr(1024, { min: 0 }), {
    default: 1024,
    about: 'Bytes of quota for each inode of the quota; 0 means 1024.',
    check: (bytes) => (bytes < 512 ? 'must be 0 or at least 512' : undefined),
  }),
};
