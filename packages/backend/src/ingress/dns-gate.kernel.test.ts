/** The gate against real name servers: dnsmasq on loopback, one that knows the names and one that knows nothing. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { systemClock } from '@berth/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { domainResolves } from './dns-gate.ts';

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

const servers: ChildProcess[] = [];

async function nameServer(...records: string[]): Promise<string> {
  const port = await freePort();
  const server = spawn(
    'dnsmasq',
    [
      '--keep-in-foreground',
      '--no-daemon',
      '--conf-file=/dev/null',
      '--no-resolv',
      '--no-hosts',
      '--bind-interfaces',
      '--listen-address=127.0.0.1',
      `--port=${port}`,
      '--local=/example/',
      ...records,
    ],
    { stdio: 'ignore' },
  );
  servers.push(server);
  const resolver = new Resolver({ timeout: 100, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  const deadline = Date.now() + 5000;
  for (;;) {
    const answered = await resolver.resolve4('up.example').then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === 'ENOTFOUND',
    );
    if (answered) return `127.0.0.1:${port}`;
    if (Date.now() > deadline) throw new Error('dnsmasq does not answer');
  }
}

describe('the DNS gate', () => {
  let knowing = '';
  let other = '';
  let empty = '';
  const dead = '127.0.0.1:9';
  beforeAll(async () => {
    const records = [
      '--host-record=v4.example,192.0.2.1',
      '--host-record=v6.example,2001:db8::1',
      '--cname=alias.example,v4.example',
      '--txt-record=text.example,hello',
    ];
    knowing = await nameServer(...records);
    other = await nameServer(...records);
    empty = await nameServer();
  });
  afterAll(() => {
    for (const server of servers) server.kill('SIGKILL');
  });
  const ready = (domain: string, resolvers: string[], quorum = 0) =>
    domainResolves(domain, { resolvers, quorum }, systemClock, new AbortController().signal);

  it('opens for a name with an IPv4 or an IPv6 address, also through an alias', async () => {
    for (const domain of ['v4.example', 'v6.example', 'alias.example'])
      expect(await ready(domain, [knowing, other]), domain).toBe(true);
  });

  it('stays closed for a name that is not there, or has no address', async () => {
    for (const domain of ['nothing.example', 'text.example'])
      expect(await ready(domain, [knowing]), domain).toBe(false);
  });

  it('goes by the quorum, a dead resolver counting as a no', async () => {
    expect(await ready('v4.example', [knowing, other, empty])).toBe(true);
    expect(await ready('v4.example', [knowing, empty, dead])).toBe(false);
    expect(await ready('v4.example', [knowing, empty, dead], 1)).toBe(true);
    expect(await ready('v4.example', [knowing, other, dead], 3)).toBe(false);
  });
});
