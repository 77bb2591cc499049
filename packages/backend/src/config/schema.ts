/** Every key of the configuration file, and the rules between them. */
import { type Schema, schema, type ValuesOf } from '@berth/service/config';
import { capacityFields } from './fields/capacity.ts';
import { containersFields } from './fields/containers.ts';
import { ingressField } from './fields/ingress.ts';
import { retentionFields } from './fields/retention.ts';
import { serviceFields } from './fields/service.ts';
import { storesFields } from './fields/stores.ts';
import { timingFields } from './fields/timing.ts';

const fields = {
  ...serviceFields,
  ...capacityFields,
  ...timingFields,
  ...containersFields,
  ingress: ingressField,
  ...retentionFields,
  ...storesFields,
};

type Values = ValuesOf<typeof fields>;

/** The largest volume that a profile asks for. */
export const largestDiskMb = ({ skuProfiles }: Pick<Values, 'skuProfiles'>): number =>
  Math.max(0, ...Array.from(skuProfiles.values(), ({ diskMb }) => diskMb));

/** What a limit of kept disk breaks: it must hold at least the largest volume, and fit into what is above it. */
function diskCapProblem(capMb: number, totalMb: number, largestMb: number, globalMb = 0): string | undefined {
  if (capMb === 0) return undefined;
  if (capMb > totalMb) return `must be at most total_disk_mb (${totalMb})`;
  if (globalMb > 0 && capMb > globalMb) return `must be at most max_retained_disk_mb (${globalMb})`;
  return capMb < largestMb ? `must hold the largest profile (${largestMb} MiB)` : undefined;
}

export const configSchema: Schema<typeof fields> = schema({
  title: 'docker-backend',
  about:
    'A YAML file, named with `-config`. What is not in it has its default; maps begin empty. Unknown keys are passed over with a ' +
    'warning. Durations are written `300ms`, `30s`, `5m`, `2160h`; MB means MiB.',
  fields,
  rules: (rule) => [
    rule('tlsKeyFile', ['tlsCertFile'], ({ tlsCertFile, tlsKeyFile }) =>
      (tlsCertFile === '') === (tlsKeyFile === '') ? undefined : 'and tls_cert_file must be set together',
    ),
    rule('tlsClientCaFile', ['tlsCertFile'], ({ tlsClientCaFile, tlsCertFile }) =>
      tlsClientCaFile !== '' && tlsCertFile === '' ? 'needs tls_cert_file and tls_key_file' : undefined,
    ),
    rule('tlsClientAllowedNames', ['tlsClientCaFile'], ({ tlsClientAllowedNames, tlsClientCaFile }) =>
      tlsClientAllowedNames.length > 0 && tlsClientCaFile === '' ? 'needs tls_client_ca_file' : undefined,
    ),
    rule('skuMapping', ['skuProfiles'], ({ skuMapping, skuProfiles }) => {
      const targets = new Set(skuMapping.values());
      const unknown = [...skuMapping].filter(([, name]) => !skuProfiles.has(name));
      const unreachable = [...skuProfiles.keys()].filter((name) => skuMapping.size > 0 && !targets.has(name));
      return [
        ...unknown.map(([sku, name]) => `entry "${sku}" leads to "${name}", which is no profile`),
        ...unreachable.map((name) => `leads to every profile but "${name}", which can never be used`),
      ];
    }),
    rule('maxRetainedDiskMb', ['totalDiskMb', 'skuProfiles'], (values) =>
      diskCapProblem(values.maxRetainedDiskMb, values.totalDiskMb, largestDiskMb(values)),
    ),
    rule('maxRetainedDiskMbPerTenant', ['totalDiskMb', 'skuProfiles', 'maxRetainedDiskMb'], (values) =>
      diskCapProblem(
        values.maxRetainedDiskMbPerTenant,
        values.totalDiskMb,
        largestDiskMb(values),
        values.maxRetainedDiskMb,
      ),
    ),
    rule('retentionTenantBudgets', ['totalDiskMb', 'skuProfiles', 'maxRetainedDiskMb'], (values) => {
      const { totalDiskMb, maxRetainedDiskMb } = values;
      const largest = largestDiskMb(values);
      return [...values.retentionTenantBudgets].flatMap(([tenant, { maxDiskMb, perPartitionMaxDiskMb }]) => {
        const whole = diskCapProblem(maxDiskMb, totalDiskMb, largest, maxRetainedDiskMb);
        const part =
          perPartitionMaxDiskMb > 0 && perPartitionMaxDiskMb < largest
            ? `must hold the largest profile (${largest} MiB)`
            : undefined;
        return [
          ...(whole === undefined ? [] : [`entry "${tenant}": max_retained_disk_mb ${whole}`]),
          ...(part === undefined ? [] : [`entry "${tenant}": per_partition_max_disk_mb ${part}`]),
        ];
      });
    }),
    rule('volumeDataPath', ['skuProfiles'], (values) =>
      largestDiskMb(values) > 0 && values.volumeDataPath === ''
        ? 'must be set, because a profile has disk_mb above 0'
        : undefined,
    ),
    rule('ingress', ['networkIsolation'], ({ ingress: { enabled }, networkIsolation }) =>
      enabled && !networkIsolation ? 'needs network_isolation' : undefined,
    ),
    rule('tenantQuota', ['totalCpuCores', 'totalMemoryMb', 'totalDiskMb'], (values) => {
      const { tenantQuota } = values;
      if (tenantQuota === undefined) return [];
      const pairs = [
        ['max_cpu_cores', tenantQuota.cpuCores, 'total_cpu_cores', values.totalCpuCores],
        ['max_memory_mb', tenantQuota.memoryMb, 'total_memory_mb', values.totalMemoryMb],
        ['max_disk_mb', tenantQuota.diskMb, 'total_disk_mb', values.totalDiskMb],
      ] as const;
      return pairs.flatMap(([key, value, total, most]) =>
        value > most ? [`${key} must be at most ${total} (${most})`] : [],
      );
    }),
    rule('callbackInsecureSkipVerify', ['productionMode'], (values) =>
      values.productionMode && values.callbackInsecureSkipVerify
        ? 'is refused in production_mode'
        : undefined,
    ),
  ],
});

/** What is configured, before the stand-ins of `config.ts`. */
export type ConfigValues = Values;
