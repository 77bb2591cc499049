/** What is looked at before the first lease: the engine has to be there; everything else is only told. */
import type { Engine, EngineDescription } from '@berth/engine';
import { errorText, type Log } from '@berth/service/log';
import { type Config, configWarnings } from './config/index.ts';

const mib = 1024 * 1024;

export function tellSettings(config: Config, log: Log): void {
  for (const warning of configWarnings(config)) log.warn(warning);
  if (!config.networkIsolation)
    log.warn(
      'network_isolation is off: all tenants share the default bridge, and services cannot find one another',
    );
  if (config.callbackInsecureSkipVerify)
    log.error('callback_insecure_skip_verify is on: whoever stands in between can read and answer callbacks');
  log.info('SKU mapping', { mapping: Object.fromEntries(config.skuMapping) });
}

/** Rejects when the engine does not answer; warns of what tenants would do without, and of what it cannot give. */
export async function checkEngine(
  { system }: { readonly system: Pick<Engine['system'], 'ping' | 'info'> },
  config: Pick<Config, 'catalogue' | 'total'>,
  log: Log,
  timeoutMs: number,
): Promise<void> {
  await system.ping({ timeoutMs });
  try {
    const described = await system.info({ timeoutMs });
    const { securityOptions, ipv4Forwarding, warnings } = described;
    warnOfCapacity(described, config, log);
    if (!securityOptions.some((option) => option.startsWith('name=seccomp')))
      log.warn('the engine has no seccomp: containers run without a filter of system calls');
    if (!ipv4Forwarding) log.warn('IPv4 forwarding is off: containers have no network');
    for (const warning of warnings) log.warn('the engine warns', { warning });
  } catch (error) {
    log.warn('the engine does not say what it is', { error: errorText(error) });
  }
}

/** A container with more cores than there are is not made at all; memory that is not there ends containers when they want it. */
function warnOfCapacity(
  { cpus, memoryBytes }: EngineDescription,
  { catalogue, total }: Pick<Config, 'catalogue' | 'total'>,
  log: Log,
): void {
  for (const [profile, { cpuCores }] of catalogue.profiles)
    if (cpuCores > cpus)
      log.warn('a profile has more cores than the engine, its containers cannot be made', {
        profile,
        cpu_cores: cpuCores,
        engine_cpus: cpus,
      });
  const haveMb = Math.floor(memoryBytes / mib);
  if (total.memoryMb > haveMb)
    log.warn('total_memory_mb is more than the engine has', {
      total_memory_mb: total.memoryMb,
      have_mb: haveMb,
    });
}
