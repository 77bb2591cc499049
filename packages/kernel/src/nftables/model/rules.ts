/** Rules in words: `rule(match('tcp dport', 25), dnat({ address: '172.20.0.5' }))`. */
import { badValue, dataTypes, type Scalar } from './data-types.ts';
import type { Family } from './family.ts';
import { type Field, type FieldValue, fieldRow } from './fields.ts';
import { given } from './given.ts';
import type { Rule } from './ruleset.ts';
import type {
  Count,
  Decide,
  Limit,
  Log,
  LogLevel,
  MarkOf,
  Masquerade,
  Match,
  Nat,
  NatFlag,
  NatTarget,
  NoTrack,
  PortTarget,
  Redirect,
  Reject,
  RejectReason,
  SetMark,
  Statement,
  Test,
  TimeUnit,
  TransparentProxy,
  UpdateSet,
  VerdictLookup,
} from './statements.ts';
import type { InlineMap, Key, Named, Part, Range, Verdict } from './values.ts';

export const rule = (...statements: readonly Statement[]): Rule => ({ statements });

/** The rule with a comment that `nft` shows behind it. */
export const commented = (comment: string, ...statements: readonly Statement[]): Rule => ({
  statements,
  comment,
});

type Fields = Field | readonly Field[];
const listOf = (read: Fields): readonly Field[] => (typeof read === 'string' ? [read] : read);

/** A test that is not bound to the type of a field. */
interface Wanted {
  readonly test: Test;
}

/**
 * Goes on only with packets whose field has the value (or passes the test). For a field of bits (`ct state`, `ct status`)
 * a value means: this bit is set.
 */
export function match<F extends Field>(
  field: F,
  wanted: FieldValue<F> | Range<FieldValue<F>> | Wanted,
): Match;
export function match(read: Fields, wanted: Wanted): Match;
export function match(read: Fields, wanted: Part | Wanted): Match {
  const fields = listOf(read);
  if (typeof wanted === 'object' && 'test' in wanted) return { kind: 'match', fields, test: wanted.test };
  return {
    kind: 'match',
    fields,
    test: hasBits(fields) ? bits(true, [wanted]) : { is: 'value', value: wanted, negated: false },
  };
}

/** Goes on only with packets whose field has another value; for a field of bits: with this bit not set. */
export function matchNot<F extends Field>(field: F, unwanted: FieldValue<F> | Range<FieldValue<F>>): Match;
export function matchNot(field: Field, unwanted: Part): Match {
  const fields = [field];
  return {
    kind: 'match',
    fields,
    test: hasBits(fields) ? bits(false, [unwanted]) : { is: 'value', value: unwanted, negated: true },
  };
}

const hasBits = (read: readonly Field[]): boolean =>
  read.some((field) => dataTypes[fieldRow(field).type].bits);

function bits(present: boolean, parts: readonly Part[]): Test {
  const scalars = parts.filter((part): part is Scalar => typeof part !== 'object');
  if (scalars.length !== parts.length) throw badValue(parts, 'a list of bits: they have no ranges');
  return { is: 'bits', bits: scalars, present };
}

export const between = <V extends Scalar>(from: V, to: V): Range<V> => ({ from, to });

/** In a set of the table. */
export const inSet = (name: string): Wanted => ({ test: { is: 'in', set: { name }, negated: false } });
export const notInSet = (name: string): Wanted => ({ test: { is: 'in', set: { name }, negated: true } });

type KeyLike = Part | Key;
const keyOf = (key: KeyLike): Key => (isKey(key) ? key : [key]);
const isKey = (key: KeyLike): key is Key => Array.isArray(key);

/** One of these; each a value, a network or range, or (for several fields) a list of them. */
export const oneOf = (...keys: readonly KeyLike[]): Wanted => ({
  test: { is: 'in', set: { keys: keys.map(keyOf) }, negated: false },
});
export const noneOf = (...keys: readonly KeyLike[]): Wanted => ({
  test: { is: 'in', set: { keys: keys.map(keyOf) }, negated: true },
});

/** At least one of these bits is set. */
export const anyBit = (...wanted: readonly Scalar[]): Wanted => ({ test: bits(true, wanted) });
/** None of these bits is set. */
export const noBit = (...unwanted: readonly Scalar[]): Wanted => ({ test: bits(false, unwanted) });

/** Has this value in the bits of the mask, whatever the others are. */
export const masked = (value: number, mask: number): Wanted => ({
  test: { is: 'masked', mask, value, negated: false },
});

const decide = (verdict: Verdict): Decide => ({ kind: 'verdict', verdict });
export const accept: Decide = decide({ verdict: 'accept' });
export const drop: Decide = decide({ verdict: 'drop' });
/** Back to the chain that this one was jumped to from; at the end of a base chain: its policy. */
export const giveBack: Decide = decide({ verdict: 'return' });
/** To another chain, and back here behind its end. */
export const jump = (chain: string): Decide => decide({ verdict: 'jump', chain });
/** To another chain for good. */
export const go = (chain: string): Decide => decide({ verdict: 'goto', chain });

type MapLike<D> = string | readonly (readonly [key: KeyLike, data: D])[];

