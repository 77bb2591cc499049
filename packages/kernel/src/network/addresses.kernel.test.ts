import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCidr, parseIpv4 } from '../ip/index.ts';
import type { Netns } from '../netns/index.ts';
import { freshNamespace, inside, ip, ipJson, type Told, until } from '../testing/namespaces.ts';
import { type InterfaceAddress, Network } from './index.ts';

let namespace: Netns;
let network: Network;
let link: number;

beforeEach(() => {
  namespace = freshNamespace('addresses');
  ip(namespace, 'link add e0 type veth peer name e1');
  ip(namespace, 'link set e0 up');
  ip(namespace, 'link set e1 up');
  network = Network.open(namespace);
  link = network.links.byName('e0')!.index;
});
afterEach(() => {
  network[Symbol.dispose]();
  namespace[Symbol.dispose]();
});

const told = (): Told => (ipJson(namespace, 'addr show dev e0')[0]?.['addr_info'] as Told | undefined) ?? [];
const global = (): InterfaceAddress[] =>
  network.addresses.list({ link }).filter(({ scope }) => scope === 'global');
const one = (text: string): InterfaceAddress | undefined =>
  global().find(({ address }) => address === parseCidr(text).address);

describe('Addresses', () => {
  it('lists what ip lists', () => {
    ip(namespace, 'addr add 10.0.0.2/24 brd 10.0.0.255 dev e0 label e0:one valid_lft 600 preferred_lft 300');
    ip(namespace, 'addr add 10.0.0.3/24 dev e0 noprefixroute');
    ip(namespace, 'addr add 10.1.0.1 peer 10.2.0.1/16 dev e0');
    ip(namespace, 'addr add fd00::2/64 dev e0 nodad');
    const mine = global().map(
      ({ address, prefixLength, peer, broadcast, label, secondary, noPrefixRoute, permanent }) => ({
        local: address,
        prefixlen: prefixLength,
        address: peer,
        broadcast,
        label,
        secondary: secondary || undefined,
        noprefixroute: noPrefixRoute || undefined,
        dynamic: permanent ? undefined : true,
      }),
    );
    const theirs = told()
      .filter(({ scope }) => scope === 'global')
      .map(({ local, prefixlen, address, broadcast, label, secondary, noprefixroute, dynamic }) => ({
        local,
        prefixlen,
        address,
        broadcast,
        label,
        secondary,
        noprefixroute,
        dynamic,
      }));
    expect(mine).toEqual(theirs);
    expect(mine).toHaveLength(4);
    expect(one('10.0.0.2')).toMatchObject({
      validSeconds: expect.closeTo(600, -1),
      preferredSeconds: expect.closeTo(300, -1),
    });
    expect(one('10.0.0.3')).toMatchObject({
      validSeconds: Number.POSITIVE_INFINITY,
      preferredSeconds: Number.POSITIVE_INFINITY,
    });
  });

  it('lists by link and by family', () => {
    network.addresses.add({ ...parseCidr('10.0.0.2/24'), link });
    const loopback = network.links.byName('lo')!.index;
    expect(network.addresses.list({ link: loopback, family: 4 }).map(({ address }) => address)).toEqual([
      '127.0.0.1',
    ]);
    expect(network.addresses.list({ link: loopback }).map(({ address }) => address)).toEqual([
      '127.0.0.1',
      '::1',
    ]);
    expect(network.addresses.list({ family: 4 }).map(({ address }) => address)).toEqual([
      '127.0.0.1',
      '10.0.0.2',
    ]);
    expect(network.addresses.list({ link: 999 })).toEqual([]);
  });

  it('adds an address with everything that can be said about it', () => {
    network.addresses.add({
      ...parseCidr('10.0.0.2/24'),
      link,
      broadcast: parseIpv4('10.0.0.255'),
      label: 'e0:lan',
      validSeconds: 1000,
      preferredSeconds: 500,
      noPrefixRoute: true,
    });
    expect(told()).toContainEqual(
      expect.objectContaining({
        local: '10.0.0.2',
        prefixlen: 24,
        broadcast: '10.0.0.255',
        label: 'e0:lan',
        noprefixroute: true,
        dynamic: true,
      }),
    );
    expect(ipJson(namespace, 'route show dev e0')).toEqual([]);
    expect(() => network.addresses.add({ ...parseCidr('10.0.0.2/24'), link })).toThrow(
      expect.objectContaining({ code: 'KERNEL_EXISTS' }),
    );
  });

  it('renews lifetimes, and deprecates', () => {
    for (const text of ['10.0.0.2/24', 'fd00::2/64']) {
      const address = { ...parseCidr(text), link, noDad: true };
      network.addresses.replace({ ...address, validSeconds: 100, preferredSeconds: 50 });
      expect(one(text)).toMatchObject({ deprecated: false, permanent: false });
      network.addresses.replace({ ...address, validSeconds: 5000, preferredSeconds: 4000 });
      expect(one(text)!.validSeconds).toBeGreaterThan(4900);
      expect(one(text)!.preferredSeconds).toBeGreaterThan(3900);
      network.addresses.replace({ ...address, validSeconds: 5000, preferredSeconds: 0 });
      expect(one(text)).toMatchObject({ deprecated: true, preferredSeconds: 0 });
      network.addresses.replace(address);
      expect(one(text)).toMatchObject({ deprecated: false, permanent: true });
    }
  });

  it('removes an address, and says whether it was there', () => {
    network.addresses.add({ ...parseCidr('10.0.0.2/24'), link });
    network.addresses.add({ ...parseCidr('fd00::2/64'), link });
    expect(network.addresses.delete({ ...parseCidr('10.0.0.2/24'), link })).toBe(true);
    expect(network.addresses.delete({ ...parseCidr('10.0.0.2/24'), link })).toBe(false);
    expect(network.addresses.delete({ ...parseCidr('fd00::2/64'), link })).toBe(true);
    expect(network.addresses.delete({ ...parseCidr('fd00::2/64'), link })).toBe(false);
    expect(network.addresses.delete({ ...parseCidr('10.0.0.2/24'), link: 999 })).toBe(false);
    expect(global()).toEqual([]);
  });

  it('shows how the search for a duplicate of an IPv6 address goes', async () => {
    inside(namespace, 'ip', 'addr', 'add', 'fd00::9/64', 'dev', 'e1', 'nodad');
    network.addresses.add({ ...parseCidr('fd00::9/64'), link });
    network.addresses.add({ ...parseCidr('fd00::8/64'), link });
    network.addresses.add({ ...parseCidr('fd00::7/64'), link, noDad: true });
    expect(one('fd00::9')).toMatchObject({ tentative: true, dadFailed: false });
    expect(one('fd00::7')).toMatchObject({ tentative: false });
    await until('the duplicate is found', () => one('fd00::9')?.dadFailed);
    await until('the free one is usable', () => one('fd00::8')?.tentative === false);
  });
});

