/** Random statements, such as the kernel takes them in one kind of chain. */
import fc from 'fast-check';
import type { Family, Field, Key, Match, Rule, SetOrMap, Statement, Table } from '../index.ts';
import {
  accept,
  addToSet,
  anyBit,
  between,
  copyMark,
  count,
  decideBy,
  dnat,
  drop,
  giveBack,
  inSet,
  jump,
  limit,
  log,
  lookUp,
  masked,
  masquerade,
  match,
  matchNot,
  noBit,
  noneOf,
  notInSet,
  oneOf,
  redirect,
  reject,
  setMark,
  snat,
  updateSet,
} from '../index.ts';
import {
  addressType,
  comment,
  exactKeys,
  port,
  rangeKeys,
  type SomeType,
  scalarOf,
} from './arbitrary-values.ts';

/** What a chain is for decides what may stand in it. */
export type Purpose = 'filter' | 'dnat' | 'snat' | 'aside';

const fieldsOf = (family: Family): { readonly [T in SomeType]?: readonly Field[] } => {
  const addresses: { readonly [T in SomeType]?: readonly Field[] } =
    family === 'ip6'
      ? { ipv6_addr: ['ip6 saddr', 'ip6 daddr', 'ct original ip6 daddr'] }
      : { ipv4_addr: ['ip saddr', 'ip daddr', 'ct original ip daddr', 'ct reply ip saddr'] };
  return {
    ...addresses,
    inet_service: ['tcp dport', 'tcp sport', 'th dport'],
    inet_proto: ['meta l4proto'],
    ifname: ['iifname'],
    mark: ['meta mark', 'ct mark'],
  };
};

const fieldOf = (family: Family, type: SomeType): fc.Arbitrary<Field> =>
  fc.constantFrom(...(fieldsOf(family)[type] ?? ['meta mark']));

const fieldsFor = (family: Family, types: readonly SomeType[]): fc.Arbitrary<Field[]> =>
  fc.tuple(...types.map((type) => fieldOf(family, type)));

const isSome = (type: string): type is SomeType =>
  ['ipv4_addr', 'ipv6_addr', 'inet_service', 'inet_proto', 'ifname', 'mark'].includes(type);

const typesOfSet = (set: SetOrMap): readonly SomeType[] => set.key.filter(isSome);

/** A match on one field: equal or not, network, range, mask, bits, or one of several. */
function simpleMatch(family: Family): fc.Arbitrary<Match> {
  const address = addressType(family);
  const bits = address === 'ipv4_addr' ? 32 : 128;
  const addressField = fieldOf(family, address);
  const network = fc
    .tuple(scalarOf(address), fc.integer({ min: 1, max: bits }))
    .map(([text, length]) => `${text}/${length}`);
  const ports = fc
    .tuple(port, port)
    .map(([one, other]) => between(Math.min(one, other), Math.max(one, other)));
  const negatable = <V>(value: fc.Arbitrary<V>, build: (value: V, negated: boolean) => Match) =>
    fc.tuple(value, fc.boolean()).map(([found, negated]) => build(found, negated));
  const state = fc.constantFrom('new', 'established', 'related', 'invalid', 'untracked');
  return fc.oneof(
    negatable(fc.tuple(addressField, fc.oneof(scalarOf(address), network)), ([field, value], negated) => ({
      kind: 'match',
      fields: [field],
      test: { is: 'value', value, negated },
    })),
    negatable(fc.oneof(port, ports), (value, negated) =>
      negated ? matchNot('tcp dport', value) : match('tcp dport', value),
    ),
    negatable(scalarOf('ifname'), (value, negated) => {
      const name = String(value);
      return negated ? matchNot('iifname', name) : match('iifname', `${name.slice(0, 8)}*`);
    }),
    fc
      .tuple(fc.integer({ min: 1, max: 0xffff_ffff }), fc.integer({ min: 0, max: 0xffff_ffff }))
      .map(([mask, value]) => match('meta mark', masked((value & mask) >>> 0, mask))),
    negatable(fc.uniqueArray(state, { minLength: 1 }), (bitsSet, negated) =>
      match('ct state', negated ? noBit(...bitsSet) : anyBit(...bitsSet)),
    ),
    negatable(
      exactKeys([address], 4).filter((keys) => keys.length > 0),
      (keys, negated) =>
        match(address === 'ipv4_addr' ? 'ip daddr' : 'ip6 daddr', negated ? noneOf(...keys) : oneOf(...keys)),
    ),
    negatable(
      rangeKeys(['inet_service'], 3).filter((keys) => keys.length > 0),
      (keys, negated) => match('tcp dport', negated ? noneOf(...keys) : oneOf(...keys)),
    ),
    rangeKeys([address, 'inet_service'], 3)
      .filter((keys) => keys.length > 0)
      .map((keys) =>
        match([address === 'ipv4_addr' ? 'ip saddr' : 'ip6 saddr', 'tcp dport'], oneOf(...keys)),
      ),
    fc.constantFrom('local', 'broadcast', 'unicast').map((type) => match('fib daddr type', type)),
  );
}

