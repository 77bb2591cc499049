/** Servers that fall silent, change, lie or hand out what others have: the real image, with servers that follow a script. */
import { type Ipv4, parseIpv4, parseIpv6 } from '@berth/dhcp';
import { silenceDhcp } from '@berth/lab';
import {
  advertise,
  altered,
  asAnotherServer4,
  both,
  forAnotherClient4,
  forAnotherClient6,
  garbage,
  inAnotherTransaction4,
  inAnotherTransaction6,
  lease4,
  lease6,
  ScriptedDhcp4,
  ScriptedDhcp6,
  silent,
} from '@berth/lab/script';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComposeProject } from '../src/compose.ts';
import { diagnose } from '../src/doctor.ts';
import {
  externalAddresses,
  externalMac,
  greeted,
  leasedV4,
  samplesOf,
  slaacAddress,
  usableAddresses,
  usableV6,
} from '../src/external.ts';
import { Harbour, logged } from '../src/harbour.ts';

const bootstrap = 43;
const env = {
  ANCHORD_ADDRESS_MODE: 'dhcp-refresh',
  ANCHORD_DHCP_HOSTNAME: 'mail',
  ANCHORD_LOG_LEVEL: 'debug',
  ANCHORD_DHCP_BACKOFF_MAX: '2s',
};

let harbour: Harbour;
let stack: ComposeProject;
beforeAll(async () => {
  harbour = await Harbour.open();
  await silenceDhcp(harbour.space.lab.lan);
});
afterAll(() => harbour?.[Symbol.asyncDispose]());

const lan = () => harbour.space.lab.lan;
const router = () => harbour.address(4, 1);
const only = (last: number) => [last, last] as const;
/** The MAC under which a client of the LAN has an address in its memory. */
const remembered = async (address: string) =>
  (await harbour.space.client().exec(['ip', 'neigh', 'show', address])).stdout.match(/lladdr (\S+)/)?.[1];

