import { BlockList, isIPv4 as nodeIsIpv4, isIPv6 as nodeIsIpv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bitsOf,
  contains,
  everything,
  familyOf,
  formatCidr,
  type IpAddress,
  ipBytes,
  ipFromBytes,
  isEverything,
  isIpv4,
  isIpv6,
  isLinkLocal,
  macBytes,
  macFromBytes,
  networkOf,
  parseCidr,
  parseIp,
  parseIpOrNothing,
  parseIpv4,
  parseIpv6,
  parseMac,
} from './index.ts';

const badValue = expect.objectContaining({ code: 'KERNEL_BAD_VALUE' });

const addressBytes = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  // Runs of zeroes, where the short form of IPv6 has its corners.
  fc
    .array(fc.constantFrom(0, 0, 1, 0xffff), { minLength: 8, maxLength: 8 })
    .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]))),
);

const address = addressBytes.map(ipFromBytes);

const cidr = address.chain((value) =>
  fc
    .integer({ min: 0, max: bitsOf(familyOf(value)) })
    .map((prefixLength) => ({ address: value, prefixLength })),
);

describe('IP addresses', () => {
  it('survive the way to text and back', () => {
    fc.assert(
      fc.property(addressBytes, (bytes) => {
        const text: string = ipFromBytes(bytes);
        expect(ipBytes(parseIp(text))).toEqual(bytes);
        expect(parseIp(text)).toBe(text);
      }),
    );
  });

  it('have the canonical text that the URL standard gives them', () => {
    fc.assert(
      fc.property(address, (value) => {
        const host = isIpv6(value) ? `[${value}]` : value;
        expect(new URL(`http://${host}/`).hostname).toBe(host);
      }),
    );
  });

  it('are recognised exactly where Node recognises them, but for zones', () => {
    const almost = fc.oneof(
      fc.string({
        unit: fc.constantFrom('0', '1', '25', '255', '256', '.', ':', '::', 'f', 'FFFF', 'g', '%', ' '),
      }),
      address.map((value) => value.toUpperCase()),
      fc
        .tuple(address, fc.nat(20), fc.constantFrom('', ':', '.', '0', 'x'))
        .map(([value, at, extra]) => value.slice(0, at) + extra + value.slice(at)),
    );
    fc.assert(
      fc.property(almost, (text) => {
        const wanted = !text.includes('%') && (nodeIsIpv4(text) || nodeIsIpv6(text));
        expect(parseIpOrNothing(text) !== undefined).toBe(wanted);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['1::2:0:0:3:4', '1::2:0:0:3:4'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
  ])('write %s as %s', (text, canonical) => {
    expect(parseIp(text)).toBe(canonical);
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.256',
    '::1%eth0',
    '1::2::3',
    ':::',
    '1:2:3:4:5:6:7',
    '12345::',
    '1.2.3.4::',
    '10.0.0.1/24',
    ' ::1',
  ])('are not %j', (text) => {
    expect(() => parseIp(text)).toThrow(badValue);
  });

  it('are of one family', () => {
    expect(isIpv4(parseIp('10.0.0.1'))).toBe(true);
    expect(isIpv6(parseIp('::10.0.0.1'))).toBe(true);
    expect(() => parseIpv4('::1')).toThrow(badValue);
    expect(() => parseIpv6('10.0.0.1')).toThrow(badValue);
    expect(() => ipFromBytes(new Uint8Array(5))).toThrow(badValue);
  });

  it('know link-local ones', () => {
    const local = ['169.254.1.1', 'fe80::1', 'febf::1'].map((text) => isLinkLocal(parseIp(text)));
    const others = ['169.255.1.1', '10.0.0.1', 'fec0::1', '2001::1'].map((text) =>
      isLinkLocal(parseIp(text)),
    );
    expect(local).toEqual([true, true, true]);
    expect(others).toEqual([false, false, false, false]);
  });
});

describe('prefixes', () => {
  it('survive the way to text and back', () => {
    fc.assert(
      fc.property(cidr, (value) => {
        expect(parseCidr(formatCidr(value))).toEqual(value);
      }),
    );
  });

  it('contain what Node says that they contain', () => {
    const nearby = fc
      .tuple(cidr, address, fc.nat(128))
      .map(([network, other, keep]): [typeof network, IpAddress] => {
        if (familyOf(network.address) !== familyOf(other)) return [network, other];
        const bytes = ipBytes(other).map((byte, index) =>
          index < keep / 8 ? (ipBytes(network.address)[index] ?? 0) : byte,
        );
        return [network, ipFromBytes(bytes)];
      });
    fc.assert(
      fc.property(nearby, ([network, value]) => {
        // Node takes an IPv4 address for the same as its mapped IPv6 form; here families never mix.
        if (familyOf(network.address) !== familyOf(value)) {
          expect(contains(network, value)).toBe(false);
          return;
        }
        const family = familyOf(value) === 4 ? 'ipv4' : 'ipv6';
        const list = new BlockList();
        list.addSubnet(network.address, network.prefixLength, family);
        expect(contains(network, value)).toBe(list.check(value, family));
      }),
      { numRuns: 2000 },
    );
  });

  it('have a network that contains them and is its own network', () => {
    fc.assert(
      fc.property(cidr, (value) => {
        const network = networkOf(value);
        expect(contains(network, value.address)).toBe(true);
        expect(networkOf(network)).toEqual(network);
      }),
    );
  });

  it('take an address alone for itself', () => {
    expect(parseCidr('10.0.0.1')).toEqual({ address: '10.0.0.1', prefixLength: 32 });
    expect(parseCidr('::1')).toEqual({ address: '::1', prefixLength: 128 });
  });

  it('know everything', () => {
    expect(formatCidr(everything(4))).toBe('0.0.0.0/0');
    expect(formatCidr(everything(6))).toBe('::/0');
    expect(isEverything(everything(6))).toBe(true);
    expect(isEverything(parseCidr('0.0.0.0/1'))).toBe(false);
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '::/129',
    '10.0.0.0/8/8',
    'x/8',
    '/8',
    '10.0.0.0/1e1',
  ])('are not %j', (text) => {
    expect(() => parseCidr(text)).toThrow(badValue);
  });
});

describe('MAC addresses', () => {
  it('survive the way to text and back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (bytes) => {
        const mac = macFromBytes(bytes);
        expect(macBytes(mac!)).toEqual(bytes);
        expect(parseMac(mac!.toUpperCase())).toBe(mac);
      }),
    );
  });

  it.each([
    '',
    '02:42:ac:11:00',
    '02:42:ac:11:00:0g',
    '02-42-ac-11-00-02',
    '02:42:ac:11:00:02:03',
  ])('are not %j', (text) => {
    expect(() => parseMac(text)).toThrow(badValue);
  });

  it('are not what a link of another kind has', () => {
    expect(macFromBytes(new Uint8Array(4))).toBeUndefined();
  });
});
