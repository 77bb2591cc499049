import { parseCidr, parseIp } from '@berth/kernel/ip';
import { describe, expect, it } from 'vitest';
import { gatewayLink, gatewayOnLink, type LocalAddress } from './next-hop.ts';

const on = (link: number, cidr: string): LocalAddress => ({ ...parseCidr(cidr), link });

const addresses = [
  on(1, '127.0.0.1/8'),
  on(2, '172.30.0.5/24'),
  on(3, '172.30.1.5/16'),
  on(2, 'fd30::5/64'),
  on(2, 'fe80::42:acff:fe1e:5/64'),
];

const through = (gateway: string, local = addresses) => gatewayLink(parseIp(gateway), local);

describe('way to a gateway', () => {
  it('is the interface with the narrowest network around it', () => {
    expect(through('172.30.0.2')).toEqual({ link: 2, onLink: false });
    expect(through('172.30.9.2')).toEqual({ link: 3, onLink: false });
    expect(through('fd30::ffff:0:0:2')).toEqual({ link: 2, onLink: false });
  });

  it('is nowhere for a gateway outside of all networks', () => {
    expect(through('10.0.0.1')).toBeUndefined();
    expect(through('fd30:0:0:1::2')).toBeUndefined();
  });

  it('is the only interface for a link-local gateway, and nowhere when there are two', () => {
    expect(through('fe80::1')).toEqual({ link: 2, onLink: false });
    expect(through('fe80::1', [...addresses, on(3, 'fe80::5/64')])).toBeUndefined();
  });

  it('tells the kernel that a gateway outside of the networks of a given interface is on its link', () => {
    const onLink = (link: number, gateway: string, local = addresses) =>
      gatewayOnLink(link, parseIp(gateway), local).onLink;
    expect(onLink(2, '172.30.0.2')).toBe(false);
    expect(onLink(2, '10.0.0.1')).toBe(true);
    expect(onLink(2, 'fe80::1')).toBe(false);
    expect(onLink(2, '10.99.0.1', [on(2, '10.99.0.7/32')])).toBe(true);
  });
});
