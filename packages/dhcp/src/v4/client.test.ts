import { describe, expect, it } from 'vitest';
import { type ArpPacket, arpAnnouncement } from '../frames/index.ts';
import { clientMac, config4, SimulatedHost4 } from '../testing/client4.ts';
import { mutated } from '../testing/mutation.ts';
import { Random } from '../testing/random.ts';
import { SimulatedServer4 } from '../testing/server4.ts';
import { Link, Timeline } from '../testing/timeline.ts';
import { type Ipv4, parseIpv4, parseMac, toHex } from '../wire/index.ts';
import {
  type Dhcp4Action,
  type Dhcp4Config,
  type Dhcp4Message,
  type Dhcp4Phase,
  decodeDhcp4,
  dhcp4Message,
  encodeDhcp4,
  packLease4,
  unpackLease4,
} from './index.ts';

const ip = (text: string): Ipv4 => parseIpv4(text)!;
const minute = 60_000;
const squatter = parseMac('02:00:00:00:00:99')!;

/** One client and one server on a link of their own. */
function lan(config: Partial<Dhcp4Config> = {}) {
  const timeline = new Timeline();
  const random = new Random(1);
  const link = new Link(timeline, random, mutated);
  const now = (): number => timeline.nowMs;
  const server = new SimulatedServer4(ip('10.99.0.1'), random, now);
  const other = new SimulatedServer4(ip('10.99.0.2'), random, now);
  const host = new SimulatedHost4(timeline, link, random, { ...config4, ...config });
  host.servers = [server];
  const steps: { atMs: number; phase: Dhcp4Phase; actions: readonly Dhcp4Action[] }[] = [];
  host.onStep = ({ to, actions, atMs }) => steps.push({ atMs, phase: to.phase, actions });
  const actions = (): readonly Dhcp4Action[] => steps.flatMap((step) => step.actions);
  const sent = (): readonly Dhcp4Message[] =>
    actions().flatMap((action) => ('message' in action ? [action.message] : []));
  const forget = (): void => void steps.splice(0);
  return { timeline, link, random, server, other, host, steps, actions, sent, forget };
}

/** The same, with a lease of ten minutes. */
function boundLan(config: Partial<Dhcp4Config> = {}) {
  const it = lan(config);
  it.host.start();
  it.timeline.runFor(6000);
  expect(it.host.state.phase).toBe('bound');
  it.forget();
  return it;
}

const kinds = (actions: readonly Dhcp4Action[]): readonly string[] => actions.map((action) => action.kind);
const lossesOf = (host: SimulatedHost4): readonly unknown[] =>
  host.reports.flatMap((report) => (report.kind === 'lost' ? [[report.reason, report.backoffMs]] : []));

