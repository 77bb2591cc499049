/** Decoders that know their own JSON Schema, so that what we accept and what we publish cannot drift apart. */
import { errors } from '../errors.ts';

/** What we publish; plain JSON. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Where in the manifest a value stands, as a tenant would write it: `ports."80/tcp".ingress`. */
export type Place = string;

export interface Shape<T> {
  readonly schema: JsonSchema;
  decode(value: unknown, place: Place): T;
}

export type Decoded<S> = S extends Shape<infer T> ? T : never;

const plainKey = /^[A-Za-z_][A-Za-z0-9_-]*$/;

export function placeIn(parent: Place, key: string): Place {
  const step = plainKey.test(key) ? key : JSON.stringify(key);
  return parent === '' ? step : `${parent}.${step}`;
}

/** A value as it may appear in an error: short, quoted, on one line. */
export function shown(value: unknown): string {
  // JSON has no word for a number that is too large for it.
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

export function invalid(place: Place, problem: string): Error {
  return errors.error('invalid_manifest', place === '' ? problem : `${place}: ${problem}`);
}

function wrongType(place: Place, expected: string, value: unknown): Error {
  return invalid(place, `expected ${expected}, got ${shown(value)}`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same shape, with more said in its published schema: limits that a later rule enforces. */
export function documented<T>(shape: Shape<T>, more: JsonSchema): Shape<T> {
  return { schema: { ...shape.schema, ...more }, decode: shape.decode };
}

/** Null where nothing has to be said. */
export function orNothing<T>(shape: Shape<T>, nothing: T): Shape<T> {
  return {
    schema: { anyOf: [shape.schema, { type: 'null' }] },
    decode: (value, place) => (value === null ? nothing : shape.decode(value, place)),
  };
}

export const text: Shape<string> = {
  schema: { type: 'string' },
  decode: (value, place) => {
    if (typeof value !== 'string') throw wrongType(place, 'a string', value);
    return value;
  },
};

export const flag: Shape<boolean> = {
  schema: { type: 'boolean' },
  decode: (value, place) => {
    if (typeof value !== 'boolean') throw wrongType(place, 'true or false', value);
    return value;
  },
};

export const integer: Shape<number> = {
  schema: { type: 'integer' },
  decode: (value, place) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value))
      throw wrongType(place, 'an integer', value);
    return value;
  },
};

export function listOf<T>(item: Shape<T>): Shape<readonly T[]> {
  return {
    schema: { type: 'array', items: item.schema },
    decode: (value, place) => {
      if (!Array.isArray(value)) throw wrongType(place, 'a list', value);
      return value.map((entry: unknown, index) => item.decode(entry, `${place}[${index}]`));
    },
  };
}

/** An object whose keys are the tenant's: a Map, so that no key (`__proto__`) can mean anything to the language. */
export function mapOf<T>(entry: Shape<T>): Shape<ReadonlyMap<string, T>> {
  return {
    schema: { type: 'object', additionalProperties: entry.schema },
    decode: (value, place) => {
      if (!isObject(value)) throw wrongType(place, 'an object', value);
      return new Map(
        Object.entries(value).map(([key, one]) => [key, entry.decode(one, placeIn(place, key))]),
      );
    },
  };
}

type Fields = Readonly<Record<string, Shape<unknown>>>;
type DecodedFields<F extends Fields> = { readonly [K in keyof F]?: Decoded<F[K]> };

/**
 * An object with the given fields and no others. Field names match whatever their letter case, null is absence; when two
 * spellings of one field are present, the later one counts.
 */
export function objectOf<F extends Fields>(fields: F, required: readonly (keyof F & string)[] = []) {
  const canonical = new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name]));
  const properties = Object.fromEntries(Object.entries(fields).map(([name, shape]) => [name, shape.schema]));
  const shape: Shape<DecodedFields<F>> = {
    schema: {
      type: 'object',
      properties,
      additionalProperties: false,
      ...(required.length > 0 && { required }),
    },
    decode: (value, place) => {
      if (!isObject(value)) throw wrongType(place, 'an object', value);
      const decoded: Record<string, unknown> = {};
      for (const [key, field] of Object.entries(value)) {
        const name = canonical.get(key.toLowerCase());
        const known = name === undefined ? undefined : fields[name];
        if (name === undefined || known === undefined) throw invalid(placeIn(place, key), 'unknown field');
        if (field === null) delete decoded[name];
        else decoded[name] = known.decode(field, placeIn(place, name));
      }
      return decoded as DecodedFields<F>;
    },
  };
  return shape;
}
