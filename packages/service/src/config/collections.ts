/** Kinds that hold several values: lists, maps, objects. */
import type { Kind } from './kind.ts';
import { INVALID, nameOf, type ScalarNode, type SourceNode, textNode } from './source.ts';

export interface ListOptions {
  readonly minItems?: number;
}

/** A sequence, or in an environment a text with commas between the items (blanks around them and empty ones fall out). */
export function list<T>(item: Kind<T>, { minItems = 0 }: ListOptions = {}): Kind<readonly T[]> {
  return {
    title: `list of ${item.title}`,
    trims: true,
    jsonSchema: { type: 'array', items: item.jsonSchema, ...(minItems > 0 ? { minItems } : {}) },
    read(node, spot) {
      const items = itemsOf(node);
      if (items === undefined) return spot.fail(`${spot.name} must be a list, not ${nameOf(node)}`, node);
      if (items.length < minItems) {
        return spot.fail(
          `${spot.name} must have at least ${minItems === 1 ? 'one entry' : `${minItems} entries`}`,
          node,
        );
      }
      const values = items.map((entry, index) => item.read(entry, spot.inside(index)));
      return values.some((value) => value === INVALID) ? INVALID : (values as T[]);
    },
    print: (values) => values.map((value) => item.print(value)).join(', '),
  };
}

function itemsOf(node: SourceNode): readonly SourceNode[] | undefined {
  if (node.type === 'list') return node.items;
  if (node.type !== 'scalar' || node.place !== undefined) return undefined;
  return node.text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map(textNode);
}

export interface RecordOptions {
  readonly minEntries?: number;
  /** Completes the sentence `<key> entry "<name>" …` when a name will not do. */
  readonly checkName?: (name: string) => string | undefined;
  /** What the names are, for the reference. */
  readonly names?: string;
}

/** A mapping from names that the operator chooses to values of one kind. */
export function record<T>(value: Kind<T>, options: RecordOptions = {}): Kind<ReadonlyMap<string, T>> {
  const { minEntries = 0, checkName, names = 'name' } = options;
  return {
    title: `map ${names} → ${value.title}`,
    ...(value.inside === undefined ? {} : { inside: { ...value.inside, perName: true } }),
    jsonSchema: {
      type: 'object',
      additionalProperties: value.jsonSchema,
      ...(minEntries > 0 ? { minProperties: minEntries } : {}),
    },
    read(node, spot) {
      if (node.type !== 'map') return spot.fail(`${spot.name} must be a mapping, not ${nameOf(node)}`, node);
      if (node.entries.size < minEntries) {
        return spot.fail(
          `${spot.name} must have at least ${minEntries === 1 ? 'one entry' : `${minEntries} entries`}`,
          node,
        );
      }
      let valid = true;
      const map = new Map<string, T>();
      for (const [name, entry] of node.entries) {
        const badName = checkName?.(name);
        if (badName !== undefined) {
          spot.fail(`${spot.name} entry "${name}" ${badName}`, entry);
          valid = false;
        }
        const read = value.read(entry, spot.inside(name));
        if (typeof read === 'symbol') valid = false;
        else map.set(name, read);
      }
      return valid ? map : INVALID;
    },
    print: (map) => `{${Array.from(map, ([name, entry]) => `${name}: ${value.print(entry)}`).join(', ')}}`,
  };
}

/** Strings by string: a mapping, or in an environment a JSON object. */
export function stringMap(): Kind<ReadonlyMap<string, string>> {
  return {
    title: 'JSON object of strings',
    trims: true,
    jsonSchema: { type: 'object', additionalProperties: { type: 'string' } },
    read(node, spot) {
      const got = node.type === 'scalar' ? stringsInJson(node) : stringsInMap(node);
      if (typeof got !== 'string') return got;
      return spot.fail(`invalid ${spot.name}: must be a JSON object of string->string, got ${got}`, node);
    },
    print: (map) => JSON.stringify(Object.fromEntries(map)),
  };
}

/** The map, or what was there instead. */
type Strings = ReadonlyMap<string, string> | string;

function stringsInJson(node: ScalarNode): Strings {
  let document: unknown;
  try {
    document = JSON.parse(node.text);
  } catch {
    return 'a text that is not JSON';
  }
  if (document === null) return new Map();
  if (Array.isArray(document)) return 'an array';
  if (typeof document !== 'object') return `a ${typeof document}`;
  return strings(Object.entries(document));
}

function stringsInMap(node: SourceNode): Strings {
  if (node.type !== 'map') return nameOf(node);
  return strings(
    Array.from(
      node.entries,
      ([name, entry]) => [name, entry.type === 'scalar' ? entry.value : entry.type] as const,
    ),
  );
}

function strings(entries: Iterable<readonly [string, unknown]>): Strings {
  const map = new Map<string, string>();
  for (const [name, value] of entries) {
    if (value !== null && typeof value !== 'string') {
      return `${Array.isArray(value) ? 'an array' : `a ${typeof value}`} for "${name}"`;
    }
    map.set(name, value ?? '');
  }
  return map;
}
