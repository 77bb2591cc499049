/** What the two rebinders work with. Both throw `CONFIG_INVALID` with all that is wrong. */
import { configOf, type Environment, readEnvironment } from '@berth/service/config';
import { externalRebinderSchema } from './external-rebinder.ts';
import { wrapRebinderSchema } from './wrap-rebinder.ts';

export type ExternalRebinderSettings = ReturnType<typeof externalRebinderSettings>;
export type WrapRebinderSettings = ReturnType<typeof wrapRebinderSettings>;

export function externalRebinderSettings(env: Environment) {
  const [values] = configOf(readEnvironment(externalRebinderSchema, env));
  return values;
}

export function wrapRebinderSettings(env: Environment) {
  const [values] = configOf(readEnvironment(wrapRebinderSchema, env));
  return values;
}
