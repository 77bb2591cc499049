import { parseIp } from '@berth/kernel/ip';
import { writeSysctl } from '@berth/kernel/netns';
import { describe, expect, it } from 'vitest';
import type { Family } from '../families.ts';
import { addressesOf, DhcpLan, FastClock, ip, until } from '../testing/dhcp-lan.ts';
import { testParts } from '../testing/program.ts';
import { DhcpSupervisor, listenToRouters } from './index.ts';

const noStore = { load: () => undefined, save: () => undefined, clear: () => undefined };

/** Both clients on the LAN's container; ends with the test. */
function supervise(lan: DhcpLan, speed = 10, families: readonly Family[] = ['v4', 'v6']) {
  const parts = testParts();
  const routers: string[] = [];
  const advertised: (string | undefined)[] = [];
  const end = new AbortController();
  const clock = new FastClock(speed);
  const collectors = new Set<() => void>();
  const supervisor = new DhcpSupervisor(
    { families, hostName: 'shop', clientId: undefined, backoffMaxMs: 20_000, releaseOnStop: true },
    {
      ...parts,
      clock,
      namespace: lan.container,
      link: () => lan.link,
      route: { dhcpRouter: (router) => routers.push(router) },
      onScrape: (collect) => {
        collectors.add(collect);
        return () => collectors.delete(collect);
      },
      store: noStore,
      store6: noStore,
    },
  );
  const ended = Promise.all([
    supervisor.run(end.signal),
    listenToRouters(
      {
        ...parts,
        clock,
        namespace: lan.container,
        iface: 'ext',
        link: () => lan.link,
        route: { advertisedRouter: (router) => advertised.push(router) },
      },
      end.signal,
    ),
  ]);
  const { recording, metrics, problems } = parts;
  const told = (msg: string) => recording.lines.filter((line) => line.msg === msg);
  return {
    ...{ metrics, problems, recording, routers, advertised, told },
    collect: () => {
      for (const collect of collectors) collect();
    },
    said: (msg: string, count = 1) =>
      until(
        `${count} × ${msg}`,
        () => told(msg).length >= count,
        () => JSON.stringify(recording.lines),
      ),
    async [Symbol.asyncDispose]() {
      end.abort();
      await ended;
    },
  };
}

/** As Docker leaves an anchor's interface: it forwards, and listens to no router. */
function forward(lan: DhcpLan): void {
  writeSysctl('ipv6/conf/all/forwarding', 1, lan.container);
  writeSysctl('ipv6/conf/ext/accept_ra', 1, lan.container);
}

const globalV6 = (lan: DhcpLan): readonly string[] =>
  addressesOf(lan.container, 'ext', 6).filter((address) => !address.startsWith('fe80'));

