/** Which fields a run of loads fetches. */
import {
  dataTypes,
  type Expression,
  exists,
  type Family,
  type Field,
  fieldBytes,
  fieldRow,
  fieldsFrom,
  type Need,
  needsOf,
  type Register,
  type Source,
  unmet,
} from '../model/index.ts';
import { registersFor } from './registers.ts';

export interface Loaded {
  readonly fields: readonly Field[];
  /** Only so many of the first bytes of a single address. */
  readonly bytes?: number;
}

/** The fields at the start of the list that lie side by side in the registers, from the first one on. */
export function loadedFields(
  family: Family,
  known: readonly Need[],
  expressions: readonly Expression[],
): Loaded | undefined {
  const found: Field[] = [];
  let next: Register = 0;
  for (const expression of expressions) {
    const source = sourceOf(expression);
    if (source === undefined || !('into' in expression) || expression.into !== next) break;
    const bytes = expression.is === 'payload' ? expression.bytes : undefined;
    const field = fieldAt(family, known, source, bytes);
    if (field === undefined) break;
    if (bytes !== undefined && bytes < fieldBytes(field)) {
      return found.length === 0 ? { fields: [field], bytes } : undefined;
    }
    found.push(field);
    next += registersFor(fieldBytes(field));
  }
  return found.length === 0 ? undefined : { fields: found };
}

function fieldAt(
  family: Family,
  known: readonly Need[],
  source: Source,
  bytes: number | undefined,
): Field | undefined {
  const possible = fieldsFrom(source).filter(
    (field) => exists(family, field) && unmet(needsOf(family, [field]), known).length === 0,
  );
  return (
    possible.find((field) => bytes === undefined || bytes === fieldBytes(field)) ??
    possible.find(
      (field) =>
        bytes !== undefined &&
        bytes < fieldBytes(field) &&
        dataTypes[fieldRow(field).type].addressBits !== undefined,
    )
  );
}

function sourceOf(expression: Expression): Source | undefined {
  switch (expression.is) {
    case 'meta':
      return { from: 'meta', key: expression.key };
    case 'payload':
      return { from: 'payload', base: expression.base, offset: expression.offset };
    case 'ct':
      return expression.direction === undefined
        ? { from: 'ct', key: expression.key }
        : { from: 'ct', key: expression.key, direction: expression.direction };
    case 'fib':
      return { from: 'fib', result: expression.result, flags: expression.flags };
    default:
      return undefined;
  }
}
