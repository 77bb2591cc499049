/** The configuration as the program uses it. */
import type { Environment, Reading } from '@berth/service/config';
import { configOf, readYamlFile } from '@berth/service/config';
import type { Amounts, SkuCatalogue } from '../placement/index.ts';
import { type ConfigValues, configSchema } from './schema.ts';

export interface Config extends ConfigValues {
  readonly catalogue: SkuCatalogue;
  readonly total: Amounts;
}

export type ConfigReading = Reading<ConfigValues>;

/** Reads the file and the variables that beat some of its keys; all that is wrong stands in the reading. */
export function readConfig(file: string, env: Environment): Promise<ConfigReading> {
  return readYamlFile(configSchema, file, { env });
}

/** The configuration, or one error with everything that is wrong with it. */
export function configFrom(reading: ConfigReading): Config {
  const [values] = configOf(reading);
  return {
    ...values,
    containerStopTimeoutMs: values.containerStopTimeoutMs || 30_000,
    startupVerifyDurationMs: values.startupVerifyDurationMs || 5000,
    migrationGracePeriodMs: values.migrationGracePeriodMs || 60_000,
    migrationReadyTimeoutMs: values.migrationReadyTimeoutMs || 90_000,
    ingress: {
      ...values.ingress,
      middlewares: orDefault(values.ingress.middlewares, ['security-headers@file']),
      dnsResolvers: orDefault(values.ingress.dnsResolvers, ['1.1.1.1:53', '8.8.8.8:53', '9.9.9.9:53']),
    },
    catalogue: { profiles: values.skuProfiles, mapping: values.skuMapping },
    total: { cpuCores: values.totalCpuCores, memoryMb: values.totalMemoryMb, diskMb: values.totalDiskMb },
  };
}

const orDefault = (list: readonly string[], standIn: readonly string[]): readonly string[] =>
  list.length === 0 ? standIn : list;
