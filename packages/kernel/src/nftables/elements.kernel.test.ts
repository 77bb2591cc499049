import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Netns } from '../netns/index.ts';
import { inside } from '../testing/namespaces.ts';
import {
  chain,
  diff,
  entry,
  go,
  jump,
  map,
  type NamedMap,
  Nftables,
  type Ruleset,
  ruleset,
  table,
} from './index.ts';

type Elements = NamedMap['elements'];
type Make = (count: number, round: number) => NamedMap;

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const spread = (index: number): number => (index * 7919) % 65_536;

/** Maps of every shape, of any size; another round has other elements and other data. */
const kinds: Readonly<Record<string, Make>> = {
  'port to address and port': (count, round) =>
    map(
      'm',
      { key: 'inet_service', data: ['ipv4_addr', 'inet_service'] },
      numbers(count).map((index) =>
        entry(spread(index + round), [`10.${round}.${index >> 8}.${index & 255}`, index]),
      ),
    ),
  'address and port of IPv6, with comments': (count, round) =>
    map(
      'm',
      { key: ['ipv6_addr', 'inet_service'], data: ['ipv6_addr', 'inet_service'] },
      numbers(count).map((index) =>
        entry([`fd00::${index.toString(16)}`, round], [`fd00:1::${round}`, index], {
          comment: `number ${index}`,
        }),
      ),
    ),
  'ranges of addresses': (count, round) =>
    map(
      'm',
      { key: 'ipv4_addr', data: 'inet_service', intervals: true },
      numbers(count).map((index) => entry(`10.${index >> 8}.${index & 255}.${(16 * round) & 255}/28`, index)),
    ),
  'chains by interface and port': (count, round) =>
    map(
      'm',
      { key: ['ifname', 'inet_service'], data: 'verdict' },
      numbers(count).map((index) =>
        entry([`eth${index & 15}`, spread(index)], (index + round) % 2 === 0 ? jump('a') : go('b')),
      ),
    ),
};

const around = (elements: NamedMap): Ruleset =>
  ruleset('sizes', table('inet', 'sizes', { sets: [elements], chains: [chain('a'), chain('b')] }));

const found = (nftables: Nftables): Elements => {
  const [set] = nftables.read('sizes').ruleset.tables[0]?.sets ?? [];
  return set?.kind === 'map' ? set.elements : [];
};

describe.each(Object.entries(kinds))('a map of %s', (_, make) => {
  let namespace: Netns;
  let nftables: Nftables;
  beforeAll(() => {
    namespace = Netns.create('sizes');
    nftables = Nftables.open({ namespace });
  });
  afterAll(() => {
    nftables[Symbol.dispose]();
    namespace[Symbol.dispose]();
  });

  it.each([1, 100, 1000, 10_000])('is replaced whole with %i elements', (count) => {
    const [before, after] = [around(make(count, 1)), around(make(count, 2))];
    nftables.replace(before);
    expect(found(nftables)).toHaveLength(count);
    const generation = nftables.generation();
    expect(nftables.commit(after, diff(before, after), generation)).toBe(generation + 1);
    expect(diff(nftables.read('sizes').ruleset, after)).toEqual([]);
    expect(nftables.reconcile(before).changes).not.toEqual([]);
    expect(diff(nftables.read('sizes').ruleset, before)).toEqual([]);
  });
});

describe('a map of every port', () => {
  it('goes into the kernel in one transaction, and out of it', () => {
    using namespace = Netns.create('every port');
    using nftables = Nftables.open({ namespace });
    const every = map(
      'm',
      { key: 'inet_service', data: ['ipv6_addr', 'inet_service'] },
      numbers(65_536).map((port) => entry(port, ['fd00::1', port])),
    );
    nftables.reconcile(around(every));
    expect(nftables.reconcile(around(every)).changes).toEqual([]);
    expect(inside(namespace, 'nft', 'get', 'element', 'inet', 'sizes', 'm', '{ 65535 }')).toContain(
      '65535 : fd00::1 . 65535',
    );
    expect(nftables.reconcile(around({ ...every, elements: [] })).changes).toMatchObject([
      { change: 'empty-set' },
    ]);
    expect(found(nftables)).toEqual([]);
  });
});