/** A look-up in one of the table's own sets. */
function setMatch(table: Table): fc.Arbitrary<Statement>[] {
  return table.sets.map((set): fc.Arbitrary<Statement> => {
    const fields = fieldsFor(table.family, typesOfSet(set));
    if (set.kind === 'map') {
      return set.data === 'verdict'
        ? fields.map((read) => decideBy(read, set.name))
        : fc.constant(match('meta mark', 1));
    }
    if (set.dynamic === true) {
      return fc
        .tuple(fields, fc.boolean())
        .map(([read, update]) =>
          update ? updateSet(set.name, read, { timeoutMs: 10_000 }) : addToSet(set.name, read),
        );
    }
    return fc
      .tuple(fields, fc.boolean())
      .map(([read, negated]) => match(read, negated ? notInSet(set.name) : inSet(set.name)));
  });
}

const plainEffects = (table: Table): readonly fc.Arbitrary<Statement>[] => [
  fc.constant(count()),
  ...table.counters.map(({ name }) => fc.constant(count(name))),
  fc
    .tuple(
      fc.integer({ min: 1, max: 1000 }),
      fc.constantFrom('second', 'minute', 'hour', 'day'),
      fc.boolean(),
    )
    .map(([rate, per, over]) => limit(rate, per, { over })),
  fc.constantFrom(log(), log({ prefix: 'seen: ', level: 'info' }), log({ group: 7 })),
  fc.integer({ min: 0, max: 0xffff_ffff }).map((value) => setMark('meta', value)),
  fc.constantFrom(copyMark('ct', 'meta'), setMark('ct', 3, 0xf)),
];

function endings(table: Table, purpose: Purpose): readonly fc.Arbitrary<readonly Statement[]>[] {
  const helpers = table.chains.filter(({ base }) => base === undefined);
  const plain: readonly (readonly Statement[])[] = [
    [],
    [accept],
    [drop],
    [giveBack],
    ...(purpose === 'aside' ? [] : helpers.map(({ name }): readonly Statement[] => [jump(name)])),
  ];
  const usual = fc.constantFrom(...plain);
  switch (purpose) {
    case 'aside':
      return [usual];
    case 'filter':
      return [
        usual,
        fc.constantFrom<readonly Statement[]>(
          [reject()],
          [match('meta l4proto', 'tcp'), reject('tcp-reset')],
          [reject('no-route')],
        ),
      ];
    case 'dnat':
      return [usual, targets(table).map((statement): readonly Statement[] => [statement])];
    case 'snat':
      return [
        usual,
        scalarOf(addressType(table.family)).map((address): readonly Statement[] => [
          snat({ address: String(address) }),
        ]),
        fc.constantFrom<readonly Statement[]>(
          [masquerade()],
          [masquerade({ flags: ['random', 'persistent'] })],
        ),
      ];
  }
}

function targets(table: Table): fc.Arbitrary<Statement> {
  const address = addressType(table.family);
  const family = table.family === 'ip6' ? 'ip6' : 'ip';
  const maps = table.sets.filter(
    (set) => set.kind === 'map' && set.data !== 'verdict' && set.data[0] === address,
  );
  const entries = fc
    .tuple(exactKeys(['inet_service'], 4), fc.boolean(), scalarOf(address), port)
    .map(([keys, withPort, target, to]) =>
      keys.map((key): [Key, string | [string, number]] => [
        key,
        withPort ? [String(target), to] : String(target),
      ]),
    );
  return fc.oneof(
    scalarOf(address).map((target) => dnat({ address: String(target) })),
    fc.constant(redirect()),
    entries.filter((found) => found.length > 0).map((found) => dnat(lookUp('tcp dport', found))),
    ...maps.map((set) =>
      fieldsFor(table.family, typesOfSet(set)).map((read) => dnat(lookUp(read, set.name), { family })),
    ),
  );
}

export function arbitraryRule(table: Table, purpose: Purpose): fc.Arbitrary<Rule> {
  const conditions = fc.oneof(simpleMatch(table.family), ...setMatch(table), ...plainEffects(table));
  return fc
    .tuple(
      fc.array(conditions, { maxLength: 4 }),
      fc.oneof(...endings(table, purpose)),
      fc.option(comment, { nil: undefined }),
    )
    .map(([before, ending, words]): Rule => {
      const statements = [...before, ...ending];
      return words === undefined ? { statements } : { statements, comment: words };
    })
    .filter(({ statements }) => statements.length > 0);
}
