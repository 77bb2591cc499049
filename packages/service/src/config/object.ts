/** Settings inside a setting. */
import type { Field, Fields, JsonSchema, Kind } from './kind.ts';
import { nearest } from './nearest.ts';
import {
  type FieldsRead,
  type Lookup,
  readFields,
  rulesOf,
  type Schema,
  type SchemaParts,
  type ValuesOf,
} from './schema.ts';
import { type MapNode, nameOf, type SourceNode, type Spot } from './source.ts';

export type ObjectParts<F extends Fields> = Pick<SchemaParts<F>, 'fields' | 'rules'>;

/** A mapping whose keys are known, each with a field of its own. */
export function object<F extends Fields>(parts: ObjectParts<F>): Kind<ValuesOf<F>> {
  const { fields } = parts;
  const rules = rulesOf(parts);
  return {
    title: 'map',
    inside: { fields, perName: false },
    get jsonSchema() {
      return objectJsonSchema(fields);
    },
    read(node, spot) {
      if (node.type !== 'map') return spot.fail(`${spot.name} must be a mapping, not ${nameOf(node)}`, node);
      return readMapping({ fields, rules }, node, spot).values;
    },
    print(values) {
      const parts = Object.entries(fields).map(([property, field]) => {
        return `${field.key}: ${field.kind.secret === true ? '***' : field.print(values[property])}`;
      });
      return `{${parts.join(', ')}}`;
    },
  };
}

const EMPTY: MapNode = { type: 'map', entries: new Map() };

/** A mapping that may be left out: then every setting in it has its default. */
export function section<F extends Fields>(
  key: string,
  parts: ObjectParts<F>,
  about: string,
): Field<ValuesOf<F>> {
  const kind = object(parts);
  return {
    key,
    about,
    required: false,
    env: undefined,
    kind,
    defaultText: undefined,
    unset: (spot) => kind.read(EMPTY, spot),
    read: (node, spot) => kind.read(node, spot),
    readVariable: (_, spot) => ({ value: spot.fail(`${spot.name} cannot come from a variable`) }),
    print: (values) => kind.print(values),
  };
}

/** Reads the keys of a mapping and notes those that nobody claims. A key with nothing behind it counts as unset. */
export function readMapping<F extends Fields>(
  parts: Pick<Schema<F>, 'fields' | 'rules'>,
  node: MapNode,
  spot: Spot,
  override: Lookup = () => undefined,
): FieldsRead<F> {
  const known = new Set(Object.values(parts.fields).map(({ key }) => key));
  for (const key of node.entries.keys()) {
    if (known.has(key)) continue;
    const place = node.keyPlaces?.get(key);
    const meant = nearest(key, known);
    spot.findings.unknown.push({
      key: spot.inside(key).name,
      ...(meant === undefined ? {} : { meant: spot.inside(meant).name }),
      ...(place === undefined ? {} : { place }),
    });
  }
  const lookup: Lookup = (field, at) => {
    const overridden = override(field, at);
    if (overridden !== undefined) return overridden;
    const entry = node.entries.get(field.key);
    return entry === undefined || isNothing(entry)
      ? undefined
      : { value: field.read(entry, at), place: entry.place };
  };
  return readFields(parts, lookup, spot);
}

const isNothing = (node: SourceNode): boolean => node.type === 'scalar' && node.value === null;

export function objectJsonSchema(fields: Fields): JsonSchema {
  const properties = Object.values(fields).map(({ key, kind, about, defaultText }) => {
    const shown = defaultText === undefined ? about : `${about} Default: \`${defaultText}\`.`;
    return [key, { ...kind.jsonSchema, description: shown }] as const;
  });
  const required = Object.values(fields).filter((field) => field.required);
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length > 0 ? { required: required.map(({ key }) => key) } : {}),
  };
}
