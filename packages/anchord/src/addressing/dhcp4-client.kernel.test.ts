import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClasslessRoute, encodeUdpFrame, parseIpv4 as ip4, parseMac, type Report4 } from '@berth/dhcp';
import { all, arpAbout, equals, etherType, PacketSocket } from '@berth/kernel/frames';
import { parseIpv4 } from '@berth/kernel/ip';
import { Network, NetworkWatch } from '@berth/kernel/network';
import { describe, expect, it } from 'vitest';
import { addressesOf, containerMac, DhcpLan, Echo, FastClock, ip, until } from '../testing/dhcp-lan.ts';
import { wireMac } from './external-link.ts';
import { clientIdOf, Dhcp4Client, type Dhcp4Options, LeaseFile } from './index.ts';

const speed = 20;
const squatterMac = parseMac('02:00:00:00:00:99')!;
const range = '--dhcp-range=10.99.0.50,10.99.0.99,255.255.255.0,120';
/** With time for another server to take over before the lease runs out, on a busy machine, too. */
const longer = '--dhcp-range=10.99.0.50,10.99.0.99,255.255.255.0,300';

/** A client on the LAN's container, and what it said. */
function client(lan: DhcpLan, changes: Partial<Dhcp4Options> = {}) {
  const reports: Report4[] = [];
  const routers: (string | undefined)[] = [];
  const refusedRoutes: ClasslessRoute[] = [];
  const troubles: string[] = [];
  const failures: unknown[] = [];
  const running = lan.own(
    new Dhcp4Client(
      {
        clock: new FastClock(speed),
        namespace: lan.container,
        link: lan.link,
        hostName: 'shop',
        clientId: clientIdOf('shop'),
        backoffMaxMs: 300_000,
        releaseOnStop: true,
        store: undefined,
        ...changes,
      },
      {
        report: (report) => reports.push(report),
        router: (gateway) => routers.push(gateway),
        routesRefused: (routes) => refusedRoutes.push(...routes),
        trouble: (what, error) => troubles.push(`${what}: ${error}`),
        failed: (error) => failures.push(error),
      },
    ),
  );
  const said = (): string => JSON.stringify(reports);
  const reported = (kind: Report4['kind'], count = 1): Promise<Report4> =>
    until(`${count} × ${kind}`, () => reports.filter((report) => report.kind === kind)[count - 1], said);
  return { running, reports, routers, refusedRoutes, troubles, failures, reported };
}

const addresses = (lan: DhcpLan): readonly string[] => addressesOf(lan.container, 'ext');
const hasOnly = (lan: DhcpLan, address: string): Promise<boolean> =>
  until(
    `only ${address}`,
    () => addresses(lan).join() === address,
    () => addresses(lan).join(),
  );

/** From whom to whom the server's side of the wire sees requests go. */
function requestsOnTheWire(lan: DhcpLan): readonly string[] {
  const seen: string[] = [];
  const toServer = all(
    equals(12, 2, etherType.ipv4),
    equals(23, 1, 17),
    equals({ afterIpv4Header: 2 }, 2, 67),
  );
  using network = Network.open(lan.lan);
  const link = network.links.byName('br0')!.index;
  lan.own(
    PacketSocket.open(
      { namespace: lan.lan, link, etherType: etherType.ipv4, filter: toServer },
      ({ bytes }) => seen.push(`${bytes.subarray(26, 30).join('.')} to ${bytes.subarray(30, 34).join('.')}`),
      (error) => {
        throw error;
      },
    ),
  );
  return seen;
}

/** Hears whether the interface was ever without an address. */
function neverBare(lan: DhcpLan): { bare: boolean } {
  const seen = { bare: false };
  lan.own(
    NetworkWatch.open(
      { namespace: lan.container, watched: ['addresses'] },
      () => {
        seen.bare ||= addresses(lan).length === 0;
      },
      (error) => {
        throw error;
      },
    ),
  );
  return seen;
}