function mapOf<D, To extends InlineMap['entries'][number]['data']>(
  map: MapLike<D>,
  dataOf: (data: D) => To,
): Named | InlineMap<To> {
  if (typeof map === 'string') return { name: map };
  return { entries: map.map(([key, data]) => ({ key: keyOf(key), data: dataOf(data) })) };
}

/** The map decides what becomes of the packet: a map of the table by name, or its entries. */
export const decideBy = (read: Fields, map: MapLike<Decide>): VerdictLookup => ({
  kind: 'vmap',
  fields: listOf(read),
  map: mapOf(map, ({ verdict }) => verdict),
});

type AddressLike = string | readonly [address: string, port: number];

/** A translation to what a map answers: an address, or an address and a port. */
export const lookUp = (read: Fields, map: MapLike<AddressLike>): NatTarget => ({
  fields: listOf(read),
  map: mapOf(map, (data) => (typeof data === 'string' ? [data] : data)),
});

interface NatOptions {
  /** Taken from the address if there is one. */
  readonly family?: Family;
  readonly flags?: readonly NatFlag[];
}

const nat =
  (direction: 'dnat' | 'snat') =>
  (to: NatTarget, { family = familyOfTarget(to), flags = [] }: NatOptions = {}): Nat => ({
    kind: 'nat',
    direction,
    family,
    to,
    flags,
  });

function familyOfTarget(to: NatTarget): 'ip' | 'ip6' {
  const first = 'fields' in to ? firstAddress(to.map) : to.address;
  const text = typeof first === 'object' ? first.from : first;
  if (text === undefined) throw badValue(to, 'a target that shows its family: name the family');
  return String(text).includes(':') ? 'ip6' : 'ip';
}

const firstAddress = (map: Named | InlineMap<readonly Scalar[]>): Scalar | undefined =>
  'name' in map ? undefined : map.entries[0]?.data[0];

/** Sends the packet, and the connection that it begins, to another destination. */
export const dnat = nat('dnat');
/** Lets the connection come from another source. */
export const snat = nat('snat');

interface PortsOptions {
  readonly ports?: PortTarget;
  readonly flags?: readonly NatFlag[];
}

/** Lets the connection come from whatever address the outgoing interface has. */
export const masquerade = ({ ports, flags = [] }: PortsOptions = {}): Masquerade => ({
  kind: 'masquerade',
  ...given('ports', ports),
  flags,
});

/** Sends the packet to this machine itself. */
export const redirect = (port?: PortTarget, flags: readonly NatFlag[] = []): Redirect => ({
  kind: 'redirect',
  ...given('port', port),
  flags,
});

/** Hands the packet, addresses untouched, to a local socket. */
export const tproxy = (
  family: 'ip' | 'ip6',
  to: { readonly address?: string; readonly port?: number },
): TransparentProxy => ({ kind: 'tproxy', family, ...to });

export const reject = (reason: RejectReason = 'port-unreachable'): Reject => ({ kind: 'reject', reason });

/** Leaves the packet out of connection tracking. Only before it begins: in a `raw` chain. */
export const notrack: NoTrack = { kind: 'notrack' };

/** Counts in the rule, or in a counter of the table. */
export const count = (name?: string): Count => ({ kind: 'counter', ...given('name', name) });

interface LimitOptions {
  readonly of?: 'packets' | 'bytes';
  /** How much more may come at once. */
  readonly burst?: number;
  readonly over?: boolean;
}

/** Goes on only with so many packets (or bytes) in a time; with `over`: only with those above. */
export function limit(rate: number, per: TimeUnit, options: LimitOptions = {}): Limit {
  const { of = 'packets', over = false } = options;
  return { kind: 'limit', rate, per, of, burst: options.burst ?? (of === 'packets' ? 5 : 0), over };
}

interface LogOptions {
  readonly prefix?: string;
  readonly level?: LogLevel;
  readonly group?: number;
}

/** To the kernel log, or to an nflog group. */
export const log = ({ prefix, level = 'warn', group }: LogOptions = {}): Log => ({
  kind: 'log',
  ...given('prefix', prefix),
  to: group === undefined ? { level } : { group },
});

/** Writes a mark; of its bits only those in `mask`, if there is one. */
export const setMark = (of: MarkOf, value: number, mask?: number): SetMark => ({
  kind: 'set-mark',
  of,
  to: { value, ...given('mask', mask) },
});

export const copyMark = (from: MarkOf, to: MarkOf): SetMark => ({
  kind: 'set-mark',
  of: to,
  to: { copyOf: from },
});

interface UpdateOptions {
  readonly timeoutMs?: number;
}

const putInto =
  (how: 'add' | 'update') =>
  (set: string, read: Fields, options: UpdateOptions = {}): UpdateSet => ({
    kind: 'update-set',
    how,
    set,
    fields: listOf(read),
    ...options,
  });

/** Puts what the packet carries into a dynamic set; an element that is there keeps its timeout. */
export const addToSet = putInto('add');
/** Puts what the packet carries into a dynamic set; an element that is there gets its timeout anew. */
export const updateSet = putInto('update');