describe('DHCPv4 in a bad hour', () => {
  let server: ScriptedDhcp4;
  const short = (last: number) =>
    lease4({
      address: harbour.address(4, last),
      router: router(),
      leaseSeconds: 20,
      renewSeconds: 3,
      rebindSeconds: 5,
    });
  const long = (last: number) =>
    lease4({ address: harbour.address(4, last), router: router(), leaseSeconds: 600 });

  beforeAll(async () => {
    server = await ScriptedDhcp4.open(lan(), silent);
    stack = await harbour.stack({ host: bootstrap, number: 41, env });
    await stack.up();
    await logged(stack, 'anchord', 'reconciled');
  });
  afterAll(async () => {
    server?.[Symbol.dispose]();
    await stack?.[Symbol.asyncDispose]();
  });

  it('takes no notice of answers that are forged, foreign or broken, and counts them', async () => {
    const evil = long(66);
    const noise = garbage(20, 7);
    const lies = [inAnotherTransaction4(evil), forAnotherClient4(evil)].reduce(both);
    server.script = both(
      (request) => [...noise(), ...lies(request)],
      // An offer decides about the server; from then on nobody else may answer in its place.
      (request) => [
        ...(request.type === 'request' ? asAnotherServer4(evil, harbour.address(4, 99))(request) : []),
        ...long(150)(request),
      ],
    );
    expect(await leasedV4(stack, only(150))).toBe(harbour.address(4, 150));
    expect((await greeted(harbour, harbour.address(4, 150))).source).toBe(harbour.space.client().v4);
    expect((await stack.logs('anchord')).filter((line) => line['ip'] === harbour.address(4, 66))).toEqual([]);
    const ignored = await samplesOf(stack, 'anchord', 'anchord_dhcp_ignored_total');
    for (const reason of ['wrong-transaction', 'wrong-mac', 'wrong-server', 'malformed']) {
      expect([reason, ignored.get(`family="v4",reason="${reason}"`) ?? 0]).not.toEqual([reason, 0]);
    }
  });

  it('keeps the address that it remembers when it is killed hard, and asks for that one first', async () => {
    server.script = long(150);
    const before = server.requests.length;
    await stack.run('kill', '--signal', 'KILL', 'anchord');
    await stack.up('anchord');
    await waitFor('a question', () => server.requests.length > before, { timeoutMs: 60_000 });
    expect(server.requests[before]).toMatchObject({
      type: 'request',
      options: { requestedAddress: harbour.address(4, 150) },
    });
    expect(await leasedV4(stack, only(150))).toBe(harbour.address(4, 150));
  });

  it('declines an address that somebody else has, says whose it is, and takes the next one', async () => {
    const taken = harbour.address(4, 151);
    const other = harbour.space.client('client2');
    await other.exec(['ip', 'address', 'add', `${taken}/24`, 'dev', 'eth0']);
    try {
      // A NAK ends the lease at once.
      server.script = altered(short(151), (answer, request) =>
        request.type === 'request' && request.ciaddr !== '0.0.0.0' ? { ...answer, type: 'nak' } : answer,
      );
      await stack.run('restart', '--timeout', '60', 'anchord');
      await waitFor('a DECLINE', () => server.requests.some(({ type }) => type === 'decline'), {
        timeoutMs: 60_000,
      });
      const line = await logged(stack, 'anchord', 'dhcp address in use by somebody else');
      expect(line).toMatchObject({ ip: taken });
      expect(await externalAddresses(stack, 4)).toEqual([harbour.address(4, bootstrap)]);
      // While the other one still has it: or an offer that is under way makes it a lease.
      server.script = short(152);
    } finally {
      await other.exec(['ip', 'address', 'del', `${taken}/24`, 'dev', 'eth0']);
    }
    expect(await leasedV4(stack, only(152))).toBe(harbour.address(4, 152));
  });

  it('stays with its address when another server takes over', async () => {
    server.script = (request) =>
      // The old one is gone; what is asked of everybody, another one answers.
      request.options.serverId === undefined && request.type === 'request'
        ? asAnotherServer4(short(152), harbour.address(4, 98))(request)
        : [];
    const before = (await stack.logs('anchord')).length;
    await waitFor(
      'two renewals by the other server',
      async () =>
        (await stack.logs('anchord')).slice(before).filter(({ msg }) => msg === 'dhcp v4 lease renewed')
          .length >= 2,
      { timeoutMs: 60_000, everyMs: 200 },
    );
    const since = (await stack.logs('anchord')).slice(before).map(({ msg }) => msg);
    expect(since.filter((msg) => msg.includes('lost') || msg === 'external IPv4 changed')).toEqual([]);
  });

  it('gives the address up when the lease runs out, serves by the one from Docker, and comes back', async () => {
    server.script = silent;
    await logged(stack, 'anchord', 'dhcp client lost lease, retrying', ({ err }) => err === 'expired');
    expect(await externalAddresses(stack, 4)).toEqual([harbour.address(4, bootstrap)]);
    expect((await greeted(harbour, harbour.address(4, bootstrap))).source).toBe(harbour.space.client().v4);
    expect(await stack.exec('anchord', 'anchord', 'health')).toContain('no-lease');
    const argv = ['docker', 'exec', await stack.containerOf('anchord'), 'anchord'];
    const found = await diagnose(harbour.host, argv, '--only', 'no-lease');
    expect([found.exitCode, found.of('no-lease').map(({ subject }) => subject)]).toEqual([1, ['v4']]);
    server.script = long(153);
    expect(await leasedV4(stack, only(153))).toBe(harbour.address(4, 153));
    expect(await stack.exec('anchord', 'anchord', 'health')).not.toContain('no-lease');
  });

  it('tells the LAN whose the address is now, and what to do with large packets and other networks', async () => {
    const client = harbour.space.client();
    const address = harbour.address(4, 154);
    // Whoever had it before is still in the memory of the neighbours.
    const stale = ['lladdr', '02:00:5e:00:53:55', 'dev', 'eth0', 'nud', 'stale'];
    await client.exec(['ip', 'neigh', 'replace', address, ...stale]);
    server.script = altered(long(154), ({ options, ...answer }) => ({
      ...answer,
      options: {
        ...options,
        interfaceMtu: 1400,
        classlessRoutes: [
          route('0.0.0.0', 0, router()),
          route('198.51.100.0', 24, router()),
          // Into the project's own network: a server on the LAN has no say there.
          route('172.30.41.128', 25, router()),
        ],
      },
    }));
    await stack.run('restart', '--timeout', '60', 'anchord');
    await leasedV4(stack, only(154));
    await waitFor('the new MAC', async () => ((await remembered(address)) ?? stale[1]) !== stale[1], {
      timeoutMs: 60_000,
    });
    expect((await greeted(harbour, address)).source).toBe(client.v4);
    const routes = await stack.exec('anchord', 'ip', 'route', 'show');
    expect(routes).toMatch(new RegExp(`^198\\.51\\.100\\.0/24 via ${router()} .*mtu 1400`, 'm'));
    expect(routes).toMatch(new RegExp(`^default via ${router()} .*mtu 1400`, 'm'));
    expect(routes).not.toContain('172.30.41.128');
    await logged(stack, 'anchord', 'dhcp routes into inner networks left out');
  });
});

