/** Random rulesets that the kernel takes, and random pieces of them. */
import fc from 'fast-check';
import type {
  AnyElement,
  Chain,
  Data,
  DataType,
  Family,
  Key,
  Rule,
  Ruleset,
  SetOrMap,
  Statement,
  Table,
} from '../index.ts';
import {
  accept,
  baseChain,
  chain,
  counter,
  drop,
  giveBack,
  jump,
  map,
  problemsOf,
  ruleset,
  set,
  table,
} from '../index.ts';
import { arbitraryRule, type Purpose } from './arbitrary-rules.ts';
import {
  addressType,
  comment,
  exactKeys,
  port,
  rangeKeys,
  type SomeType,
  scalarOf,
  typesFor,
} from './arbitrary-values.ts';

const families = fc.constantFrom<Family>('ip', 'ip6', 'inet');
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });

interface Kind {
  readonly key: readonly SomeType[];
  readonly intervals: boolean;
}

const kindOf = (family: Family): fc.Arbitrary<Kind> => {
  const exact = fc
    .uniqueArray(fc.constantFrom(...typesFor(family)), { minLength: 1, maxLength: 3 })
    .map((key): Kind => ({ key, intervals: false }));
  const ranged = fc
    .constantFrom<readonly SomeType[]>(
      ['inet_service'],
      [addressType(family)],
      [addressType(family), 'inet_service'],
    )
    .map((key): Kind => ({ key, intervals: true }));
  return fc.oneof(exact, ranged);
};

const keysOf = ({ key, intervals }: Kind): fc.Arbitrary<Key[]> =>
  intervals ? rangeKeys(key) : exactKeys(key);

/** An element that has its timeout to itself cannot be told from one that has the set's. */
function elementsOf(kind: Kind, timed: boolean, data?: fc.Arbitrary<Data>): fc.Arbitrary<AnyElement[]> {
  return keysOf(kind).chain((keys) =>
    fc.tuple(
      ...keys.map((key) =>
        fc
          .tuple(
            maybe(comment),
            maybe(fc.integer({ min: 600, max: 100_000 })),
            data ?? fc.constant(undefined),
          )
          .map(
            ([words, seconds, value]): AnyElement => ({
              key,
              ...(words === undefined ? {} : { comment: words }),
              ...(timed && seconds !== undefined ? { timeoutMs: seconds * 1000 } : {}),
              ...(value === undefined ? {} : { data: value }),
            }),
          ),
      ),
    ),
  );
}

function arbitrarySet(family: Family, name: string): fc.Arbitrary<SetOrMap> {
  return fc
    .tuple(kindOf(family), fc.boolean(), fc.boolean(), maybe(comment))
    .chain(([kind, timeouts, counted, words]) => {
      const timed = timeouts && !kind.intervals;
      return elementsOf(kind, timed).map((elements) =>
        set(
          name,
          {
            key: kind.key,
            ...(kind.intervals ? { intervals: true } : {}),
            ...(timed ? { timeouts: true } : {}),
            ...(counted ? { counted: true } : {}),
            ...(words === undefined ? {} : { comment: words }),
          },
          elements,
        ),
      );
    });
}

function arbitraryMap(family: Family, name: string): fc.Arbitrary<SetOrMap> {
  const address = addressType(family);
  return fc.tuple(kindOf(family), fc.constantFrom('address', 'socket', 'verdict')).chain(([kind, answer]) => {
    const types: readonly DataType[] | 'verdict' =
      answer === 'verdict' ? 'verdict' : answer === 'socket' ? [address, 'inet_service'] : [address];
    const verdicts: readonly Data[] = [accept, drop, giveBack, jump('aside')].map(({ verdict }) => verdict);
    const data: fc.Arbitrary<Data> =
      answer === 'verdict'
        ? fc.constantFrom(...verdicts)
        : answer === 'socket'
          ? fc.tuple(scalarOf(address), port)
          : fc.tuple(scalarOf(address));
    return elementsOf(kind, false, data).map((elements) =>
      map(
        name,
        { key: kind.key, data: types, ...(kind.intervals ? { intervals: true } : {}) },
        elements.flatMap(({ data: value, ...element }) =>
          value === undefined ? [] : [{ ...element, data: value }],
        ),
      ),
    );
  });
}

