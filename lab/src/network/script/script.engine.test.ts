import { once } from 'node:events';
import {
  type Dhcp6Message,
  decodeDhcp6,
  encodeDhcp6,
  parseIpv6,
  type RouterAdvertisement,
} from '@berth/dhcp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultDhcp } from '../../spec.ts';
import { lab, openSpace, type Space, waitFor } from '../../testing/index.ts';
import { serveDhcp, silenceDhcp } from '../dhcp-server.ts';
import * as script from './index.ts';

const terms = { address: '10.99.0.77', router: '10.99.0.1', leaseSeconds: 5 } as const;
const honest = script.lease4(terms);

interface Patience {
  readonly tries: number;
  readonly seconds: number;
}
const patient: Patience = { tries: 10, seconds: 30 };
/** Where nothing may come of it. */
const brief: Patience = { tries: 1, seconds: 10 };

/** What Debian's busybox makes of the server: an independent client. It asks a server that refuses until its time is over. */
async function askV4(space: Space, network: string, { tries, seconds }: Patience): Promise<string> {
  const container = ['--network', network, '--cap-add', 'NET_ADMIN', 'berth-lab/busybox'];
  const { stderr } = await space.host.exec([
    ...(['docker', 'run', '--rm', ...space.labelled, ...container, 'timeout', String(seconds)] as const),
    ...['udhcpc', '-i', 'eth0', '-n', '-q', '-s', '/bin/true', '-t', String(tries), '-T', '1'],
  ]);
  return stderr;
}

function solicit(): Dhcp6Message {
  const clientId = Uint8Array.from([0, 3, 0, 1, 2, 0, 0x5e, 0, 0x12, 0x34]);
  const iaNas = [{ iaid: 7, renewSeconds: 0, rebindSeconds: 0, addresses: [] }];
  return { type: 'solicit', transactionId: 0x123456, options: { clientId, iaNas, rapidCommit: false } };
}

async function askV6(space: Space): Promise<Buffer> {
  const socket = await space.client().sockets.udp({ family: 6, port: 546 });
  try {
    const answered = once(socket, 'message', { signal: AbortSignal.timeout(20_000) });
    socket.send(encodeDhcp6(solicit()), 547, 'ff02::1:2');
    const [message] = (await answered) as [Buffer];
    return message;
  } finally {
    socket.close();
  }
}

describe('a server that follows a script', () => {
  beforeAll(async () => silenceDhcp((await lab()).lan));
  afterAll(async () => serveDhcp((await lab()).lan, defaultDhcp));

  it('gives leases of a few seconds', async () => {
    await using space = await openSpace();
    using server = await script.ScriptedDhcp4.open(space.lab.lan, honest);
    const said = await askV4(space, await space.lanNetwork(), patient);
    expect(said).toContain('lease of 10.99.0.77 obtained from 10.99.0.1, lease time 5');
    // Each more than once, if it did not hear us within a second.
    expect([...new Set(server.requests.map(({ type }) => type))]).toEqual(['discover', 'request']);
  });

  it.each<[string, script.Script4]>([
    ['in another transaction', script.inAnotherTransaction4(honest)],
    ['for another client', script.forAnotherClient4(honest)],
    ['with noise', script.garbage(50, 1)],
    ['not at all', script.silent],
  ])('answers %s, and a client takes no lease', async (_, wrong) => {
    await using space = await openSpace();
    using server = await script.ScriptedDhcp4.open(space.lab.lan, wrong);
    expect(await askV4(space, await space.lanNetwork(), brief)).toContain('no lease');
    expect(server.requests[0]?.type).toBe('discover');
  });

  it('refuses what it offered', async () => {
    await using space = await openSpace();
    using server = await script.ScriptedDhcp4.open(space.lab.lan, script.refusing4(honest));
    const said = await askV4(space, await space.lanNetwork(), { ...patient, seconds: 8 });
    expect(said).toContain('received DHCP NAK');
    expect(server.requests.map(({ type }) => type)).toContain('request');
  });

  it('changes its mind between two questions, and answers many times over', async () => {
    await using space = await openSpace();
    const network = await space.lanNetwork();
    using server = await script.ScriptedDhcp4.open(space.lab.lan, script.silent);
    expect(await askV4(space, network, brief)).toContain('no lease');
    server.script = script.repeated(script.both(script.asAnotherServer4(honest, '10.99.0.9'), honest), 100);
    expect(await askV4(space, network, patient)).toContain('lease of 10.99.0.77 obtained');
  });

  it('advertises IPv6 addresses, or that it has none', async () => {
    await using space = await openSpace();
    const lease = script.lease6({ address: 'fd99::77', preferredSeconds: 4, validSeconds: 8 });
    using server = await script.ScriptedDhcp6.open(space.lab.lan, lease);
    const answer = decodeDhcp6(await askV6(space));
    if (!answer.ok) throw new Error(`no DHCPv6 message: ${answer.fault}`);
    expect(answer.value).toMatchObject({ type: 'advertise', transactionId: 0x123456 });
    expect(answer.value.options.iaNas).toMatchObject([
      { iaid: 7, addresses: [{ address: parseIpv6('fd99::77'), preferredSeconds: 4, validSeconds: 8 }] },
    ]);
    expect(server.requests[0]).toMatchObject({
      type: 'solicit',
      options: { clientId: solicit().options.clientId },
    });
    server.script = script.empty6;
    const empty = decodeDhcp6(await askV6(space));
    expect(empty.ok && empty.value.options.iaNas[0]?.status?.code).toBe(2);
    server.script = script.inAnotherTransaction6(lease);
    const wrong = decodeDhcp6(await askV6(space));
    expect(wrong.ok && wrong.value.transactionId).toBe(0x123456 ^ 0x5a5a5a);
  });

  it('advertises prefixes that containers take addresses from', async () => {
    await using space = await openSpace();
    const id = await space.start('listener', '--network', await space.lanNetwork(), 'berth-lab/busybox');
    const advertisement: RouterAdvertisement = {
      ...{ hopLimit: 64, managed: false, other: false, preference: 'medium', lifetimeSeconds: 0 },
      ...{ reachableMs: 0, retransmitMs: 0, routes: [], dnsServers: [] },
      prefixes: [
        {
          ...{ prefix: parseIpv6('fd98::')!, prefixLength: 64, onLink: true, autonomous: true },
          ...{ validSeconds: 600, preferredSeconds: 300 },
        },
      ],
    };
    const addresses = (): Promise<string> => space.host.docker('exec', id, 'cat', '/proc/net/if_inet6');
    const advertised = async (): Promise<boolean> => {
      await script.advertise(space.lab.lan, advertisement);
      return /^fd98/m.test(await addresses());
    };
    await waitFor('an address from fd98::/64', advertised, { timeoutMs: 60_000, everyMs: 200 });
  });
});
