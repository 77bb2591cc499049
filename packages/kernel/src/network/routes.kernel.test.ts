import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { everything, parseCidr, parseIp, parseMac } from '../ip/index.ts';
import type { Netns } from '../netns/index.ts';
import { freshNamespace, ip, ipJson } from '../testing/namespaces.ts';
import { MAIN_TABLE, Network, routeProtocols } from './index.ts';

let namespace: Netns;
let network: Network;
let link: number;

beforeEach(() => {
  namespace = freshNamespace('routes');
  ip(namespace, 'link add e0 type veth peer name e1');
  ip(namespace, 'link set e0 up');
  ip(namespace, 'link set e1 up');
  ip(namespace, 'addr add 10.0.0.2/24 dev e0');
  ip(namespace, 'addr add fd00::2/64 dev e0 nodad');
  network = Network.open(namespace);
  link = network.links.byName('e0')!.index;
});
afterEach(() => {
  network[Symbol.dispose]();
  namespace[Symbol.dispose]();
});

const defaults = (family: 4 | 6) => ipJson(namespace, `-${family} route show default`);
const ours = 201;

describe('Routes', () => {
  it('lists what ip lists', () => {
    ip(namespace, 'route add default via 10.0.0.1 metric 7 proto dhcp src 10.0.0.2 mtu 1400');
    ip(namespace, 'route add blackhole 192.0.2.0/24');
    ip(
      namespace,
      'route add 198.51.100.0/24 nexthop via 10.0.0.1 nexthop via 10.0.0.9 dev e0 onlink weight 7',
    );
    ip(namespace, 'route add 203.0.113.0/24 via 10.0.0.1 table 1234');
    const listed = network.routes.list({ family: 4, table: MAIN_TABLE });
    expect(
      listed.map(({ destination, gateway, metric, source, type }) => ({
        dst:
          destination.prefixLength === 0 ? 'default' : `${destination.address}/${destination.prefixLength}`,
        gateway,
        metric: metric || undefined,
        prefsrc: source,
        type: type === 'unicast' ? undefined : type,
      })),
    ).toEqual(
      ipJson(namespace, '-4 -N route').map(({ dst, gateway, metric, prefsrc, type, nexthops }) => ({
        dst,
        gateway: (nexthops as { gateway: string }[] | undefined)?.[0]?.gateway ?? gateway,
        metric,
        prefsrc,
        type: type === '6' ? 'blackhole' : type,
      })),
    );
    expect(listed.find(({ mtu }) => mtu !== undefined)).toMatchObject({
      mtu: 1400,
      protocol: routeProtocols.dhcp,
    });
    expect(listed.find(({ otherHops }) => otherHops.length > 0)).toMatchObject({
      gateway: '10.0.0.1',
      onLink: false,
      weight: 1,
      otherHops: [{ gateway: '10.0.0.9', link, onLink: true, weight: 7 }],
    });
    expect(network.routes.list({ table: 1234 })).toMatchObject([{ table: 1234, gateway: '10.0.0.1' }]);
  });

  it('lists by family, link, protocol, type and destination', () => {
    network.routes.add({ destination: everything(4), gateway: parseIp('10.0.0.1'), link, protocol: ours });
    network.routes.add({ destination: everything(6), gateway: parseIp('fd00::1'), link, protocol: ours });
    expect(network.routes.list({ protocol: ours })).toHaveLength(2);
    expect(network.routes.list({ protocol: ours, family: 6 })).toMatchObject([{ gateway: 'fd00::1' }]);
    expect(network.routes.list({ destination: everything(4) })).toMatchObject([{ gateway: '10.0.0.1' }]);
    expect(network.routes.list({ link: 999 })).toEqual([]);
    expect(network.routes.list({ type: 'local', family: 4 }).map((route) => route.type)).toContain('local');
    expect(network.routes.list({ type: 'blackhole' })).toEqual([]);
    expect(network.routes.list({ table: 4711 })).toEqual([]);
    expect(network.routes.list({ table: 4711, family: 4 })).toEqual([]);
    expect(network.routes.list({ table: 4711, family: 6 })).toEqual([]);
  });

  it('replaces a default route in one step, per family', () => {
    for (const [family, first, second] of [
      [4, '10.0.0.1', '10.0.0.9'],
      [6, 'fd00::1', 'fd00::9'],
    ] as const) {
      const route = { destination: everything(family), link, metric: 5, protocol: ours };
      network.routes.replace({ ...route, gateway: parseIp(first) });
      network.routes.replace({ ...route, gateway: parseIp(second) });
      expect(defaults(family)).toMatchObject([
        { gateway: second, dev: 'e0', metric: 5, protocol: `${ours}` },
      ]);
    }
  });

  it('leaves routes with another metric alone', () => {
    const route = { destination: everything(4), link, gateway: parseIp('10.0.0.1') };
    network.routes.add({ ...route, metric: 10 });
    network.routes.replace({ ...route, gateway: parseIp('10.0.0.9') });
    expect(defaults(4).map(({ gateway, metric }) => [gateway, metric])).toEqual([
      ['10.0.0.9', undefined],
      ['10.0.0.1', 10],
    ]);
    expect(() => network.routes.add({ ...route, metric: 10 })).toThrow(
      expect.objectContaining({ code: 'KERNEL_EXISTS' }),
    );
  });

  it('takes a gateway outside of every subnet only when told that it is on the link', () => {
    const route = { destination: everything(4), link, gateway: parseIp('192.0.2.1') };
    expect(() => network.routes.add(route)).toThrow(
      /adding route 0\.0\.0\.0\/0 via 192\.0\.2\.1 on link \d+ failed: Nexthop has invalid gateway \(ENETUNREACH\)/,
    );
    network.routes.add({ ...route, onLink: true });
    expect(defaults(4)).toMatchObject([{ gateway: '192.0.2.1', flags: ['onlink'] }]);
    expect(network.routes.list({ destination: everything(4) })).toMatchObject([{ onLink: true }]);
  });

  it('takes a link-local router, and an IPv6 router for IPv4', () => {
    network.routes.add({ destination: everything(6), link, gateway: parseIp('fe80::1') });
    network.routes.add({ destination: everything(4), link, gateway: parseIp('fe80::1') });
    expect(defaults(6)).toMatchObject([{ gateway: 'fe80::1', dev: 'e0' }]);
    expect(defaults(4)).toMatchObject([{ via: { family: 'inet6', host: 'fe80::1' } }]);
    expect(network.routes.list({ destination: everything(4) })).toMatchObject([{ gateway: 'fe80::1' }]);
  });

  it('writes other tables, sources and kinds', () => {
    network.routes.add({
      destination: parseCidr('192.0.2.0/24'),
      link,
      table: 5000,
      source: parseIp('10.0.0.2'),
    });
    network.routes.add({ destination: parseCidr('198.51.100.0/24'), type: 'unreachable', table: 5000 });
    expect(ipJson(namespace, 'route show table 5000')).toMatchObject([
      { dst: '192.0.2.0/24', dev: 'e0', prefsrc: '10.0.0.2', scope: 'link' },
      { dst: '198.51.100.0/24', type: 'unreachable' },
    ]);
  });

  it('puts back what it read', () => {
    ip(namespace, 'route add default via 10.0.0.1 metric 7 proto dhcp src 10.0.0.2 mtu 1400');
    ip(namespace, 'route add 192.0.2.0/24 via 198.51.100.1 dev e0 onlink');
    ip(namespace, 'route add 198.51.100.0/24 nexthop via 10.0.0.1 weight 3 nexthop via 10.0.0.9');
    ip(namespace, '-6 route add default via fe80::1 dev e0 metric 3');
    const before = { v4: ip(namespace, '-4 -N route'), v6: ip(namespace, '-6 -N route') };
    const kept = network.routes
      .list({ table: MAIN_TABLE })
      .filter(({ protocol }) => protocol !== routeProtocols.kernel);
    for (const route of kept) expect(network.routes.delete(route)).toBe(true);
    expect(
      network.routes.list({ table: MAIN_TABLE }).filter(({ protocol }) => protocol !== routeProtocols.kernel),
    ).toEqual([]);
    for (const route of kept) network.routes.add(route);
    expect(ip(namespace, '-6 -N route')).toBe(before.v6);
    expect(ip(namespace, '-4 -N route').split('\n').sort()).toEqual(before.v4.split('\n').sort());
  });

  it('deletes the route that is meant, and says whether it was there', () => {
    const route = { destination: everything(4), link };
    network.routes.add({ ...route, gateway: parseIp('10.0.0.1'), metric: 1, protocol: ours });
    network.routes.add({ ...route, gateway: parseIp('10.0.0.9'), metric: 2, protocol: ours });
    expect(network.routes.delete({ ...route, protocol: 77 })).toBe(false);
    expect(network.routes.delete({ ...route, gateway: parseIp('10.0.0.9') })).toBe(true);
    expect(defaults(4)).toMatchObject([{ gateway: '10.0.0.1' }]);
    expect(network.routes.delete({ ...route, metric: 2 })).toBe(false);
    expect(network.routes.delete({ destination: everything(4), protocol: ours })).toBe(true);
    expect(network.routes.delete({ destination: everything(6) })).toBe(false);
    expect(defaults(4)).toEqual([]);
  });

  it('finds the way to an address', () => {
    network.routes.add({ destination: everything(4), gateway: parseIp('10.0.0.1') });
    expect(network.routes.lookUp(parseIp('10.0.0.7'))).toMatchObject({
      link,
      gateway: undefined,
      source: '10.0.0.2',
    });
    expect(network.routes.lookUp(parseIp('192.0.2.1'))).toMatchObject({ link, gateway: '10.0.0.1' });
    expect(network.routes.lookUp(parseIp('10.0.0.2'))).toMatchObject({ type: 'local' });
    expect(network.routes.lookUp(parseIp('fd00::7'), link)).toMatchObject({ link });
    expect(() => network.routes.lookUp(parseIp('2001:db8::1'))).toThrow(
      expect.objectContaining({ code: 'KERNEL_UNREACHABLE' }),
    );
  });
});

