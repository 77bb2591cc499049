import { describe, expect, it } from 'vitest';
import { config6, SimulatedHost6 } from '../testing/client6.ts';
import { mutated } from '../testing/mutation.ts';
import { Random } from '../testing/random.ts';
import { SimulatedServer6 } from '../testing/server6.ts';
import { Link, Timeline } from '../testing/timeline.ts';
import { type Ipv6, parseIpv6 } from '../wire/index.ts';
import {
  type Dhcp6Action,
  type Dhcp6Config,
  type Dhcp6Message,
  type Dhcp6Phase,
  encodeDhcp6,
  packLease6,
  unpackLease6,
  wakeDhcp6,
} from './index.ts';

const ip = (text: string): Ipv6 => parseIpv6(text)!;
const minute = 60_000;
const firstAddress = 'fd99::1000';

/** One client and one server on a link of their own. */
function lan(config: Partial<Dhcp6Config> = {}) {
  const timeline = new Timeline();
  const random = new Random(1);
  const link = new Link(timeline, random, mutated);
  const server = new SimulatedServer6(Uint8Array.of(0, 3, 1), random);
  const other = new SimulatedServer6(Uint8Array.of(0, 3, 2), random);
  const host = new SimulatedHost6(timeline, link, random, { ...config6, ...config });
  host.servers = [server];
  const steps: { atMs: number; phase: Dhcp6Phase; actions: readonly Dhcp6Action[] }[] = [];
  host.onStep = ({ to, actions, atMs }) => steps.push({ atMs, phase: to.phase, actions });
  const actions = (): readonly Dhcp6Action[] => steps.flatMap((step) => step.actions);
  const sent = (): readonly Dhcp6Message[] =>
    actions().flatMap((action) => (action.kind === 'send' ? [action.message] : []));
  const forget = (): void => void steps.splice(0);
  return { timeline, link, random, server, other, host, steps, actions, sent, forget };
}

/** The same, with a lease of ten minutes. */
function boundLan(config: Partial<Dhcp6Config> = {}) {
  const it = lan(config);
  it.host.start();
  it.timeline.runFor(3000);
  expect(it.host.state.phase).toBe('bound');
  it.forget();
  return it;
}

const kinds = (actions: readonly Dhcp6Action[]): readonly string[] => actions.map((action) => action.kind);
const types = (messages: readonly Dhcp6Message[]): readonly string[] =>
  messages.map((message) => message.type);
const held = (host: SimulatedHost6): readonly string[] => [...host.addresses.keys()];
const lossesOf = (host: SimulatedHost6): readonly unknown[] =>
  host.reports.flatMap((report) =>
    report.kind === 'lost' ? [[report.reason, report.backoffMs, report.expected]] : [],
  );

