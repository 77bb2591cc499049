import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyIpv4, anyIpv6 } from '../testing/arbitraries.ts';
import {
  ipv4Bytes,
  ipv4FromBytes,
  ipv6Bytes,
  ipv6FromBytes,
  isGlobalHostIpv6,
  isHostIpv4,
  parseIpv4,
  parseIpv6,
  parseMac,
  prefixLengthOf,
} from './addresses.ts';

/** The platform's own idea of the canonical form. */
const byUrl = (address: string): string => new URL(`http://[${address}]/`).hostname.slice(1, -1);

describe('addresses', () => {
  it('come back from their bytes as they were', () => {
    fc.assert(fc.property(anyIpv4, (address) => ipv4FromBytes(ipv4Bytes(address)) === address));
    fc.assert(fc.property(anyIpv6, (address) => ipv6FromBytes(ipv6Bytes(address)) === address));
    fc.assert(fc.property(anyIpv4, (address) => parseIpv4(address) === address));
    fc.assert(fc.property(anyIpv6, (address) => parseIpv6(address) === address));
  });

  it('are written in the same canonical form that the platform uses', () => {
    fc.assert(
      fc.property(anyIpv6, (address) => {
        expect(address).toBe(byUrl(address));
      }),
    );
  });

  it.each([
    ['::', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['FE80::1', 'fe80::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['1::2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
  ])('reads %s as %s', (text, canonical) => expect(parseIpv6(text)).toBe(canonical));

  it.each([
    '',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    'g::',
    '12345::',
    'fe80::1%eth0',
    '::1.2.3',
  ])('refuses "%s" as IPv6', (text) => {
    expect(isIPv6(text) && !text.includes('%')).toBe(false);
    expect(parseIpv6(text)).toBeUndefined();
  });

  it('refuses as IPv6 whatever the platform refuses', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-f:.]{0,24}$/), (text) => {
        expect(parseIpv6(text) !== undefined).toBe(isIPv6(text));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.-4',
    ' 1.2.3.4',
    '1e1.2.3.4',
  ])('refuses "%s" as IPv4', (text) => expect(parseIpv4(text)).toBeUndefined());

  it('knows the length of a mask, and refuses one with holes', () => {
    const length = (text: string): number | undefined => prefixLengthOf(parseIpv4(text)!);
    expect(
      ['0.0.0.0', '128.0.0.0', '255.255.255.0', '255.255.255.252', '255.255.255.255'].map(length),
    ).toEqual([0, 1, 24, 30, 32]);
    expect(['255.0.255.0', '0.0.0.1', '255.255.255.253'].map(length)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('tells what one host can own from what nobody can', () => {
    const v4 = (text: string): boolean => isHostIpv4(parseIpv4(text)!);
    expect(['10.0.0.1', '192.0.2.255', '100.64.0.1', '169.254.1.1'].every(v4)).toBe(true);
    expect(['0.0.0.0', '0.1.2.3', '127.0.0.1', '224.0.0.1', '255.255.255.255'].some(v4)).toBe(false);
    const v6 = (text: string): boolean => isGlobalHostIpv6(parseIpv6(text)!);
    expect(['2001:db8::1', 'fd99::1', 'fec0::1'].every(v6)).toBe(true);
    expect(['::', '::1', 'fe80::1', 'febf::1', 'ff02::1'].some(v6)).toBe(false);
  });

  it('takes a MAC in either case and gives it in one', () => {
    expect(parseMac('02:42:AC:11:00:02')).toBe('02:42:ac:11:00:02');
    expect(parseMac('02:42:ac:11:00')).toBeUndefined();
    expect(parseMac('02-42-ac-11-00-02')).toBeUndefined();
  });
});