const v4 = (text: string): Ipv4 => parseIpv4(text) ?? expect.fail(text);
const route = (destination: string, prefixLength: number, gateway: string) => ({
  destination: v4(destination),
  prefixLength,
  gateway: v4(gateway),
});

describe('DHCPv6 in a bad hour', () => {
  let server: ScriptedDhcp6;
  const lease = (address: string) =>
    lease6({ address, preferredSeconds: 16, validSeconds: 24, renewSeconds: 3, rebindSeconds: 5 });
  const long = (address: string) => lease6({ address, preferredSeconds: 300, validSeconds: 600 });

  beforeAll(async () => {
    server = await ScriptedDhcp6.open(lan(), silent);
    stack = await harbour.stack({ host: bootstrap, number: 42, env });
    await stack.up();
    await logged(stack, 'anchord', 'reconciled');
  });
  afterAll(async () => {
    server?.[Symbol.dispose]();
    await stack?.[Symbol.asyncDispose]();
  });

  const has = (address: string, timeoutMs?: number) =>
    usableV6(stack, `the address ${address}`, (each) => each === address, timeoutMs);

  it('takes no notice of answers that are forged, foreign or broken, and counts them', async () => {
    const evil = long('fd99::666');
    const noise = garbage(20, 9);
    server.script = (request) => [
      ...noise(),
      ...[inAnotherTransaction6(evil), forAnotherClient6(evil), lease('fd99::1050')].flatMap((script) =>
        script(request),
      ),
    ];
    await has('fd99::1050');
    expect((await greeted(harbour, 'fd99::1050')).source).toBe(harbour.space.client().v6);
    expect(await externalAddresses(stack, 6)).not.toContain('fd99::666');
    const ignored = await samplesOf(stack, 'anchord', 'anchord_dhcp_ignored_total');
    for (const reason of ['wrong-transaction', 'wrong-client-id', 'malformed']) {
      expect([reason, ignored.get(`family="v6",reason="${reason}"`) ?? 0]).not.toEqual([reason, 0]);
    }
  });

  it('is renewed before it runs out', async () => {
    await logged(stack, 'anchord', 'dhcp v6 lease renewed');
    const asked = server.requests.map(({ type }) => type);
    expect(asked).toContain('renew');
  });

  it('moves to another prefix without a moment in which there is none', async () => {
    const seen: (readonly string[])[] = [];
    server.script = long('fd98::1051');
    // The old address is not in the answer any more: the server has taken it back.
    await waitFor(
      'the new address alone',
      async () => {
        const leased = (await usableAddresses(stack, 6)).filter(
          (each) => each.endsWith(':1050') || each.endsWith(':1051'),
        );
        seen.push(leased);
        return leased.length === 1 && leased[0] === 'fd98::1051';
      },
      { timeoutMs: 60_000, everyMs: 50 },
    );
    expect(seen.filter((each) => each.length === 0)).toEqual([]);
  });

  it('is declined when somebody else has it', async () => {
    const other = harbour.space.client('client2');
    await other.exec(['ip', 'address', 'add', 'fd99::1052/64', 'dev', 'eth0', 'nodad']);
    try {
      server.script = long('fd99::1052');
      await stack.run('restart', '--timeout', '60', 'anchord');
      await waitFor('a DECLINE', () => server.requests.some(({ type }) => type === 'decline'), {
        timeoutMs: 60_000,
      });
      await logged(stack, 'anchord', 'dhcp address in use by somebody else', ({ ip }) => ip === 'fd99::1052');
      expect(await usableAddresses(stack, 6)).not.toContain('fd99::1052');
      // While the other one still has it: or an answer that is under way makes it a lease for long.
      server.script = lease('fd99::1053');
      await has('fd99::1053');
    } finally {
      await other.exec(['ip', 'address', 'del', 'fd99::1052/64', 'dev', 'eth0']);
    }
  });

  it('is told to the LAN, whoever had the address before', async () => {
    const client = harbour.space.client();
    const stale = ['lladdr', '02:00:5e:00:53:56', 'dev', 'eth0', 'nud', 'stale'];
    await client.exec(['ip', '-6', 'neigh', 'replace', 'fd99::1054', ...stale]);
    server.script = long('fd99::1054');
    await stack.run('restart', '--timeout', '60', 'anchord');
    await has('fd99::1054');
    const mac = await externalMac(stack);
    await waitFor('its MAC with the neighbours', async () => (await remembered('fd99::1054')) === mac, {
      timeoutMs: 60_000,
    });
    expect((await greeted(harbour, 'fd99::1054')).source).toBe(client.v6);
    server.script = lease('fd99::1053');
    await stack.run('restart', '--timeout', '60', 'anchord');
    await has('fd99::1053');
  });

  it('is off with its time when nobody renews it, and the address from Docker stays', async () => {
    server.script = silent;
    await logged(
      stack,
      'anchord',
      'dhcp client lost lease, retrying',
      ({ err, family }) => err === 'expired' && family === 6,
    );
    expect(await externalAddresses(stack, 6)).toEqual([harbour.address(6, bootstrap)]);
  });

  it('is made of what a router advertises, and of another prefix when that takes its place', async () => {
    const mac = await externalMac(stack);
    const old = slaacAddress('fd97::', mac);
    const next = slaacAddress('fd96::', mac);
    await advertise(lan(), advertising({ prefix: 'fd97::', preferredSeconds: 600 }));
    await has(old);
    await advertise(
      lan(),
      advertising({ prefix: 'fd97::', preferredSeconds: 0 }, { prefix: 'fd96::', preferredSeconds: 600 }),
    );
    await has(next);
    // The old one serves on for whoever knows it, and is chosen for nothing new.
    const shown = await stack.exec('anchord', 'ip', '-6', 'addr', 'show', 'deprecated');
    expect(shown).toContain(`${old}/64`);
    expect(shown).not.toContain(`${next}/64`);
  });
});

const advertising = (
  ...prefixes: readonly { readonly prefix: string; readonly preferredSeconds: number }[]
) => ({
  hopLimit: 64,
  managed: false,
  other: false,
  preference: 'medium' as const,
  lifetimeSeconds: 0,
  reachableMs: 0,
  retransmitMs: 0,
  prefixes: prefixes.map(({ prefix, preferredSeconds }) => ({
    prefix: parseIpv6(prefix) ?? expect.fail(prefix),
    prefixLength: 64,
    onLink: true,
    autonomous: true,
    validSeconds: 7_200,
    preferredSeconds,
  })),
  routes: [],
  dnsServers: [],
});
