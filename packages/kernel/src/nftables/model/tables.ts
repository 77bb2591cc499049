/** Tables, chains, sets and maps in words. */
import type { DataType, Scalar } from './data-types.ts';
import type { Family } from './family.ts';
import { given } from './given.ts';
import type {
  Base,
  Chain,
  Counter,
  Element,
  MapElement,
  NamedMap,
  NamedSet,
  Policy,
  Rule,
  Ruleset,
  SetShape,
  Table,
} from './ruleset.ts';
import type { Decide } from './statements.ts';
import type { Data, Key, Part } from './values.ts';

export const ruleset = (owner: string, ...tables: readonly Table[]): Ruleset => ({ owner, tables });

interface TableContent {
  readonly comment?: string;
  readonly counters?: readonly Counter[];
  readonly sets?: readonly (NamedSet | NamedMap)[];
  readonly chains?: readonly Chain[];
}

export const table = (family: Family, name: string, content: TableContent = {}): Table => ({
  family,
  name,
  counters: [],
  sets: [],
  chains: [],
  ...content,
});

/** By the names that `nft` has for them. */
export const priorities = {
  raw: -300,
  mangle: -150,
  dstnat: -100,
  filter: 0,
  security: 50,
  srcnat: 100,
} as const;

/** A chain that only sees what is sent to it. */
export const chain = (name: string, rules: readonly Rule[] = [], comment?: string): Chain => ({
  name,
  ...given('comment', comment),
  rules,
});

/** A chain that sees packets by itself. */
export const baseChain = (
  name: string,
  base: Omit<Base, 'policy'> & { readonly policy?: Policy },
  rules: readonly Rule[] = [],
  comment?: string,
): Chain => ({ name, base: { policy: 'accept', ...base }, ...given('comment', comment), rules });

export const counter = (name: string, comment?: string): Counter => ({ name, ...given('comment', comment) });

type KeyTypes = DataType | readonly DataType[];
const typesOf = (types: KeyTypes): readonly DataType[] => (typeof types === 'string' ? [types] : types);

interface SetOptions extends Omit<SetShape, 'name' | 'key'> {
  readonly key: KeyTypes;
}

export const set = (
  name: string,
  { key, ...options }: SetOptions,
  elements: readonly Element[] = [],
): NamedSet => ({ kind: 'set', name, ...options, key: typesOf(key), elements });

interface MapOptions extends SetOptions {
  readonly data: KeyTypes | 'verdict';
}

export const map = (
  name: string,
  { key, data, ...options }: MapOptions,
  elements: readonly MapElement[] = [],
): NamedMap => ({
  kind: 'map',
  name,
  ...options,
  key: typesOf(key),
  data: data === 'verdict' ? data : typesOf(data),
  elements,
});

interface ElementOptions {
  readonly comment?: string;
  readonly timeoutMs?: number;
}

type KeyLike = Part | Key;
const isKey = (key: KeyLike): key is Key => Array.isArray(key);

export const element = (key: KeyLike, options: ElementOptions = {}): Element => ({
  key: isKey(key) ? key : [key],
  ...options,
});

type DataLike = Scalar | readonly Scalar[] | Decide;

/** One element of a map: `entry(25, '172.20.0.5')`, `entry(80, ['172.20.0.5', 8080])`, `entry('eth0', jump('lan'))`. */
export const entry = (key: KeyLike, data: DataLike, options: ElementOptions = {}): MapElement => ({
  ...element(key, options),
  data: dataOf(data),
});

function dataOf(data: DataLike): Data {
  if (typeof data !== 'object') return [data];
  return 'verdict' in data ? data.verdict : data;
}