describe('a DHCPv4 client', () => {
  it('gets an address: DISCOVER, REQUEST, probes, announcements', () => {
    const { host, timeline, sent, actions, steps } = lan();
    host.start();
    timeline.runFor(10_000);

    expect(sent().map((message) => message.type)).toEqual(['discover', 'request']);
    expect(steps.map((step) => step.phase)).toEqual([
      'selecting',
      'requesting',
      'probing',
      'probing',
      'probing',
      'probing',
      'applying',
      'bound',
      'bound',
    ]);
    expect([...host.addresses.keys()]).toEqual(['10.99.0.50/24']);
    expect(host.wasEverBare).toBe(false);
    const arps = actions().flatMap((action): ArpPacket[] => (action.kind === 'arp' ? [action.packet] : []));
    expect(arps.map((arp) => `${arp.senderIp} asks for ${arp.targetIp}`)).toEqual([
      ...Array.from({ length: 3 }, () => '0.0.0.0 asks for 10.99.0.50'),
      ...Array.from({ length: 2 }, () => '10.99.0.50 asks for 10.99.0.50'),
    ]);
  });

  it('is bound within 2.5 s of a quick server', () => {
    const { host, timeline, steps } = lan();
    host.start();
    timeline.runFor(10_000);
    const bound = steps.find((step) => step.phase === 'bound')!;
    expect(bound.atMs).toBeGreaterThan(1000);
    expect(bound.atMs).toBeLessThan(2500);
  });

  it('says who it is in every message, in the same way', () => {
    const { host, timeline, sent } = lan();
    host.start();
    timeline.runFor(6 * minute);
    host.input({ kind: 'stop' });
    const [discover, request, renew, release] = sent();
    const clientId = Uint8Array.of(0, ...Buffer.from('shop'));
    const asking = {
      hostName: 'shop',
      clientId,
      maxMessageSize: 1500,
      parameterRequest: [1, 121, 3, 15, 6, 26],
    };
    const ours = { op: 'request', secs: 0, broadcast: false, chaddr: clientMac };
    expect(discover).toMatchObject({ ...ours, type: 'discover', ciaddr: '0.0.0.0' });
    expect(discover!.options).toEqual(asking);
    expect(request).toMatchObject({ ...ours, type: 'request', ciaddr: '0.0.0.0', xid: discover!.xid });
    expect(request!.options).toEqual({
      ...asking,
      requestedAddress: '10.99.0.50',
      serverId: '10.99.0.1',
    });
    expect(renew).toMatchObject({ ...ours, type: 'request', ciaddr: '10.99.0.50' });
    expect(renew!.options).toEqual(asking);
    expect(release).toMatchObject({ ...ours, type: 'release', ciaddr: '10.99.0.50' });
    expect(release!.options).toEqual({ clientId, serverId: '10.99.0.1' });
  });

  it('goes by its MAC where no client identifier is wanted', () => {
    const { host, timeline, sent } = lan({ clientId: undefined });
    host.start();
    timeline.runFor(10_000);
    expect(host.state.phase).toBe('bound');
    expect(sent().every((message) => message.options.clientId === undefined)).toBe(true);
  });

  it('renews at T1 by unicast and touches nothing where nothing changed', () => {
    const { host, timeline, actions } = boundLan();
    timeline.runFor(6 * minute);
    expect(kinds(actions())).toEqual(['unicast', 'extend-address', 'route', 'remember', 'report']);
    expect(host.reports.at(-1)?.kind).toBe('renewed');
    expect(actions().find((action) => action.kind === 'unicast')).toMatchObject({
      from: '10.99.0.50',
      to: '10.99.0.1',
    });
  });

  it('uses the T1 and T2 of the server where they make sense', () => {
    const { host, timeline, server } = lan();
    server.extra = { renewalSeconds: 60, rebindingSeconds: 120 };
    host.start();
    timeline.runFor(10_000);
    server.mood = 'silent';
    timeline.runFor(55_000);
    expect(host.state.phase).toBe('renewing');
    timeline.runFor(minute);
    expect(host.state.phase).toBe('rebinding');
  });

  it.each([
    [{ renewalSeconds: 500, rebindingSeconds: 400 }],
    [{ renewalSeconds: 700, rebindingSeconds: 800 }],
    [{ renewalSeconds: 0, rebindingSeconds: 0 }],
    [{ renewalSeconds: 0xffff_ffff }],
  ])('falls back to half and seven eighths where the server says nonsense: %o', (extra) => {
    const { host, timeline, server } = lan();
    server.extra = extra;
    host.start();
    timeline.runFor(10_000);
    const { state } = host;
    if (state.phase !== 'bound') throw new Error(state.phase);
    const { lease } = state;
    expect(lease.expiresAtMs - lease.renewAtMs).toBe(300_000);
    expect(lease.expiresAtMs - lease.rebindAtMs).toBe(75_000);
  });

  it('takes an hour where the server names no time', () => {
    const { host, timeline, server } = lan();
    server.extra = { leaseSeconds: undefined as never };
    host.start();
    timeline.runFor(10_000);
    expect(host.state).toMatchObject({ phase: 'bound', lease: { durationMs: 3_600_000 } });
  });

  it('keeps a lease for ever where the server says so, and asks for nothing', () => {
    const { host, timeline, server, sent, forget } = lan();
    server.leaseSeconds = 0xffff_ffff;
    host.start();
    timeline.runFor(10_000);
    forget();
    timeline.runFor(400 * 24 * 60 * minute);
    expect(host.state.phase).toBe('bound');
    expect(sent()).toEqual([]);
  });

  it('survives a lost renewal without anybody noticing', () => {
    const { host, timeline, server, actions } = boundLan();
    server.mood = 'silent';
    timeline.runFor(5 * minute + 3000);
    expect(host.state.phase).toBe('renewing');
    server.mood = 'well';
    timeline.runFor(10_000);
    expect(host.state.phase).toBe('bound');
    expect(kinds(actions())).not.toContain('drop-address');
    expect(host.reports.map((report) => report.kind)).toEqual(['acquired', 'renewed']);
  });

  it('asks every server from T2 on, and stays with the one that answers', () => {
    const { host, timeline, server, other, actions } = boundLan();
    server.mood = 'silent';
    host.servers = [server, other];
    timeline.runFor(9 * minute);
    const last = host.reports.at(-1);
    expect(last).toMatchObject({ kind: 'renewed', lease: { server: '10.99.0.2', address: '10.99.0.50' } });
    expect(kinds(actions())).not.toContain('drop-address');
  });

  it('keeps the address to the last moment, then puts back what was there before', () => {
    const { host, timeline, server, actions } = boundLan();
    server.mood = 'silent';
    timeline.runFor(10 * minute - 7000);
    expect([...host.addresses.keys()]).toEqual(['10.99.0.50/24']);
    timeline.runFor(8000);
    expect([...host.addresses.keys()]).toEqual(['10.99.0.9/24']);
    expect(host.wasEverBare).toBe(false);
    expect(kinds(actions()).filter((kind) => kind.endsWith('address'))).toEqual([
      'restore-address',
      'drop-address',
    ]);
    expect(lossesOf(host)).toEqual([['expired', 1000]]);
    expect(host.remembered).toBeUndefined();
  });

  it('keeps an address that was there before, even though the lease for it has ended', () => {
    const { host, timeline, server } = boundLan({
      fallback: [{ address: ip('10.99.0.50'), prefixLength: 24 }],
    });
    server.mood = 'silent';
    timeline.runFor(11 * minute);
    expect([...host.addresses]).toEqual([['10.99.0.50/24', Number.POSITIVE_INFINITY]]);
  });

  it('drops the address at once when the server says NAK, and gets another one', () => {
    const { host, timeline, server } = boundLan();
    server.renumber(70);
    timeline.runFor(5 * minute - 5500);
    expect([...host.addresses.keys()]).toEqual(['10.99.0.9/24']);
    expect(lossesOf(host)).toEqual([['nak', 1000]]);
    timeline.runFor(5000);
    expect([...host.addresses.keys()]).toEqual(['10.99.0.70/24']);
    expect(host.wasEverBare).toBe(false);
  });

  it('adds the new address before it drops the old one when a renewal brings another', () => {
    const { host, timeline, server, actions, forget } = boundLan();
    const { state } = host;
    if (state.phase !== 'bound') throw new Error(state.phase);
    server.mood = 'silent';
    timeline.runFor(5 * minute);
    forget();
    const [exchange] = host.state.phase === 'renewing' ? [host.state.exchange] : [];
    server.mood = 'well';
    server.renumber(80);
    const [offer] = server.answer(packetOf(host, 'discover', exchange!.xid));
    host.input({ kind: 'received', message: ackFrom(offer!), sourceMac: squatter });
    timeline.runFor(4000);
    const touched = actions().filter((action) => /address/.test(action.kind));
    expect(kinds(touched)).toEqual(['add-address', 'drop-other-addresses']);
    expect([...host.addresses.keys()]).toEqual(['10.99.0.80/24']);
    expect(host.wasEverBare).toBe(false);
  });

  it('doubles its pauses up to the bound, and starts small again after a success', () => {
    const { host, timeline, server } = lan({ backoffMaxMs: 20_000 });
    server.mood = 'silent';
    host.start();
    timeline.runFor(8 * minute);
    const pauses = lossesOf(host).map((loss) => (loss as [string, number])[1]);
    expect(pauses.slice(0, 7)).toEqual([1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
    server.mood = 'well';
    timeline.runFor(2 * minute);
    expect(host.state.phase).toBe('bound');
    server.mood = 'silent';
    timeline.runFor(11 * minute);
    expect(lossesOf(host).findLast((loss) => (loss as [string])[0] === 'expired')).toEqual(['expired', 1000]);
  });

  it('sends three times at most, and gives a search half a minute', () => {
    const { host, timeline, server, steps } = lan();
    server.mood = 'silent';
    host.start();
    timeline.runFor(30_500);
    expect(host.sentAtMs).toEqual([0, 5000, 15_000]);
    expect(steps.at(-1)).toMatchObject({ phase: 'backing-off', atMs: 30_000 });
  });

  it('counts a refused request as a failed attempt', () => {
    const { host, timeline, server } = lan();
    server.mood = 'refusing';
    host.start();
    timeline.runFor(5 * minute);
    expect(new Set(lossesOf(host).map((loss) => (loss as [string])[0]))).toEqual(new Set(['nak', 'no-ack']));
    expect([...host.addresses.keys()]).toEqual(['10.99.0.9/24']);
    server.mood = 'well';
    timeline.runFor(5 * minute);
    expect(host.state.phase).toBe('bound');
  });

  describe('with a lease from before a restart', () => {
    function restarted(sleptMs = 1000) {
      const first = boundLan();
      first.timeline.runFor(sleptMs);
      const host = new SimulatedHost4(first.timeline, first.link, first.random);
      host.servers = [first.server];
      host.remembered = first.host.remembered;
      return { ...first, host };
    }

    it('asks for the same address without a search', () => {
      const { host, timeline, server } = restarted();
      host.start();
      expect(host.state.phase).toBe('rebooting');
      timeline.runFor(5000);
      expect([...host.addresses.keys()]).toEqual(['10.99.0.50/24']);
      expect(host.sentAtMs).toHaveLength(1);
      expect(server.holderOf(ip('10.99.0.50'))).toBeDefined();
    });

    it('searches at once when the server says NAK', () => {
      const { host, timeline, server } = restarted();
      server.renumber(90);
      host.start();
      timeline.runFor(5000);
      expect([...host.addresses.keys()]).toEqual(['10.99.0.90/24']);
      expect(lossesOf(host)).toEqual([]);
    });

    it('goes by what it remembers when nobody answers, for as long as the lease runs', () => {
      const { host, timeline, server } = restarted();
      server.mood = 'silent';
      host.start();
      timeline.runFor(15_000);
      expect([...host.addresses.keys()]).toEqual(['10.99.0.50/24']);
      timeline.runFor(10 * minute);
      expect([...host.addresses.keys()]).toEqual(['10.99.0.9/24']);
    });

    it('leaves a remembered address alone that somebody else uses by now', () => {
      const { host, timeline, server } = restarted();
      server.mood = 'silent';
      host.squatted.add(ip('10.99.0.50'));
      host.start();
      timeline.runFor(30_000);
      expect([...host.addresses.keys()]).toEqual(['10.99.0.9/24']);
      expect(host.remembered).toBeUndefined();
    });

    it('does not ask for one that has run out meanwhile', () => {
      const { host } = restarted(11 * minute);
      host.remembered = { ...host.remembered!, expiresAtMs: 1 };
      host.start();
      expect(host.state.phase).toBe('selecting');
    });
  });

  describe('when somebody else uses the address', () => {
    it('declines what it was given, waits ten seconds, and gets another', () => {
      const { host, timeline, server, sent } = lan();
      host.squatted.add(ip('10.99.0.50'));
      host.start();
      timeline.runFor(9000);
      expect(server.declined).toEqual(['10.99.0.50']);
      expect([...host.addresses.keys()]).toEqual(['10.99.0.9/24']);
      expect(lossesOf(host)).toEqual([['conflict', 10_000]]);
      expect(host.reports[0]).toEqual({
        kind: 'conflict',
        address: '10.99.0.50',
        mac: squatter,
        inUse: false,
      });
      timeline.runFor(10_000);
      expect([...host.addresses.keys()]).toEqual(['10.99.0.51/24']);
      expect(toHex(sent().find((message) => message.type === 'decline')!.options.clientId!)).toBe(
        '0073686f70',
      );
    });

    it('stands up for an address that it uses, but not in a storm', () => {
      const { host, timeline, actions } = boundLan();
      for (let count = 0; count < 100; count += 1) {
        timeline.runFor(100);
        host.hears(arpAnnouncement(squatter, ip('10.99.0.50')));
      }
      timeline.runFor(100);
      const announced = kinds(actions()).filter((kind) => kind === 'arp').length;
      expect(announced).toBeGreaterThanOrEqual(1);
      expect(announced).toBeLessThanOrEqual(3);
      expect(host.reports.filter((report) => report.kind === 'conflict').length).toBeLessThanOrEqual(2);
      expect(host.state.phase).toBe('bound');
    });

    it('does not mind its own frames coming back', () => {
      const { host, timeline } = boundLan();
      host.hears(arpAnnouncement(clientMac, ip('10.99.0.50')));
      timeline.runFor(1000);
      expect(host.reports.map((report) => report.kind)).toEqual(['acquired']);
    });
  });

  describe('when it stops', () => {
    it('gives the address back straight to the server, then takes it off', () => {
      const { host, timeline, server, actions, forget } = boundLan();
      forget();
      host.input({ kind: 'stop' });
      timeline.runFor(1000);
      expect(kinds(actions())).toEqual(['unicast-frame', 'drop-address', 'forget', 'report']);
      expect(actions()[0]).toMatchObject({ from: '10.99.0.50', to: '10.99.0.1', toMac: '02:00:00:00:00:01' });
      expect(server.released).toEqual(['10.99.0.50']);
      expect(host.addresses.size).toBe(0);
      expect(host.remembered).toBeUndefined();
    });

    it('keeps the lease for the next start where that is wanted', () => {
      const { host, actions, forget } = boundLan({ releaseOnStop: false });
      forget();
      host.input({ kind: 'stop' });
      expect(kinds(actions())).toEqual(['drop-address']);
      expect(host.remembered).toBeDefined();
    });

    it('does nothing any more', () => {
      const { host, timeline, sent, forget } = boundLan();
      host.input({ kind: 'stop' });
      forget();
      timeline.runFor(24 * 60 * minute);
      expect(sent()).toEqual([]);
      expect(timeline.planned).toBe(0);
    });
  });

  it('counts answers that are not for it and goes on as if they had not come', () => {
    const { host, timeline, server, other } = lan();
    other.mood = 'hostile';
    server.mood = 'silent';
    host.servers = [other, server];
    host.start();
    timeline.runFor(29_000);
    expect(host.state.phase).toBe('selecting');
    for (const reason of [
      'wrong-xid',
      'wrong-mac',
      'wrong-client-id',
      'wrong-server',
      'unexpected',
      'unusable',
    ]) {
      expect(host.state.ignored).toHaveProperty(reason);
    }
    const counted = Object.entries(host.state.ignored).filter(([, count]) => count > 0);
    expect(counted.map(([reason]) => reason).sort()).toEqual([
      'unexpected',
      'unusable',
      'wrong-client-id',
      'wrong-mac',
      'wrong-server',
      'wrong-xid',
    ]);
  });

  it('lets no other server answer a renewal', () => {
    const { host, timeline, server, other } = boundLan();
    server.mood = 'silent';
    host.servers = [server];
    timeline.runFor(5 * minute);
    const { state } = host;
    if (state.phase !== 'renewing') throw new Error(state.phase);
    const [offer] = other.answer(packetOf(host, 'discover', state.exchange.xid));
    host.input({ kind: 'received', message: ackFrom(offer!), sourceMac: squatter });
    expect(host.state.phase).toBe('renewing');
    expect(host.state.ignored['wrong-server']).toBe(1);
  });

  it('hands over the first router with every lease, and those of option 121 in its place', () => {
    const { host, timeline, server, actions } = lan();
    server.extra = { routers: [ip('10.99.0.254'), ip('10.99.0.253')], interfaceMtu: 1400 };
    host.start();
    timeline.runFor(10_000);
    server.extra = {
      routers: [ip('10.99.0.254')],
      classlessRoutes: [
        { destination: ip('10.0.0.0'), prefixLength: 8, gateway: ip('10.99.0.3') },
        { destination: ip('0.0.0.0'), prefixLength: 0, gateway: ip('10.99.0.2') },
      ],
      interfaceMtu: 68,
    };
    timeline.runFor(5 * minute);
    expect(actions().filter((action) => action.kind === 'route')).toEqual([
      { kind: 'route', router: '10.99.0.254', routes: [], mtu: 1400 },
      {
        kind: 'route',
        router: '10.99.0.2',
        routes: [{ destination: '10.0.0.0', prefixLength: 8, gateway: '10.99.0.3' }],
        mtu: undefined,
      },
    ]);
  });

  it('takes no router that cannot be one', () => {
    const { host, timeline, server, actions } = lan();
    server.extra = { routers: [ip('255.255.255.255')] };
    host.start();
    timeline.runFor(10_000);
    expect(actions().find((action) => action.kind === 'route')).toMatchObject({ router: undefined });
  });

  it('takes an address without a mask for one that stands alone', () => {
    const { host, timeline, server } = lan();
    server.extra = { subnetMask: undefined as never };
    host.start();
    timeline.runFor(10_000);
    expect([...host.addresses.keys()]).toEqual(['10.99.0.50/32']);
  });

  it('starts over when the interface refuses the address', () => {
    const { host, timeline } = lan();
    host.refusesAddresses = true;
    host.start();
    timeline.runFor(4000);
    expect(lossesOf(host)).toEqual([['apply-failed', 1000]]);
    host.refusesAddresses = false;
    timeline.runFor(10_000);
    expect(host.state.phase).toBe('bound');
  });

  it('remembers a lease as bytes that give the same lease again', () => {
    const { host, timeline, server } = lan();
    server.extra = {
      interfaceMtu: 1400,
      domainName: 'lan',
      dnsServers: [ip('10.99.0.1')],
      classlessRoutes: [
        { destination: ip('0.0.0.0'), prefixLength: 0, gateway: ip('10.99.0.2') },
        { destination: ip('10.0.0.0'), prefixLength: 8, gateway: ip('10.99.0.3') },
      ],
    };
    host.start();
    timeline.runFor(10_000);
    const lease = host.remembered!;
    expect(unpackLease4(packLease4(lease, clientMac), lease.serverMac, lease.askedAtMs)).toEqual(lease);
    const endless = { ...lease, routes: [], router: undefined, mtu: undefined, domainName: undefined };
    for (const at of ['durationMs', 'expiresAtMs', 'renewAtMs', 'rebindAtMs'] as const) {
      endless[at] = Number.POSITIVE_INFINITY;
    }
    expect(unpackLease4(packLease4(endless, clientMac), lease.serverMac, 0)).toEqual({
      ...endless,
      askedAtMs: 0,
    });
    expect(unpackLease4(Uint8Array.of(1, 2, 3), lease.serverMac, 0)).toBeUndefined();
  });

  it('asks at once whether the lease still holds when it is in doubt, and keeps it until it hears otherwise', () => {
    const { host, timeline, server } = boundLan();
    server.renumber(60);
    host.input({ kind: 'doubt' });
    expect([...host.addresses.keys()]).toEqual(['10.99.0.50/24']);
    timeline.runFor(6000);
    expect([...host.addresses.keys()]).toEqual(['10.99.0.60/24']);
  });

  it('does not renew what ran out while it slept', () => {
    const { host, timeline, sent, forget } = boundLan();
    forget();
    timeline.nowMs += 20 * minute;
    host.input({ kind: 'tick' });
    expect(sent()).toEqual([]);
    expect(lossesOf(host)).toEqual([['expired', 1000]]);
  });
});

/** What the client would have sent, as the server would have read it. */
function packetOf(host: SimulatedHost4, type: Dhcp4Message['type'], xid: number): Uint8Array {
  return encodeDhcp4(
    dhcp4Message({
      type,
      op: 'request',
      xid,
      chaddr: clientMac,
      options: { clientId: host.config.clientId! },
    }),
  );
}

function ackFrom(packet: Uint8Array): Dhcp4Message {
  const read = decodeDhcp4(packet);
  if (!read.ok) throw new Error(read.fault);
  return { ...read.value, type: 'ack' };
}
