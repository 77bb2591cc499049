/** What is looked at before the first lease: the engine has to be there; everything else is only told. */
import type { Engine } from '@berth/engine';
import { errorText, type Log } from '@berth/service/log';
import { type Config, configWarnings } from './config/index.ts';

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

/** Rejects when the engine does not answer; warns of what tenants would do without. */
export async function checkEngine(engine: Engine, log: Log, timeoutMs: number): Promise<void> {
  await engine.system.ping({ timeoutMs });
  try {
    const { securityOptions, ipv4Forwarding, warnings } = await engine.system.info({ timeoutMs });
    if (!securityOptions.some((option) => option.startsWith('name=seccomp')))
      log.warn('the engine has no seccomp: containers run without a filter of system calls');
    if (!ipv4Forwarding) log.warn('IPv4 forwarding is off: containers have no network');
    for (const warning of warnings) log.warn('the engine warns', { warning });
  } catch (error) {
    log.warn('the engine does not say what it is', { error: errorText(error) });
  }
}
