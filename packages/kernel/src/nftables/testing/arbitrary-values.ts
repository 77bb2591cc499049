/** Random values of each type, and keys of sets that do not get into each other's way. */
import fc from 'fast-check';
import type { Family, Key, Part, Scalar } from '../index.ts';

const ipv4 = fc.ipV4();
const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => {
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  );
  return groups.join(':');
});
export const port = fc.integer({ min: 0, max: 65_535 });
const interfaceName = fc.stringMatching(/^[a-z][a-z0-9.-]{0,13}$/);
const mark = fc.integer({ min: 0, max: 0xffff_ffff });
const protocol = fc.constantFrom('tcp', 'udp', 'icmp', 'sctp', 200);

/** The types that the random sets are made of. */
export type SomeType = 'ipv4_addr' | 'ipv6_addr' | 'inet_service' | 'inet_proto' | 'ifname' | 'mark';

const scalars: { readonly [T in SomeType]: fc.Arbitrary<Scalar> } = {
  ipv4_addr: ipv4,
  ipv6_addr: ipv6,
  inet_service: port,
  inet_proto: protocol,
  ifname: interfaceName,
  mark,
};

export const scalarOf = (type: SomeType): fc.Arbitrary<Scalar> => scalars[type];

export const typesFor = (family: Family): readonly SomeType[] =>
  family === 'ip6'
    ? ['ipv6_addr', 'inet_service', 'inet_proto', 'ifname', 'mark']
    : ['ipv4_addr', 'inet_service', 'inet_proto', 'ifname', 'mark'];

export const addressType = (family: Family): 'ipv4_addr' | 'ipv6_addr' =>
  family === 'ip6' ? 'ipv6_addr' : 'ipv4_addr';

/** Keys without ranges, each once. */
export const exactKeys = (types: readonly SomeType[], maxLength = 8): fc.Arbitrary<Key[]> =>
  fc.uniqueArray(fc.tuple(...types.map(scalarOf)), {
    maxLength,
    // Two ways to write one address are one key.
    selector: (key) => key.map((part) => canonical(String(part))).join(' '),
  });

const canonical = (text: string): string =>
  text.includes(':') ? new URL(`http://[${text}]`).hostname : text;

/** Ranges over one type that do not touch: between every two of a sorted list of numbers. */
const portRanges = (maxLength: number): fc.Arbitrary<Part[]> =>
  fc.uniqueArray(port, { maxLength: 2 * maxLength }).map((numbers) => pairsOf(numbers, (number) => number));

const addressRanges = (maxLength: number): fc.Arbitrary<Part[]> =>
  fc
    .uniqueArray(fc.integer({ min: 0, max: 0xffff_ffff }), { maxLength: 2 * maxLength })
    .map((numbers) =>
      pairsOf(numbers, (number) => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.')),
    );

function pairsOf(numbers: readonly number[], write: (number: number) => Scalar): Part[] {
  const sorted = numbers.toSorted((one, other) => one - other);
  const parts: Part[] = [];
  for (let index = 0; index + 1 < sorted.length; index += 2) {
    parts.push({ from: write(sorted[index] ?? 0), to: write(sorted[index + 1] ?? 0) });
  }
  return parts;
}

/** Networks that do not overlap: all of one length. */
const networks = (type: 'ipv4_addr' | 'ipv6_addr', maxLength: number): fc.Arbitrary<string[]> => {
  const [bits, write] =
    type === 'ipv4_addr'
      ? [fc.integer({ min: 8, max: 31 }), (n: number) => `${n}.0.0.0`]
      : [fc.integer({ min: 32, max: 127 }), (n: number) => `2001:${n.toString(16)}::`];
  return fc
    .tuple(bits, fc.uniqueArray(fc.integer({ min: 1, max: 127 }), { maxLength }))
    .map(([length, numbers]) => numbers.map((number) => `${write(number)}/${length}`));
};

/** Keys of a set with ranges. */
export function rangeKeys(types: readonly SomeType[], maxLength = 6): fc.Arbitrary<Key[]> {
  const [first = 'inet_service', ...others] = types;
  if (others.length === 0) {
    const parts: fc.Arbitrary<readonly Part[]> =
      first === 'inet_service'
        ? portRanges(maxLength)
        : first === 'ipv4_addr'
          ? fc.oneof(addressRanges(maxLength), networks(first, maxLength))
          : networks('ipv6_addr', maxLength);
    return parts.map((found) => found.map((part) => [part]));
  }
  const type = first === 'ipv6_addr' ? first : 'ipv4_addr';
  const ranges = fc.tuple(port, port).map(([one, other]): Part => {
    return { from: Math.min(one, other), to: Math.max(one, other) };
  });
  return networks(type, maxLength).chain((found) =>
    fc
      .array(ranges, { minLength: found.length, maxLength: found.length })
      .map((spans) => found.map((network, index) => [network, spans[index] ?? 0])),
  );
}

/** Texts that a comment may hold. */
export const comment = fc.stringMatching(/^[ -!#-~äöü€]{1,30}$/);