const chains: readonly { readonly chain: Chain; readonly purpose: Purpose }[] = [
  { chain: chain('aside'), purpose: 'aside' },
  { chain: chain('spare'), purpose: 'aside' },
  {
    chain: baseChain('in', { type: 'filter', hook: 'input', priority: 5, policy: 'drop' }),
    purpose: 'filter',
  },
  { chain: baseChain('pre', { type: 'nat', hook: 'prerouting', priority: -100 }), purpose: 'dnat' },
  { chain: baseChain('post', { type: 'nat', hook: 'postrouting', priority: 100 }), purpose: 'snat' },
];

/** A table with everything in it that random choice put there. */
function arbitraryTable(family: Family, name: string): fc.Arbitrary<Table> {
  const dynamic = set('recent', { key: addressType(family), timeoutMs: 60_000, dynamic: true, size: 1000 });
  return fc
    .tuple(
      arbitrarySet(family, 'first'),
      arbitrarySet(family, 'second'),
      arbitraryMap(family, 'third'),
      arbitraryMap(family, 'fourth'),
    )
    .chain((sets) => {
      const frame = table(family, name, {
        counters: [counter('seen', 'packets'), counter('other')],
        sets: [...sets, dynamic],
        chains: chains.map((one) => one.chain),
      });
      const filled = chains.map(({ chain: empty, purpose }) =>
        fc
          .array(
            arbitraryRule(frame, purpose).filter((rule) => isSound(frame, empty, rule)),
            { maxLength: 5 },
          )
          .map((rules): Chain => ({ ...empty, rules })),
      );
      return fc.tuple(...filled).map((full): Table => ({ ...frame, chains: full }));
    });
}

/** Rules that ask for two protocols at once and the like are for the check to find, not for the kernel. */
const isSound = (frame: Table, empty: Chain, rule: Rule): boolean =>
  problemsOf(
    ruleset('test', {
      ...frame,
      chains: frame.chains.map((one) => (one === empty ? { ...one, rules: [rule] } : one)),
    }),
  ).length === 0;

export const arbitraryRuleset: fc.Arbitrary<Ruleset> = families
  .chain((family) => arbitraryTable(family, 'dice'))
  .map((one) => ruleset('test', one));

/** Two pieces of one ruleset, which have much in common and differ everywhere. */
export const arbitraryPair: fc.Arbitrary<readonly [Ruleset, Ruleset]> = arbitraryRuleset.chain((whole) =>
  fc
    .tuple(fc.infiniteStream(fc.boolean()), fc.infiniteStream(fc.boolean()))
    .map(([one, other]): [Ruleset, Ruleset] => [pieceOf(whole, one), pieceOf(whole, other)]),
);

function pieceOf(whole: Ruleset, choices: fc.Stream<boolean>): Ruleset {
  const keeps = (): boolean => choices.next().value ?? true;
  return { ...whole, tables: whole.tables.map((one) => pieceOfTable(one, keeps)) };
}

function pieceOfTable(whole: Table, keeps: () => boolean): Table {
  const smaller = whole.chains.map((one) => ({ ...one, rules: one.rules.filter(keeps) }));
  const text = JSON.stringify(smaller);
  const spoken = (name: string): boolean => text.includes(`"${name}"`);
  const sets = whole.sets.filter(({ name }) => spoken(name) || keeps()).map((one) => pieceOfSet(one, keeps));
  const used = (name: string): boolean => spoken(name) || JSON.stringify(sets).includes(`"${name}"`);
  return {
    ...whole,
    counters: whole.counters.filter(({ name }) => spoken(name) || keeps()),
    sets,
    chains: smaller
      .filter(({ name, base }) => base !== undefined || used(name) || isNamedBy(smaller, name) || keeps())
      .map((one) =>
        one.base === undefined || keeps() ? one : { ...one, base: { ...one.base, policy: 'accept' } },
      ),
  };
}

const isNamedBy = (all: readonly Chain[], name: string): boolean =>
  all.some(({ rules }) =>
    rules.some(({ statements }) => statements.some((statement) => goesTo(statement, name))),
  );

const goesTo = (statement: Statement, name: string): boolean =>
  statement.kind === 'verdict' && 'chain' in statement.verdict && statement.verdict.chain === name;

const pieceOfSet = (whole: SetOrMap, keeps: () => boolean): SetOrMap =>
  whole.kind === 'set'
    ? { ...whole, elements: whole.elements.filter(keeps) }
    : { ...whole, elements: whole.elements.filter(keeps) };
