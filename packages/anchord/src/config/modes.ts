/** The settings of each mode as tables, for those who look at settings without running the mode. */
import {
  type Environment,
  type Fields,
  readEnvironment,
  type Schema,
  shownSettings,
} from '@berth/service/config';
import type { DaemonMode } from './daemon-mode.ts';
import { externalRebinderSchema } from './external-rebinder.ts';
import { managedServiceAnchorSchema, networkAnchorSchema } from './network-anchor.ts';
import { externalRebinderSettings, wrapRebinderSettings } from './rebinders.ts';
import { serviceAnchorSchema } from './service-anchor.ts';
import { managesServiceAnchor, networkAnchorSettings, serviceAnchorSettings } from './settings.ts';
import { wrapRebinderSchema } from './wrap-rebinder.ts';

interface ShownVariable {
  readonly key: string;
  readonly value: string;
  readonly source: 'environment' | 'default';
}

export interface ModeSettings {
  /** Throws `CONFIG_INVALID` with all that is wrong, as the mode itself would. */
  readonly check: (env: Environment) => void;
  /** Every setting, with secrets as asterisks; call it once `check` was content. */
  readonly show: (env: Environment) => readonly ShownVariable[];
  /** The variables that it looks at. */
  readonly keys: readonly string[];
}

export const settingsOfModes: Readonly<Partial<Record<DaemonMode, ModeSettings>>> = {
  'network-anchor': {
    check: networkAnchorSettings,
    show: (env) => [
      ...shown(networkAnchorSchema, env),
      ...(managesServiceAnchor(env) ? shown(managedServiceAnchorSchema, env) : []),
    ],
    keys: [...keysOf(networkAnchorSchema), ...keysOf(managedServiceAnchorSchema)],
  },
  'service-anchor': {
    check: serviceAnchorSettings,
    show: (env) => shown(serviceAnchorSchema, env),
    keys: keysOf(serviceAnchorSchema),
  },
  'external-rebinder': {
    check: externalRebinderSettings,
    show: (env) => shown(externalRebinderSchema, env),
    keys: keysOf(externalRebinderSchema),
  },
  'wrap-rebinder': {
    check: wrapRebinderSettings,
    show: (env) => shown(wrapRebinderSchema, env),
    keys: keysOf(wrapRebinderSchema),
  },
};

function keysOf({ fields }: Pick<Schema, 'fields'>): readonly string[] {
  return Object.values(fields).map(({ key }) => key);
}

function shown<F extends Fields>(schema: Schema<F>, env: Environment): readonly ShownVariable[] {
  const { values, given } = readEnvironment(schema, env);
  if (values === undefined) return [];
  const defaults = new Map(
    Object.values(schema.fields).map(({ key, defaultText }) => [key, defaultText ?? '']),
  );
  return shownSettings(schema, values, given).map(({ key, value, isDefault }) => ({
    key,
    value: isDefault && value === '' ? (defaults.get(key) ?? '') : value,
    source: isDefault ? 'default' : 'environment',
  }));
}