describe('a DHCPv6 client', () => {
  it('gets an address: SOLICIT, REQUEST, the check of the kernel, an announcement', () => {
    const { host, timeline, sent, actions, steps } = lan();
    host.start();
    timeline.runFor(3000);
    expect(types(sent())).toEqual(['solicit', 'request']);
    expect(steps.map((step) => step.phase)).toEqual(['soliciting', 'requesting', 'checking', 'bound']);
    expect(kinds(actions())).toEqual(['send', 'send', 'put-address', 'announce', 'remember', 'report']);
    expect(held(host)).toEqual([firstAddress]);
  });

  it('says who it is in every message, in the same way', () => {
    const { host, timeline, sent } = lan();
    host.start();
    timeline.runFor(3 * minute);
    host.input({ kind: 'stop' });
    const [solicit, request, renew, release] = sent();
    const { clientId, iaid } = config6;
    const always = { clientId, rapidCommit: false, elapsedTime: 0 };
    const wanting = { ...always, optionRequest: [23, 24, 82], clientFqdn: { flags: 0, name: 'shop' } };
    const ia = (addresses: readonly object[]): readonly object[] => [
      { iaid, renewSeconds: 0, rebindSeconds: 0, addresses },
    ];
    const named = [{ address: firstAddress, preferredSeconds: 0, validSeconds: 0 }];
    const serverId = Uint8Array.of(0, 3, 1);
    expect(solicit).toMatchObject({ type: 'solicit', options: { ...wanting, iaNas: ia([]) } });
    expect(solicit!.options.serverId).toBeUndefined();
    expect(request).toMatchObject({
      type: 'request',
      options: {
        ...wanting,
        serverId,
        iaNas: ia([{ address: firstAddress, preferredSeconds: 300, validSeconds: 600 }]),
      },
    });
    expect(request!.transactionId).not.toBe(solicit!.transactionId);
    expect(renew).toMatchObject({ type: 'renew', options: { ...wanting, serverId, iaNas: ia(named) } });
    expect(release).toMatchObject({ type: 'release', options: { ...always, serverId, iaNas: ia(named) } });
  });

  it('says how long it has been at it', () => {
    const { host, timeline, server, sent } = lan();
    server.mood = 'silent';
    host.start();
    timeline.runFor(20_000);
    expect(sent().map((message) => message.options.elapsedTime)).toEqual([0, 500, 1500]);
  });

  it('renews at T1 and only moves the times on', () => {
    const { host, timeline, actions } = boundLan();
    timeline.runFor(3 * minute);
    expect(kinds(actions())).toEqual(['send', 'put-address', 'remember', 'report']);
    expect(host.reports.at(-1)?.kind).toBe('renewed');
    expect([...host.addresses.values()][0]).toBeGreaterThan(11 * minute);
  });

  it('survives a lost renewal without anybody noticing', () => {
    const { host, timeline, server, actions } = boundLan();
    server.mood = 'silent';
    timeline.runFor(150_000);
    expect(host.state.phase).toBe('renewing');
    server.mood = 'well';
    timeline.runFor(15_000);
    expect(host.state.phase).toBe('bound');
    expect(kinds(actions())).not.toContain('drop-address');
  });

  it('asks every server from T2 on, and stays with the one that answers', () => {
    const { host, timeline, server, other } = boundLan();
    server.mood = 'silent';
    other.answer(encodedSolicit(host));
    host.servers = [server, other];
    timeline.runFor(5 * minute);
    expect(host.reports.at(-1)).toMatchObject({ kind: 'renewed', lease: { server: Uint8Array.of(0, 3, 2) } });
    expect(held(host)).toEqual([firstAddress]);
  });

  it('keeps the address to the last moment', () => {
    const { host, timeline, server } = boundLan();
    server.mood = 'silent';
    timeline.runFor(10 * minute - 4000);
    expect(held(host)).toEqual([firstAddress]);
    timeline.runFor(2000);
    expect(held(host)).toEqual([]);
    expect(lossesOf(host)).toEqual([['expired', 1000, false]]);
  });

  it('has the server make a new record when it has lost the old one', () => {
    const { host, timeline, server, sent } = boundLan();
    server.restart();
    timeline.runFor(3 * minute);
    expect(types(sent()).slice(0, 2)).toEqual(['renew', 'request']);
    expect(host.state.phase).toBe('bound');
    expect(held(host)).toEqual([firstAddress]);
    expect(lossesOf(host)).toEqual([]);
  });

  it('moves to another prefix: the new address can be used before the old one goes', () => {
    const { host, timeline, server, actions } = boundLan();
    server.prefix = 'fd98::';
    timeline.runFor(3 * minute);
    expect(held(host)).toEqual(['fd98::1000']);
    const touched = actions().filter((action) => /address|announce/.test(action.kind));
    expect(touched.slice(0, 3)).toMatchObject([
      { kind: 'put-address', address: 'fd98::1000' },
      { kind: 'announce', address: 'fd98::1000' },
      { kind: 'drop-address', address: firstAddress },
    ]);
  });

  it('takes a second address that a renewal brings, and keeps the first one as it is', () => {
    const { host, timeline, server } = boundLan();
    server.generous = true;
    timeline.runFor(3 * minute);
    expect(held(host)).toEqual([firstAddress, 'fd99::1001']);
  });

  it('drops everything when the server withdraws it all', () => {
    const { host, timeline, server } = boundLan();
    server.validSeconds = 0;
    server.preferredSeconds = 0;
    timeline.runFor(150_000);
    expect(held(host)).toEqual([]);
    expect(lossesOf(host)).toEqual([['withdrawn', 1000, false]]);
  });

  it('goes on with the address that is left when one of two runs out', () => {
    const { host, timeline, server } = boundLan();
    server.generous = true;
    timeline.runFor(150_000);
    const { state } = host;
    if (state.phase !== 'bound') throw new Error(state.phase);
    const [first, second] = state.lease.addresses;
    host.state = {
      ...state,
      lease: { ...state.lease, addresses: [{ ...first!, validUntilMs: 160_000 }, second!] },
    };
    host.input({ kind: 'tick' });
    timeline.runFor(10_000);
    expect(held(host)).toEqual(['fd99::1001']);
    expect(lossesOf(host)).toEqual([]);
  });

  it('doubles its pauses up to the bound, and starts small again after a success', () => {
    const { host, timeline, server } = lan({ backoffMaxMs: 20_000 });
    server.mood = 'silent';
    host.start();
    timeline.runFor(5 * minute);
    const pauses = lossesOf(host).map((loss) => (loss as [string, number])[1]);
    expect(pauses.slice(0, 6)).toEqual([1000, 2000, 4000, 8000, 16_000, 20_000]);
    server.mood = 'well';
    timeline.runFor(2 * minute);
    server.validSeconds = 0;
    server.preferredSeconds = 0;
    timeline.runFor(3 * minute);
    expect(lossesOf(host).find((loss) => (loss as [string])[0] === 'withdrawn')).toEqual([
      'withdrawn',
      1000,
      false,
    ]);
  });

  it('pauses no longer than servers want', () => {
    const { host, timeline, server } = lan();
    server.mood = 'empty';
    server.extra = { solMaxRtSeconds: 60 };
    host.start();
    timeline.runFor(20 * minute);
    const pauses = lossesOf(host).map((loss) => (loss as [string, number])[1]);
    expect(Math.max(...pauses)).toBe(60_000);
    expect(host.state.ignored['no-addresses']).toBeGreaterThan(3);
    server.extra = { solMaxRtSeconds: 59 };
    timeline.runFor(20 * minute);
    expect(host.state.solMaxRtMs).toBe(60_000);
  });

  it('counts a refused request as a failed attempt', () => {
    const { host, timeline, server } = lan();
    server.mood = 'refusing';
    host.start();
    timeline.runFor(5000);
    expect(lossesOf(host)[0]).toEqual(['denied', 1000, false]);
    server.mood = 'well';
    timeline.runFor(5 * minute);
    expect(host.state.phase).toBe('bound');
  });

  describe('where routers say that there is no DHCP for addresses', () => {
    it('tries now and then, and says that it expects nothing', () => {
      const { host, timeline, server } = lan();
      server.mood = 'silent';
      host.start();
      host.input({ kind: 'routers-say', managed: false });
      timeline.runFor(30_500);
      expect(lossesOf(host)).toEqual([['no-advertise', 300_000, true]]);
    });

    it('tries at once when they change their mind', () => {
      const { host, timeline, server, sent, forget } = lan();
      server.mood = 'silent';
      host.start();
      host.input({ kind: 'routers-say', managed: false });
      timeline.runFor(40_000);
      forget();
      server.mood = 'well';
      host.input({ kind: 'routers-say', managed: false });
      expect(sent()).toEqual([]);
      host.input({ kind: 'routers-say', managed: true });
      host.input({ kind: 'routers-say', managed: true });
      timeline.runFor(3000);
      expect(types(sent())).toEqual(['solicit', 'request']);
      expect(held(host)).toEqual([firstAddress]);
    });

    it('keeps a lease that it has', () => {
      const { host, timeline } = boundLan();
      host.input({ kind: 'routers-say', managed: false });
      timeline.runFor(20 * minute);
      expect(held(host)).toEqual([firstAddress]);
    });
  });

  describe('with a lease from before a restart', () => {
    function restarted(sleptMs = 1000) {
      const first = boundLan();
      first.timeline.runFor(sleptMs);
      const host = new SimulatedHost6(first.timeline, first.link, first.random);
      host.servers = [first.server];
      host.remembered = first.host.remembered;
      return { ...first, host };
    }

    it('asks whether it still fits, and takes it again', () => {
      const { host, timeline } = restarted();
      host.start();
      expect(host.state.phase).toBe('confirming');
      timeline.runFor(2000);
      expect(held(host)).toEqual([firstAddress]);
      expect(host.sentAtMs).toHaveLength(1);
      expect(host.reports.map(({ kind }) => kind)).toEqual(['acquired']);
    });

    it('searches at once when it does not fit any more', () => {
      const { host, timeline, server } = restarted();
      server.prefix = 'fd98::';
      host.start();
      timeline.runFor(3000);
      expect(held(host)).toEqual(['fd98::1000']);
      expect(lossesOf(host)).toEqual([]);
    });

    it('goes by what it remembers when nobody answers', () => {
      const { host, timeline, server } = restarted();
      server.mood = 'silent';
      host.start();
      timeline.runFor(12_000);
      expect(held(host)).toEqual([firstAddress]);
      timeline.runFor(10 * minute);
      expect(held(host)).toEqual([]);
    });

    it('does not ask for one that has run out meanwhile', () => {
      const { host } = restarted();
      const { addresses } = host.remembered!;
      host.remembered = {
        ...host.remembered!,
        addresses: addresses.map((each) => ({ ...each, validUntilMs: 1 })),
      };
      host.start();
      expect(host.state.phase).toBe('soliciting');
    });

    it('remembers it as bytes that give the same lease again', () => {
      const { host } = restarted();
      const lease = host.remembered!;
      const rounded = unpackLease6(packLease6(lease, 7), 7, lease.askedAtMs)!;
      expect(rounded).toEqual(lease);
      expect(unpackLease6(packLease6(lease, 7), 8, 0)).toBeUndefined();
      expect(unpackLease6(Uint8Array.of(7, 0, 0, 0), 7, 0)).toBeUndefined();
      const endless = {
        ...lease,
        renewAtMs: Number.POSITIVE_INFINITY,
        rebindAtMs: Number.POSITIVE_INFINITY,
        addresses: lease.addresses.map((each) => ({
          ...each,
          preferredUntilMs: Number.POSITIVE_INFINITY,
          validUntilMs: Number.POSITIVE_INFINITY,
        })),
      };
      expect(unpackLease6(packLease6(endless, 7), 7, lease.askedAtMs)).toEqual(endless);
    });
  });

  describe('when somebody else uses an address', () => {
    it('declines it, waits ten seconds, and gets another', () => {
      const { host, timeline, server, sent } = lan();
      host.squatted.add(ip(firstAddress));
      host.start();
      timeline.runFor(3000);
      expect(server.declined).toEqual([firstAddress]);
      expect(held(host)).toEqual([]);
      expect(lossesOf(host)).toEqual([['duplicate', 10_000, false]]);
      expect(host.reports[0]).toEqual({ kind: 'conflict', address: firstAddress });
      timeline.runFor(12_000);
      expect(held(host)).toEqual(['fd99::1002']);
      expect(types(sent()).slice(0, 3)).toEqual(['solicit', 'request', 'decline']);
    });

    it('repeats itself when the server does not hear it, but not for ever', () => {
      const { host, timeline, link, sent } = lan();
      host.squatted.add(ip(firstAddress));
      host.start();
      timeline.runFor(1000);
      link.weather = { ...link.weather, loss: 1 };
      timeline.runFor(16_500);
      expect(types(sent()).filter((type) => type === 'decline')).toHaveLength(4);
      expect(host.state.phase).toBe('backing-off');
    });

    it('goes on with the other address when it has two', () => {
      const { host, timeline, server } = lan();
      server.generous = true;
      host.squatted.add(ip(firstAddress));
      host.start();
      timeline.runFor(5000);
      expect(held(host)).toEqual(['fd99::1001']);
      expect(host.state.phase).toBe('bound');
      expect(host.reports.map(({ kind }) => kind)).toEqual(['conflict', 'acquired']);
    });

    it('declines also what it has used for a while', () => {
      const { host, server, timeline } = boundLan();
      host.input({ kind: 'duplicate', address: ip(firstAddress) });
      expect(held(host)).toEqual([]);
      timeline.runFor(1000);
      expect(server.declined).toEqual([firstAddress]);
    });

    it('does not mind a duplicate that is not its own', () => {
      const { host } = boundLan();
      host.input({ kind: 'duplicate', address: ip('fd99::77') });
      expect(host.state.phase).toBe('bound');
    });
  });

  describe('when it stops', () => {
    it('takes the address off and gives it back', () => {
      const { host, timeline, server, actions, forget } = boundLan();
      forget();
      host.input({ kind: 'stop' });
      expect(held(host)).toEqual([]);
      timeline.runFor(100);
      expect(kinds(actions())).toEqual(['drop-address', 'forget', 'send', 'report']);
      expect(server.released).toEqual([firstAddress]);
      expect(host.state.phase).toBe('stopped');
    });

    it('waits two seconds at most for the server', () => {
      const { host, timeline, server, sent, forget } = boundLan();
      server.mood = 'silent';
      forget();
      host.input({ kind: 'stop' });
      timeline.runFor(2000);
      expect(types(sent())).toEqual(['release', 'release']);
      expect(host.state.phase).toBe('stopped');
      expect(wakeDhcp6(host.state)).toBeUndefined();
    });

    it('keeps the lease for the next start where that is wanted', () => {
      const { host, sent, forget } = boundLan({ releaseOnStop: false });
      forget();
      host.input({ kind: 'stop' });
      expect(sent()).toEqual([]);
      expect(host.state.phase).toBe('stopped');
      expect(host.remembered).toBeDefined();
    });
  });

  it('counts answers that are not for it and goes on as if they had not come', () => {
    const { host, timeline, server, other } = lan();
    other.mood = 'hostile';
    server.mood = 'empty';
    host.servers = [other, server];
    host.start();
    timeline.runFor(29_000);
    expect(host.state.phase).toBe('soliciting');
    const counted = Object.entries(host.state.ignored).filter(([, count]) => count === 0);
    expect(counted).toEqual([]);
  });

  it('lets no other server answer a renewal', () => {
    const { host, timeline, server, other } = boundLan();
    server.mood = 'silent';
    timeline.runFor(150_000);
    const { state } = host;
    if (state.phase !== 'renewing') throw new Error(state.phase);
    const clientId = config6.clientId;
    const { iaid } = config6;
    const message: Dhcp6Message = {
      type: 'reply',
      transactionId: state.exchange.transactionId,
      options: {
        clientId,
        serverId: other.id,
        rapidCommit: false,
        iaNas: [{ iaid, renewSeconds: 0, rebindSeconds: 0, addresses: [] }],
      },
    };
    host.input({ kind: 'received', message });
    expect(host.state.ignored['wrong-server']).toBe(1);
    expect(host.state.phase).toBe('renewing');
  });

  it('asks at once whether the lease still holds when it is in doubt', () => {
    const { host, sent } = boundLan();
    host.input({ kind: 'doubt' });
    expect(types(sent())).toEqual(['rebind']);
    expect(held(host)).toEqual([firstAddress]);
  });

  it('goes on when the kernel never says whether an address is free', () => {
    const { host, timeline, actions } = lan();
    host.start();
    timeline.runFor(50);
    expect(host.state.phase).toBe('checking');
    timeline.nowMs += 6000;
    host.input({ kind: 'tick' });
    expect(host.state.phase).toBe('bound');
    expect(kinds(actions())).toContain('report');
  });

  it('starts over when the interface refuses the address', () => {
    const { host, timeline } = lan();
    host.refusesAddresses = true;
    host.start();
    timeline.runFor(1000);
    expect(lossesOf(host)).toEqual([['apply-failed', 1000, false]]);
  });
});

/** What the client would have sent, so that a server knows it. */
function encodedSolicit(host: SimulatedHost6): Uint8Array {
  const { clientId, iaid } = host.config;
  return encodeDhcp6({
    type: 'solicit',
    transactionId: 1,
    options: {
      clientId,
      rapidCommit: false,
      iaNas: [{ iaid, renewSeconds: 0, rebindSeconds: 0, addresses: [] }],
    },
  });
}