describe('Neighbours', () => {
  it('are written, listed and forgotten', () => {
    const mac = parseMac('02:00:00:00:00:77');
    network.neighbours.replace({ link, address: parseIp('10.0.0.7'), mac });
    network.neighbours.replace({ link, address: parseIp('fd00::7'), mac, state: 'stale' });
    expect(ipJson(namespace, 'neigh show dev e0 10.0.0.7')).toMatchObject([
      { lladdr: mac, state: ['PERMANENT'] },
    ]);
    expect(network.neighbours.list({ link, family: 4 })).toEqual([
      { link, address: '10.0.0.7', mac, state: 'permanent', router: false, proxy: false },
    ]);
    expect(network.neighbours.list().filter((one) => one.mac === mac)).toHaveLength(2);
    expect(network.neighbours.delete({ link, address: parseIp('10.0.0.7') })).toBe(true);
    expect(network.neighbours.delete({ link, address: parseIp('10.0.0.7') })).toBe(false);
    expect(network.neighbours.list({ link, family: 4 })).toEqual([]);
    expect(network.neighbours.list({ link: 999 })).toEqual([]);
  });
});

describe('Rules', () => {
  it('are listed as ip lists them', () => {
    ip(
      namespace,
      'rule add priority 100 from 10.0.0.0/8 to 192.0.2.1 fwmark 0x10/0xf0 iif e0 oif e1 table 5000',
    );
    ip(namespace, '-6 rule add priority 200 not from fd00::/8 prohibit');
    expect(network.rules.list(4)).toMatchObject([
      { priority: 0, action: 'table', table: 255, source: undefined },
      {
        family: 4,
        priority: 100,
        action: 'table',
        table: 5000,
        source: { address: '10.0.0.0', prefixLength: 8 },
        destination: { address: '192.0.2.1', prefixLength: 32 },
        mark: { value: 0x10, mask: 0xf0 },
        inputLink: 'e0',
        outputLink: 'e1',
        inverted: false,
      },
      { priority: 32_766, table: 254 },
      { priority: 32_767, table: 253 },
    ]);
    expect(network.rules.list(6).map(({ priority }) => priority)).toEqual(
      ipJson(namespace, '-6 rule').map(({ priority }) => priority),
    );
    expect(network.rules.list()).toHaveLength(7);
    expect(network.rules.list(6)[1]).toMatchObject({
      action: 'prohibit',
      inverted: true,
      source: { prefixLength: 8 },
    });
  });
});
