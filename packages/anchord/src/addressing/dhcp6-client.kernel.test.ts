import type { Report6 } from '@berth/dhcp';
import { describe, expect, it } from 'vitest';
import { addressesOf, DhcpLan, FastClock, ip, until } from '../testing/dhcp-lan.ts';
import { Dhcp6Client, type Dhcp6Options, dhcp6IdentityOf } from './index.ts';

const speed = 10;
const identity = dhcp6IdentityOf('shop');
const duid = Buffer.from(identity.clientId)
  .toString('hex')
  .replace(/..(?=.)/g, '$&:');
/** A range, and a reservation for our name in it. */
const stateful = [
  '--enable-ra',
  '--ra-param=br0,4,1800',
  '--dhcp-range=fd99::1000,fd99::10ff,64,120',
  `--dhcp-host=id:${duid},[fd99::1000]`,
];

/** A client on the LAN's container, and what it said. */
function client(lan: DhcpLan, changes: Partial<Dhcp6Options> = {}) {
  const reports: Report6[] = [];
  const troubles: string[] = [];
  const running = new Dhcp6Client(
    {
      clock: new FastClock(speed),
      namespace: lan.container,
      link: lan.link,
      hostName: 'shop',
      ...identity,
      backoffMaxMs: 20_000,
      releaseOnStop: true,
      store: undefined,
      ...changes,
    },
    {
      report: (report) => reports.push(report),
      mute: () => undefined,
      trouble: (what, error) => troubles.push(`${what}: ${error}`),
      failed: (error) => troubles.push(`failed: ${error}`),
    },
  );
  const said = (): string => JSON.stringify(reports) + troubles.join();
  const reported = (kind: Report6['kind'], count = 1): Promise<Report6> =>
    until(`${count} × ${kind}`, () => reports.filter((report) => report.kind === kind)[count - 1], said);
  return { running, reports, troubles, reported };
}

const leased = (lan: DhcpLan): readonly string[] =>
  addressesOf(lan.container, 'ext', 6).filter((address) => address.endsWith('/128'));

describe('a DHCPv6 client and dnsmasq', () => {
  it('agree on a lease under the name of the host, and part with a RELEASE', async () => {
    using lan = new DhcpLan();
    const server = await lan.serve(...stateful);
    const { running, reported, troubles } = client(lan);
    await reported('acquired');
    expect(leased(lan)).toEqual(['fd99::1000/128']);
    expect(server.leases.at(-1)).toMatch(/ fd99::1000 shop /);
    expect(running.leaseEndsAtMs).toBeGreaterThan(0);
    expect(troubles).toEqual([]);
    await running[Symbol.asyncDispose]();
    expect(leased(lan)).toEqual([]);
    await until('the server has heard of it', () => server.messages.includes('DHCPRELEASE'));
  });

  it('renew, with the same address', async () => {
    using lan = new DhcpLan();
    const server = await lan.serve(...stateful);
    const { running, reported, reports } = client(lan);
    await reported('acquired');
    await reported('renewed');
    expect(server.messages).toContain('DHCPRENEW');
    expect(leased(lan)).toEqual(['fd99::1000/128']);
    expect(reports.map(({ kind }) => kind)).toEqual(['acquired', 'renewed']);
    await running[Symbol.asyncDispose]();
  });

  it('move to another prefix', async () => {
    using lan = new DhcpLan();
    const server = await lan.serve(...stateful);
    const { running, reported } = client(lan);
    await reported('acquired');
    server[Symbol.dispose]();
    ip(lan.lan, 'addr del fd99::1/64 dev br0');
    ip(lan.lan, 'addr add fd98::1/64 dev br0 nodad');
    await lan.serve('--enable-ra', '--dhcp-range=fd98::1000,fd98::10ff,64,120');
    await until(
      'the address is of the new prefix',
      () => /^fd98::10..\/128$/.test(leased(lan).join()),
      () => leased(lan),
    );
    await running[Symbol.asyncDispose]();
  });

  it('part with an address that somebody else has', async () => {
    using lan = new DhcpLan();
    const squatter = await lan.neighbour('squatter', '');
    ip(squatter, 'addr add fd99::1000/64 dev eth0 nodad');
    const server = await lan.serve(...stateful);
    const { running, reported } = client(lan);
    expect(await reported('conflict')).toEqual({ kind: 'conflict', address: 'fd99::1000' });
    await until('the server has heard of it', () => server.messages.includes('DHCPDECLINE'));
    // By now it may well have the next one.
    expect(leased(lan)).not.toContain('fd99::1000/128');
    await running[Symbol.asyncDispose]();
  });

  it('keep quiet on a link without DHCP for addresses', async () => {
    using lan = new DhcpLan();
    await lan.serve('--enable-ra', '--ra-param=br0,4,1800', '--dhcp-range=fd99::,ra-only,64,120');
    const { running, reports } = client(lan);
    const quiet = await until('an attempt fails as expected', () =>
      reports.find((report) => report.kind === 'lost' && report.expected),
    );
    expect(quiet).toMatchObject({ reason: 'no-advertise', backoffMs: 20_000 });
    await running[Symbol.asyncDispose]();
  });
});