describe('a DHCPv4 client and dnsmasq', () => {
  it('agree on a lease, which takes the place of the address from Docker', async () => {
    using lan = new DhcpLan();
    const server = await lan.serve(range);
    const seen = neverBare(lan);
    const { reported, routers, troubles } = client(lan);
    await reported('acquired');
    await hasOnly(lan, '10.99.0.50/24');
    expect(new Set(server.messages)).toEqual(
      new Set(['DHCPDISCOVER', 'DHCPOFFER', 'DHCPREQUEST', 'DHCPACK']),
    );
    expect(routers).toEqual(['10.99.0.1']);
    expect(server.leases[0]).toMatch(/ 02:42:0a:63:00:32 10\.99\.0\.50 shop 00:73:68:6f:70$/);
    expect(seen.bare).toBe(false);
    expect(troubles).toEqual([]);
    expect(ip(lan.container, '-4 addr show dev ext')).toMatch(/brd 10\.99\.0\.255 .*valid_lft \d+sec/s);
  });

  it('renew by unicast at T1, and nothing in the kernel changes but the time', async () => {
    using lan = new DhcpLan();
    const server = await lan.serve(range, '--dhcp-option=option:T1,20');
    const { reported, troubles, running } = client(lan);
    await reported('acquired');
    const requests = requestsOnTheWire(lan);
    const before = server.messages.length;
    await reported('renewed', 2);
    expect(new Set(server.messages.slice(before))).toEqual(new Set(['DHCPREQUEST', 'DHCPACK']));
    expect(requests.length).toBeGreaterThanOrEqual(2);
    expect(requests).toEqual(Array.from(requests, () => '10.99.0.50 to 10.99.0.1'));
    expect(addresses(lan)).toEqual(['10.99.0.50/24']);
    expect(running.leaseEndsAtMs).toBeGreaterThan(0);
    expect(troubles).toEqual([]);
  });

  it('keep a TCP connection alive while the lease is renewed, and while the network grows', async () => {
    using lan = new DhcpLan();
    const server = await lan.serve(longer, '--dhcp-option=option:T1,20');
    const { reported } = client(lan);
    await reported('acquired');
    const echo = lan.own(await Echo.open(lan.container, lan.lan, '10.99.0.50'));
    await echo.says('before');
    await reported('renewed');
    server[Symbol.dispose]();
    ip(lan.lan, 'addr add 10.99.0.1/16 dev br0');
    await lan.serve(
      '--dhcp-range=10.99.0.50,10.99.0.99,255.255.0.0,300',
      '--dhcp-host=id:00:73:68:6f:70,10.99.0.50',
    );
    await hasOnly(lan, '10.99.0.50/16');
    await echo.says('after');
  });

  it('part at a NAK: the address goes at once, and another one comes', async () => {
    using lan = new DhcpLan();
    const server = await lan.serve(longer);
    const seen = neverBare(lan);
    const { reported, reports } = client(lan);
    await reported('acquired');
    server[Symbol.dispose]();
    await lan.serve('--dhcp-range=10.99.0.150,10.99.0.199,255.255.255.0,120');
    await reported('acquired', 2);
    await hasOnly(lan, '10.99.0.150/24');
    expect(reports.find(({ kind }) => kind === 'lost')).toMatchObject({ reason: 'nak' });
    expect(seen.bare).toBe(false);
  });

  it('stay with the address when another server takes over', async () => {
    using lan = new DhcpLan();
    const first = await lan.serve(longer, '--dhcp-option=option:T1,20', '--dhcp-option=option:T2,30');
    const { reported, reports } = client(lan);
    const { lease } = (await reported('acquired')) as Extract<Report4, { kind: 'acquired' }>;
    expect(lease.server).toBe('10.99.0.1');
    first[Symbol.dispose]();
    const place = await lan.neighbour('server2', '10.99.0.2/24');
    await lan.serveFrom(place, 'eth0', longer, '--dhcp-host=id:00:73:68:6f:70,10.99.0.50');
    const renewed = (await reported('renewed')) as Extract<Report4, { kind: 'renewed' }>;
    expect(renewed.lease).toMatchObject({ server: '10.99.0.2', address: '10.99.0.50' });
    expect(reports.map(({ kind }) => kind)).toEqual(['acquired', 'renewed']);
  });

  it('part when the lease runs out: the address from Docker is back', async () => {
    using lan = new DhcpLan();
    const server = await lan.serve(range);
    const seen = neverBare(lan);
    const { reported } = client(lan);
    await reported('acquired');
    server[Symbol.dispose]();
    const lost = await reported('lost');
    expect(lost).toMatchObject({ reason: 'expired', backoffMs: 1000 });
    await hasOnly(lan, '10.99.0.9/24');
    expect(ip(lan.container, '-4 addr show dev ext')).toContain('valid_lft forever');
    expect(seen.bare).toBe(false);
  });

  it('decline an address that somebody else sits on', async () => {
    using lan = new DhcpLan();
    await lan.neighbour('squatter', '10.99.0.50/24');
    const server = await lan.serve(range);
    const { reported, reports } = client(lan);
    await reported('acquired');
    expect(server.messages).toContain('DHCPDECLINE');
    expect(reports[0]).toMatchObject({ kind: 'conflict', address: '10.99.0.50', inUse: false });
    expect(addresses(lan)).not.toContain('10.99.0.50/24');
  });

  it('give the lease back at the end', async () => {
    using lan = new DhcpLan();
    const server = await lan.serve(range);
    const { reported, running } = client(lan);
    await reported('acquired');
    running[Symbol.dispose]();
    running[Symbol.dispose]();
    await until('the server has heard of it', () => server.messages.includes('DHCPRELEASE'));
    await until(
      'the lease is gone',
      () => server.leases.length === 0,
      () => server.leases.join(),
    );
    expect(addresses(lan)).toEqual([]);
    expect(running.leaseEndsAtMs).toBeUndefined();
  });
});

