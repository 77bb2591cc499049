import { shownSettings } from '@berth/service/config';
import type { ConfigReading } from './config.ts';
import { type ConfigValues, configSchema } from './schema.ts';

/** The settings in effect, one a line, secrets hidden; those that are not written anywhere are marked. */
export function printedConfig(values: ConfigValues, given: ConfigReading['given']): string {
  const settings = shownSettings(configSchema, values, given);
  const lines = settings.map(({ key, value, isDefault }) => {
    const shown = key === 'callback_secret' ? '[REDACTED]' : value;
    return `${key}: ${shown === '' ? '""' : shown}${isDefault ? '  # default' : ''}`;
  });
  return `${lines.join('\n')}\n`;
}
