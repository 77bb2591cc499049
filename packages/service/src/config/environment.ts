/** Configuration from environment variables. */
import type { Fields } from './kind.ts';
import { type Lookup, type Reading, readFields, type Schema, type ValuesOf } from './schema.ts';
import { Findings, INVALID, Spot } from './source.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the variables that the schema names; an empty one counts as unset unless its field says what that means. */
export function readEnvironment<F extends Fields>(schema: Schema<F>, env: Environment): Reading<ValuesOf<F>> {
  const findings = new Findings();
  const lookup: Lookup = (field, spot) => {
    const raw = env[field.key];
    return raw === undefined ? undefined : field.readVariable(raw, spot);
  };
  const { values, given } = readFields(schema, lookup, new Spot('', findings));
  return { values: values === INVALID ? undefined : values, problems: findings.problems, given, unknown: [] };
}