describe('a DHCPv4 client', () => {
  it('asks for its old address after it was killed', async () => {
    using lan = new DhcpLan();
    const folder = mkdtempSync(join(tmpdir(), 'berth-lease-'));
    try {
      const server = await lan.serve(range);
      const store = new LeaseFile(join(folder, 'deep', 'lease.json'));
      const first = client(lan, { store, releaseOnStop: false });
      await first.reported('acquired');
      const stored = store.load()!;
      first.running[Symbol.dispose]();
      expect(store.load()).toEqual(stored);
      const before = server.messages.length;
      await client(lan, { store }).reported('acquired');
      expect(new Set(server.messages.slice(before))).toEqual(new Set(['DHCPREQUEST', 'DHCPACK']));
      await hasOnly(lan, '10.99.0.50/24');
      const other = client(lan, { store, hostName: 'other' });
      await until('the other one searches', () => server.messages.slice(before).includes('DHCPDISCOVER'));
      other.running[Symbol.dispose]();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('stands up for its address, and says who claims it', async () => {
    using lan = new DhcpLan();
    await lan.serve(range);
    const { reported } = client(lan);
    await reported('acquired');
    const rogue = await lan.neighbour('rogue', '');
    const heard: string[] = [];
    const socket = lan.own(
      PacketSocket.open(
        {
          namespace: rogue,
          link: 2,
          etherType: etherType.arp,
          filter: arpAbout([parseIpv4('10.99.0.50')]),
        },
        ({ bytes }) => heard.push(Buffer.from(bytes.subarray(6, 12)).toString('hex')),
        (error) => {
          throw error;
        },
      ),
    );
    const claim = `ffffffffffff 020000000099 0806 0001 0800 0604 0001 020000000099 0a630032 000000000000 0a630032`;
    socket.send(Buffer.from(claim.replaceAll(' ', ''), 'hex'));
    expect(await reported('conflict')).toEqual({
      kind: 'conflict',
      address: '10.99.0.50',
      mac: '02:00:00:00:00:99',
      inUse: true,
    });
    await until('we were heard', () => heard.includes(containerMac.replaceAll(':', '')));
    expect(addresses(lan)).toEqual(['10.99.0.50/24']);
  });

  it('puts its address back when somebody takes it away', async () => {
    using lan = new DhcpLan();
    await lan.serve(range);
    const { reported } = client(lan);
    await reported('acquired');
    ip(lan.container, 'addr flush dev ext');
    await hasOnly(lan, '10.99.0.50/24');
  });

  it('asks whether the lease still holds when the cable was out', async () => {
    using lan = new DhcpLan();
    const server = await lan.serve(range);
    const { reported } = client(lan);
    await reported('acquired');
    ip(lan.lan, 'link set port0 down');
    await until('the cable is out', () => ip(lan.container, 'link show ext').includes('NO-CARRIER'));
    const before = server.messages.length;
    ip(lan.lan, 'link set port0 up');
    await until('it has asked', () => server.messages.length > before);
    expect(server.messages[before]).toBe('DHCPREQUEST');
  });

  it('sets the routes of option 121, but none into the networks of the project', async () => {
    using lan = new DhcpLan();
    await lan.serve(
      range,
      '--dhcp-option=121,10.0.0.0/8,10.99.0.3,172.30.0.5/32,10.99.0.66,0.0.0.0/0,10.99.0.2',
      '--dhcp-option=option:router,10.99.0.254',
      '--dhcp-option=option:mtu,1400',
    );
    const { reported, routers, refusedRoutes, running } = client(lan);
    await reported('acquired');
    expect(routers).toEqual(['10.99.0.2']);
    expect(ip(lan.container, 'route show proto dhcp').trim()).toMatch(
      /^10\.0\.0\.0\/8 via 10\.99\.0\.3 dev ext metric 1024 (onlink )?mtu 1400 ?(onlink)?$/,
    );
    expect(refusedRoutes.map((route) => route.destination)).toEqual(['172.30.0.5']);
    running[Symbol.dispose]();
    expect(ip(lan.container, 'route show proto dhcp').trim()).toBe('');
  });

  it('says that it cannot go on when its interface is gone', async () => {
    using lan = new DhcpLan();
    await lan.serve(range);
    const { reported, failures, running } = client(lan);
    await reported('acquired');
    ip(lan.container, 'link delete ext');
    await until('it has failed', () => failures.length > 0);
    expect(failures[0]).toMatchObject({ code: 'KERNEL_NOT_FOUND' });
    running[Symbol.dispose]();
  });

  it('says what is missing when there is no such interface', () => {
    using lan = new DhcpLan();
    const link = { ...lan.link, index: 4711 };
    expect(() => client(lan, { link })).toThrow(expect.objectContaining({ code: 'KERNEL_NOT_FOUND' }));
  });

  it('does not mind packets that nobody asked for', async () => {
    using lan = new DhcpLan();
    await lan.serve(range);
    const { reported, running } = client(lan);
    await reported('acquired');
    const rogue = await lan.neighbour('rogue', '');
    const socket = lan.own(
      PacketSocket.open(
        { namespace: rogue, link: 2, etherType: 0x88b5, filter: arpAbout([]) },
        () => undefined,
        (error) => {
          throw error;
        },
      ),
    );
    for (let length = 0; length < 500; length += 1) {
      socket.send(
        encodeUdpFrame({
          sourceMac: squatterMac,
          destinationMac: wireMac(lan.link),
          source: ip4('10.99.0.1')!,
          destination: ip4('10.99.0.50')!,
          sourcePort: 67,
          destinationPort: 68,
          payload: new Uint8Array(length).fill(0xff),
        }),
      );
    }
    await until(
      'many were counted',
      () => running.ignored.malformed >= 100,
      () => JSON.stringify(running.ignored),
    );
    expect(addresses(lan)).toEqual(['10.99.0.50/24']);
  });
});
