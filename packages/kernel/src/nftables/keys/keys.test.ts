import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DataType, Part, Scalar } from '../model/index.ts';
import { exactKeys, rangeKeys, type SomeType, scalarOf } from '../testing/arbitrary-values.ts';
import { dataIdentity, hasOneSpelling, keyIdentity } from './identity.ts';
import { keyOfSpan, keySpan, layoutOf, readKey, writeKey } from './layout.ts';
import { partOf, spanOf } from './spans.ts';

const badValue = expect.objectContaining({ code: 'KERNEL_BAD_VALUE' });
const someTypes: readonly SomeType[] = [
  'ipv4_addr',
  'ipv6_addr',
  'inet_service',
  'inet_proto',
  'ifname',
  'mark',
];
const types = fc.array(fc.constantFrom(...someTypes), { minLength: 1, maxLength: 3 });

describe('spans', () => {
  it.each<[DataType, Part, string, string]>([
    ['ipv4_addr', '10.1.2.3/8', '10.0.0.0', '10.255.255.255'],
    ['ipv4_addr', '0.0.0.0/0', '0.0.0.0', '255.255.255.255'],
    ['ipv4_addr', '10.0.0.1/32', '10.0.0.1', '10.0.0.1'],
    ['ipv4_addr', '10.0.0.1/31', '10.0.0.0', '10.0.0.1'],
    ['ipv6_addr', 'fd00::1/10', 'fd00::', 'fd3f:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['ipv4_addr', { from: '10.0.0.3', to: '10.0.0.9' }, '10.0.0.3', '10.0.0.9'],
  ])('%s %j reaches from %s to %s', (type, part, low, high) => {
    const read = (bytes: Buffer): Part => partOf(type, bytes, bytes);
    const span = spanOf(type, part);
    expect([read(span.low), read(span.high)]).toEqual([low, high]);
  });

  it.each<[DataType, Part, Part]>([
    ['ipv4_addr', { from: '10.0.0.0', to: '10.255.255.255' }, '10.0.0.0/8'],
    ['ipv4_addr', { from: '10.0.0.1', to: '10.0.0.1' }, '10.0.0.1'],
    ['ipv4_addr', { from: '10.0.0.1', to: '10.0.0.2' }, { from: '10.0.0.1', to: '10.0.0.2' }],
    ['ipv6_addr', 'fd00:1:2:3::9/48', 'fd00:1:2::/48'],
    ['inet_service', { from: 0, to: 65_535 }, { from: 0, to: 65_535 }],
    ['ifname', 'veth*', 'veth*'],
    ['ifname', 'eth0', 'eth0'],
  ])('%s %j is written %j in the end', (type, part, canonical) => {
    const { low, high } = spanOf(type, part);
    expect(partOf(type, low, high)).toEqual(canonical);
  });

  it.each<[DataType, Part]>([
    ['ipv4_addr', '10.0.0.0/33'],
    ['ipv4_addr', '10.0.0.0/'],
    ['ipv4_addr', '10.0.0.0/8/8'],
    ['ipv4_addr', '10.0.0.0/-1'],
    ['ipv6_addr', 'fd00::/129'],
    ['ipv4_addr', { from: '10.0.0.2', to: '10.0.0.1' }],
    ['inet_service', { from: 90, to: 80 }],
    ['mark', { from: 1, to: 2 }],
    ['inet_service', '80/8'],
    ['ifname', '*'],
  ])('%s refuses %j', (type, part) => {
    expect(() => spanOf(type, part)).toThrow(badValue);
  });
});

describe('keys', () => {
  it('survive the way to bytes and back', () => {
    const keys = types.chain((list) => fc.tuple(fc.constant(list), fc.tuple(...list.map(scalarOf))));
    fc.assert(
      fc.property(keys, ([list, key]) => {
        const layout = layoutOf(list);
        const bytes = Buffer.alloc(layout.bytes);
        writeKey(layout, key, bytes);
        expect(keyIdentity(layout, readKey(layout, bytes))).toBe(keyIdentity(layout, key));
      }),
    );
  });

  it('with ranges survive it, too', () => {
    const lists = fc.constantFrom<SomeType[]>(['inet_service'], ['ipv4_addr'], ['ipv6_addr', 'inet_service']);
    const keys = lists.chain((list) => fc.tuple(fc.constant(list), rangeKeys(list)));
    fc.assert(
      fc.property(keys, ([list, found]) => {
        const layout = layoutOf(list);
        for (const key of found) {
          const { low, high } = keySpan(layout, key);
          expect(keyIdentity(layout, keyOfSpan(layout, low, high))).toBe(keyIdentity(layout, key));
        }
      }),
    );
  });

  it('lie on steps of four bytes in a concatenation, and as they are alone', () => {
    expect(layoutOf(['inet_service']).bytes).toBe(2);
    expect(layoutOf(['inet_proto', 'inet_service', 'ipv4_addr']).slots.map(({ at }) => at)).toEqual([
      0, 4, 8,
    ]);
    expect(layoutOf(['ipv6_addr', 'inet_service']).bytes).toBe(20);
  });

  it('are told apart by what they are, not by how they are written', () => {
    const layout = layoutOf(['ipv6_addr', 'inet_proto']);
    expect(hasOneSpelling(layout)).toBe(false);
    expect(keyIdentity(layout, ['FD00::0', 6])).toBe(keyIdentity(layout, ['fd00::', 'tcp']));
    expect(keyIdentity(layoutOf(['ipv4_addr']), ['10.0.0.0/8'])).toBe(
      keyIdentity(layoutOf(['ipv4_addr']), [{ from: '10.0.0.0', to: '10.255.255.255' }]),
    );
    fc.assert(
      fc.property(exactKeys(['ipv4_addr', 'inet_service']), (keys) => {
        const identities = keys.map((key) => keyIdentity(layoutOf(['ipv4_addr', 'inet_service']), key));
        expect(new Set(identities).size).toBe(keys.length);
      }),
    );
  });

  it('have as many parts as their set has types', () => {
    const layout = layoutOf(['ipv4_addr', 'inet_service']);
    for (const key of [['10.0.0.1'], ['10.0.0.1', 1, 2], []] satisfies Scalar[][]) {
      expect(() => keySpan(layout, key)).toThrow(badValue);
      expect(() => keyIdentity(layout, key)).toThrow(badValue);
      expect(() => dataIdentity(layout, key)).toThrow(badValue);
    }
  });
});
