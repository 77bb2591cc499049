/** A configuration as it may be shown: every setting, its value, where it comes from; secrets only as asterisks. */
import type { Fields } from './kind.ts';
import type { Reading, Schema, ValuesOf } from './schema.ts';

export interface ShownSetting {
  readonly key: string;
  readonly value: string;
  readonly isDefault: boolean;
}

export function shownSettings<F extends Fields>(
  { fields }: Schema<F>,
  values: ValuesOf<F>,
  given: Reading<ValuesOf<F>>['given'],
): readonly ShownSetting[] {
  return Object.entries(fields).map(([property, field]) => {
    const value = values[property];
    const hidden = field.kind.secret === true && value !== undefined && value !== null;
    return { key: field.key, value: hidden ? '***' : field.print(value), isDefault: !given.has(property) };
  });
}