describe('the addresses of both families', () => {
  it('are leased side by side, told by the gauge, and given back', async () => {
    using lan = new DhcpLan();
    const server = await lan.serve(
      '--enable-ra',
      '--ra-param=br0,4,1800',
      '--dhcp-range=fd99::1000,fd99::10ff,64,120',
      '--dhcp-range=10.99.0.100,10.99.0.110,255.255.255.0,120',
    );
    {
      await using both = supervise(lan);
      await both.said('dhcp v4 lease acquired');
      await both.said('dhcp v6 lease acquired');
      both.collect();
      for (const family of ['v4', 'v6'] as const) {
        expect(both.metrics.leaseRemaining.value({ family })).toBeGreaterThan(1);
        expect(both.metrics.leaseRemaining.value({ family })).toBeLessThanOrEqual(120);
        expect(both.metrics.leasesAcquired.value({ family, outcome: 'ok' })).toBe(1);
        expect(both.metrics.leasesAcquired.value({ family, outcome: 'error' })).toBe(0);
      }
      expect(both.routers).toEqual(['10.99.0.1']);
      await both.said('dhcp v6 lease renewed');
      expect(both.metrics.leasesAcquired.value({ family: 'v6', outcome: 'ok' })).toBe(1);
    }
    expect(globalV6(lan).filter((address) => address.endsWith('/128'))).toEqual([]);
    await until(
      'both given back',
      () => server.messages.filter((message) => message === 'DHCPRELEASE').length >= 2,
    );
  });

  it('are leased in the one family that is asked for, and nobody is asked in the other', async () => {
    using lan = new DhcpLan();
    const server = await lan.serve(
      '--enable-ra',
      '--ra-param=br0,4,1800',
      '--dhcp-range=fd99::1000,fd99::10ff,64,120',
      '--dhcp-range=10.99.0.100,10.99.0.110,255.255.255.0,120',
    );
    {
      await using one = supervise(lan, 10, ['v6']);
      await one.said('dhcp v6 lease renewed');
      expect(one.metrics.leasesAcquired.value({ family: 'v6', outcome: 'ok' })).toBe(1);
      expect(one.problems.of('no-lease')).toEqual([]);
    }
    expect(server.messages).not.toContain('DHCPDISCOVER');
  });

  it('come from a LAN that only advertises, without a word about leases after the first', async () => {
    using lan = new DhcpLan();
    forward(lan);
    await using both = supervise(lan, 40);
    await lan.serve('--enable-ra', '--ra-param=br0,4,1800', '--dhcp-range=fd99::,ra-only,64,600');
    await both.said('external IPv6 address made from router advertisement');
    await until('an address that can be used', () =>
      ip(lan.container, '-6 addr show dev ext scope global -tentative').includes('fd99::'),
    );
    expect(both.advertised.at(-1)).toMatch(/^fe80::/);
    expect(ip(lan.container, '-6 route show fd99::/64')).toMatch(/^fd99::\/64 dev ext proto ra metric 512/);
    // Nobody leases anything: three attempts, and one word at a level that anybody sees.
    await both.said('dhcp client lost lease, retrying', 4);
    const lost = both.told('dhcp client lost lease, retrying').filter(({ attrs }) => attrs['family'] === 6);
    await until(
      'three attempts',
      () =>
        both.told('dhcp client lost lease, retrying').filter(({ attrs }) => attrs['family'] === 6).length >=
        3,
    );
    expect(lost[0]?.level).toBe('warn');
    const all = both.told('dhcp client lost lease, retrying').filter(({ attrs }) => attrs['family'] === 6);
    expect(all.slice(1).map(({ level }) => level)).toEqual(all.slice(1).map(() => 'debug'));
    expect(both.metrics.leasesAcquired.value({ family: 'v6', outcome: 'error' })).toBe(0);
    expect(both.problems.of('no-lease').map(({ subject }) => subject)).toEqual(['v4']);
  });

  it('are made by nobody twice: where the kernel listens to routers, it is left to it', async () => {
    using lan = new DhcpLan();
    forward(lan);
    writeSysctl('ipv6/conf/ext/accept_ra', 2, lan.container);
    await using both = supervise(lan);
    await lan.serve('--enable-ra', '--ra-param=br0,4,1800', '--dhcp-range=fd99::,ra-only,64,600');
    await until('an address of the kernel', () => globalV6(lan).length === 1);
    expect(both.told('external IPv6 address made from router advertisement')).toEqual([]);
    expect(both.advertised.filter((router) => router !== undefined)).toEqual([]);
    // The kernel marks what it made itself.
    expect(ip(lan.container, '-6 addr show dev ext scope global')).toContain('mngtmpaddr');
  });

  it('lose their router with its lifetime', async () => {
    using lan = new DhcpLan();
    forward(lan);
    await using both = supervise(lan);
    {
      using _server = await lan.serve(
        '--enable-ra',
        '--ra-param=br0,4,40',
        '--dhcp-range=fd99::,ra-only,64,600',
      );
      await until('a router', () => both.advertised.at(-1) !== undefined);
    }
    await until('no router', () => both.advertised.at(-1) === undefined);
    expect(parseIp(String(both.advertised[0]))).toMatch(/^fe80::/);
    expect(globalV6(lan)).toHaveLength(1);
  });
});