describe('exchanging an address', () => {
  const routesBy = (): string[] =>
    ipJson(namespace, 'route').map(({ dst, gateway }) =>
      gateway === undefined ? String(dst) : `${dst} via ${gateway}`,
    );

  it.each([
    ['in one subnet', '10.0.0.2/24', '10.0.0.3/24'],
    ['between subnets', '10.0.0.2/24', '10.0.1.3/24'],
    ['for a longer prefix', '10.0.0.2/24', '10.0.0.2/25'],
    ['for a host address', '10.0.0.2/24', '10.0.0.2/32'],
  ])('works %s, without the link ever being empty', (_, before, after) => {
    network.addresses.add({ ...parseCidr(before), link });
    ip(namespace, 'route add default via 10.0.0.1 dev e0 onlink');
    network.addresses.exchange(
      { ...parseCidr(before), link },
      { ...parseCidr(after), link, validSeconds: 600 },
    );
    expect(global().map(({ address, prefixLength }) => `${address}/${prefixLength}`)).toEqual([after]);
    expect(global()[0]).toMatchObject({ secondary: false, validSeconds: expect.closeTo(600, -1) });
    // An empty link would have lost the default route.
    expect(routesBy()).toContain('default via 10.0.0.1');
  });

  it('keeps the route to the subnet', () => {
    network.addresses.add({ ...parseCidr('10.0.0.2/24'), link });
    network.addresses.exchange({ ...parseCidr('10.0.0.2/24'), link }, { ...parseCidr('10.0.0.3/24'), link });
    expect(ipJson(namespace, 'route')).toMatchObject([{ dst: '10.0.0.0/24', prefsrc: '10.0.0.3' }]);
  });

  it('works whether or not the kernel promotes secondary addresses', () => {
    inside(namespace, 'sysctl', '-qw', 'net.ipv4.conf.e0.promote_secondaries=1');
    network.addresses.add({ ...parseCidr('10.0.0.2/24'), link });
    network.addresses.exchange({ ...parseCidr('10.0.0.2/24'), link }, { ...parseCidr('10.0.0.3/24'), link });
    expect(global()).toMatchObject([{ address: '10.0.0.3', prefixLength: 24, secondary: false }]);
  });

  it('only renews when it is the same one, and adds when the old one is gone already', () => {
    const old = { ...parseCidr('10.0.0.2/24'), link };
    network.addresses.add(old);
    network.addresses.exchange(old, { ...old, validSeconds: 600 });
    expect(one('10.0.0.2')?.validSeconds).toBeLessThanOrEqual(600);
    network.addresses.delete(old);
    network.addresses.exchange(old, { ...parseCidr('10.0.0.3/24'), link });
    expect(global()).toMatchObject([{ address: '10.0.0.3', prefixLength: 24 }]);
  });

  it.each([0, 1])('keeps the other addresses of the subnet (promote_secondaries=%i)', (promote) => {
    inside(namespace, 'sysctl', '-qw', `net.ipv4.conf.e0.promote_secondaries=${promote}`);
    network.addresses.add({ ...parseCidr('10.0.0.2/24'), link });
    ip(namespace, 'addr add 10.0.0.9/24 brd 10.0.0.255 dev e0 label e0:vip valid_lft 600 preferred_lft 300');
    ip(namespace, 'addr add 10.5.0.1/24 dev e0');
    network.addresses.exchange({ ...parseCidr('10.0.0.2/24'), link }, { ...parseCidr('10.0.0.3/24'), link });
    expect(
      global()
        .map(({ address }) => address)
        .sort(),
    ).toEqual(['10.0.0.3', '10.0.0.9', '10.5.0.1']);
    expect(one('10.0.0.9')).toMatchObject({
      label: 'e0:vip',
      broadcast: '10.0.0.255',
      validSeconds: expect.closeTo(600, -1),
      preferredSeconds: expect.closeTo(300, -1),
    });
  });

  it('works for IPv6', () => {
    const old = { ...parseCidr('fd00::2/64'), link };
    network.addresses.add(old);
    network.addresses.exchange(old, { ...parseCidr('fd00::3/64'), link });
    expect(global()).toMatchObject([{ address: 'fd00::3' }]);
  });
});
