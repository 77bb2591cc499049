import { once } from 'node:events';
import { beforeAll, describe, expect, it } from 'vitest';
import { echo } from '../images/echo.ts';
import { ensureImage } from '../images/image.ts';
import { defaultDhcp } from '../spec.ts';
import { lab, openSpace, type Space, waitFor } from '../testing/index.ts';
import { serveDhcp, silenceDhcp } from './dhcp-server.ts';

/** An echo service with addresses of its own on the LAN. */
async function serve(space: Space): Promise<{ readonly v4: string; readonly v6: string }> {
  const { plan } = space.lab.lan;
  const [v4, v6] = [plan.v4(40), plan.v6(40)];
  await space.start(
    'echo',
    ...['--network', await space.lanNetwork(), '--ip', v4, '--ip6', v6, 'berth-lab/echo', '7/tcp', '7/udp'],
  );
  await waitFor('the echo service', () => answers(space, v4), { timeoutMs: 60_000 });
  // A fresh IPv6 address is not used before the kernel knows that nobody else has it.
  await waitFor('the echo service over IPv6', () => answers(space, v6), { timeoutMs: 60_000 });
  return { v4, v6 };
}

const answers = (space: Space, host: string): Promise<boolean> =>
  space
    .client()
    .greetTcp({ host, port: 7, timeoutMs: 2000 })
    .then(
      () => true,
      () => false,
    );

const served = { v4: true, v6: 'stateful', leaseSeconds: 120 } as const;

const dhcpv6Advertise = 2;

/** The smallest question for an address over DHCPv6: who I am, and that I want one. */
function solicit(transaction: number): Buffer {
  const message = Buffer.from(
    '01000000' + '0001000a' + '00030001' + '02005e001234' + '0003000c' + '00000001' + '0000000000000000',
    'hex',
  );
  message.writeUIntBE(transaction, 1, 3);
  return message;
}

describe('the LAN of the lab', () => {
  beforeAll(async () => {
    await ensureImage((await lab()).host(), echo(), () => undefined);
  });

  it('lets a client reach a container on it, and the container see who it is', async () => {
    await using space = await openSpace();
    const service = await serve(space);
    const client = space.client('client2');
    for (const [host, source] of [
      [service.v4, client.v4],
      [service.v6, client.v6],
    ] as const) {
      expect(await client.greetTcp({ host, port: 7 })).toMatchObject({ source, transport: 'tcp', port: 7 });
      expect(await client.greetUdp({ host, port: 7 })).toMatchObject({ source, transport: 'udp', port: 7 });
    }
  });

  it('lets a client beyond the router reach it with its own address', async () => {
    await using space = await openSpace();
    const service = await serve(space);
    const client = space.client('inet');
    expect(await client.greetTcp({ host: service.v4, port: 7 })).toMatchObject({ source: client.v4 });
    expect(await client.greetUdp({ host: service.v6, port: 7 })).toMatchObject({ source: client.v6 });
  });

  it('keeps a flow of datagrams on one source port', async () => {
    await using space = await openSpace();
    const { v4: host } = await serve(space);
    await using flow = await space.client().udpFlow({ host, port: 7 });
    const first = await flow.greet();
    expect(await flow.greet()).toEqual(first);
  });

  it('says why there is no connection', async () => {
    await using space = await openSpace();
    const { plan } = space.lab.lan;
    const refused = space.client().greetTcp({ host: plan.v4(plan.router), port: 9 });
    await expect(refused).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const silent = space.client().greetTcp({ host: plan.v4(99), port: 9, timeoutMs: 300 });
    await expect(silent).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('leases IPv4 addresses to whoever asks, and knows the names of its hosts', async () => {
    await using space = await openSpace();
    const said = await space.host.must([
      ...(['docker', 'run', '--rm', ...space.labelled, '--network', await space.lanNetwork()] as const),
      ...['--cap-add', 'NET_ADMIN', 'berth-lab/busybox', 'sh', '-c'],
      'udhcpc -i eth0 -n -q -s /bin/true -t 10 2>&1; nslookup -type=a client1.lan 10.99.0.1',
    ]);
    expect(said).toMatch(/lease of 10\.99\.0\.1[0-9][0-9] obtained from 10\.99\.0\.1, lease time/);
    expect(said).toContain(space.client().v4);
  });

  it('offers IPv6 addresses to whoever asks', async () => {
    await using space = await openSpace();
    const client = space.client();
    const socket = await client.sockets.udp({ family: 6, port: 546 });
    const offered = once(socket, 'message', { signal: AbortSignal.timeout(20_000) });
    socket.send(solicit(0x123456), 547, 'ff02::1:2');
    const [advertise] = (await offered) as [Buffer];
    socket.close();
    expect(advertise.readUInt32BE(0)).toBe((dhcpv6Advertise << 24) | 0x123456);
    expect(advertise.includes(Buffer.from('fd990000000000000000000000001', 'hex'))).toBe(true);
  });

  it('advertises a prefix when told to, and a container takes an address from it, but no way out', async () => {
    await using space = await openSpace();
    const { lan } = space.lab;
    const id = await space.start('listener', '--network', await space.lanNetwork(), 'berth-lab/busybox');
    const addresses = async (): Promise<number> =>
      [...(await space.host.docker('exec', id, 'cat', '/proc/net/if_inet6')).matchAll(/^fd99/gm)].length;
    expect(await addresses()).toBe(1);
    await serveDhcp(lan, { ...served, v6: 'slaac' });
    try {
      await waitFor('an address from the prefix', async () => (await addresses()) === 2, {
        timeoutMs: 60_000,
      });
      expect(await space.host.docker('exec', id, 'ip', '-6', 'route')).not.toContain('default via fe80:');
    } finally {
      await serveDhcp(lan, defaultDhcp);
    }
  });

  it('falls silent when told to, and speaks again with other terms', async () => {
    await using space = await openSpace();
    const { lan } = space.lab;
    const asker = await space.start(
      'asker',
      ...['--network', await space.lanNetwork(), '--cap-add', 'NET_ADMIN', 'berth-lab/busybox'],
    );
    const ask = (tries: number): ReturnType<typeof space.host.exec> =>
      space.host.exec([
        ...(['docker', 'exec', asker, 'udhcpc', '-i', 'eth0', '-n', '-q'] as const),
        ...['-s', '/bin/true', '-t', String(tries), '-T', '1'],
      ]);
    await silenceDhcp(lan);
    try {
      expect((await ask(2)).code).not.toBe(0);
    } finally {
      await serveDhcp(lan, served);
    }
    const { stderr } = await ask(20);
    await serveDhcp(lan, defaultDhcp);
    expect(stderr).toContain('lease time 120');
  });
});
