/** Where the external address comes from: the real client against a real server, on a real engine. */
import { readFile } from 'node:fs/promises';
import { type DhcpSpec, serveDhcp, silenceDhcp } from '@berth/lab';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComposeProject } from '../src/compose.ts';
import { Harbour, logged } from '../src/harbour.ts';

const terms: DhcpSpec = { v4: true, v6: 'none', leaseSeconds: 600 };
const refresh = {
  ANCHORD_ADDRESS_MODE: 'dhcp-refresh',
  ANCHORD_DHCP_HOSTNAME: 'mail',
  ANCHORD_LOG_LEVEL: 'debug',
};

let harbour: Harbour;
beforeAll(async () => {
  harbour = await Harbour.open();
});
afterAll(async () => {
  await harbour?.[Symbol.asyncDispose]();
});

const lan = () => harbour.space.lab.lan;
const leases = () => readFile(lan().leaseFile, 'utf8').catch(() => '');

/** The global addresses of the external interface. */
async function externalAddresses(stack: ComposeProject, family: 4 | 6): Promise<readonly string[]> {
  const starting = await logged(stack, 'anchord', 'anchord starting (network-anchor mode)');
  const link = String(starting['ext_iface']);
  const shown = await stack.exec(
    'anchord',
    'ip',
    '-j',
    `-${family}`,
    'addr',
    'show',
    'dev',
    link,
    'scope',
    'global',
  );
  const links = JSON.parse(shown) as { addr_info?: { local?: string }[] }[];
  // What the scope leaves out is printed all the same, as nothing.
  return links.flatMap(({ addr_info = [] }) => addr_info.flatMap(({ local = [] }) => local));
}

const greet = (host: string) =>
  waitFor(
    `an answer from ${host}`,
    () =>
      harbour.space
        .client()
        .greetTcp({ host, port: 25, timeoutMs: 500 })
        .catch(() => undefined),
    { timeoutMs: 15_000 },
  );

const inPool = (address: string | undefined, [from, to]: readonly [number, number] = lan().plan.pool) => {
  const last = Number(address?.split('.')[3]);
  return last >= from && last <= to;
};

const leased = (stack: ComposeProject, pool?: readonly [number, number]) =>
  waitFor(
    'an address from the pool, and no other',
    async () => {
      const addresses = await externalAddresses(stack, 4);
      return addresses.length === 1 && inPool(addresses[0], pool) && addresses[0];
    },
    { timeoutMs: 20_000, everyMs: 100 },
  );

interface Scenario {
  readonly name: string;
  readonly dhcp: DhcpSpec | false;
  readonly env: Readonly<Record<string, string>>;
  readonly leasedV4: boolean;
}

const scenarios: readonly Scenario[] = [
  { name: 'v4-only', dhcp: terms, env: refresh, leasedV4: true },
  {
    name: 'v6-only',
    dhcp: { ...terms, v4: false, v6: 'slaac' },
    env: refresh,
    leasedV4: false,
  },
  { name: 'both', dhcp: { ...terms, v6: 'slaac' }, env: refresh, leasedV4: true },
  { name: 'none', dhcp: false, env: {}, leasedV4: false },
  {
    name: 'dhcpv6-stateful',
    dhcp: { ...terms, v6: 'stateful' },
    env: refresh,
    leasedV4: true,
  },
];

describe.each(scenarios)('with a LAN that is $name', ({ dhcp, env, leasedV4 }) => {
  let stack: ComposeProject;
  const bootstrap = 41;

  beforeAll(async () => {
    await silenceDhcp(lan());
    stack = await harbour.stack({ host: bootstrap, env });
    await stack.up();
    if (dhcp !== false) await serveDhcp(lan(), dhcp);
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  it('the external interface is found, and both tables are there', async () => {
    await logged(stack, 'anchord', 'external interface resolved by network');
    await stack.exec('anchord', 'nft', 'list', 'table', 'ip', 'anchord_v4');
    await stack.exec('anchord', 'nft', 'list', 'table', 'ip6', 'anchord_v6');
  });

  it(
    leasedV4 ? 'the address from Docker gives way to a lease' : 'the address from Docker stays',
    async () => {
      if (leasedV4) await leased(stack);
      else expect(await externalAddresses(stack, 4)).toEqual([harbour.address(4, bootstrap)]);
      expect(await externalAddresses(stack, 6)).toContain(harbour.address(6, bootstrap));
    },
  );

  it('every address of the project leads to the service, which sees the real client', async () => {
    const client = harbour.space.client();
    for (const address of await externalAddresses(stack, 4))
      expect((await greet(address)).source).toBe(client.v4);
    for (const address of await externalAddresses(stack, 6))
      expect((await greet(address)).source).toBe(client.v6);
  });

  it('the map follows a service that is re-created', async () => {
    await stack.run('up', '--detach', '--force-recreate', '--timeout', '1', 'smtp-anchor', 'smtp');
    const address = await stack.inspect(
      'smtp-anchor',
      `{{(index .NetworkSettings.Networks "${stack.name}_transit").IPAddress}}`,
    );
    await waitFor(
      'the new address in the map',
      async () =>
        (await stack.exec('anchord', 'nft', 'list', 'map', 'ip', 'anchord_v4', 'dnat_tcp')).includes(
          `25 : ${address}`,
        ),
      { timeoutMs: 8_000 },
    );
    const [external = ''] = await externalAddresses(stack, 4);
    expect((await greet(external)).source).toBe(harbour.space.client().v4);
  });

  it('it ends in order, and gives back what it had', async () => {
    const [address = ''] = await externalAddresses(stack, 4);
    if (leasedV4)
      expect(await leases()).toMatch(new RegExp(` ${address.replaceAll('.', '\\.')} mail 00:6d:61:69:6c`));
    await harbour.host.docker('stop', '--time', '10', await stack.containerOf('anchord'));
    expect(await stack.inspect('anchord', '{{.State.ExitCode}}')).toBe('0');
    const messages = (await stack.logs('anchord')).map(({ msg }) => msg);
    expect(messages).toContain('signal received, shutting down');
    expect(messages.filter((msg) => msg.startsWith('nat teardown'))).toEqual([]);
    if (leasedV4) {
      await waitFor('the lease given back', async () => !(await leases()).includes(` ${address} `), {
        timeoutMs: 5_000,
      });
    }
  });
});

describe('a lease over time', () => {
  let stack: ComposeProject;
  const early = [100, 109] as const;
  const late = [150, 159] as const;

  beforeAll(async () => {
    await serveDhcp(lan(), { ...terms, pool: early, renewSeconds: 3 });
    stack = await harbour.stack({ host: 42, env: refresh });
    await stack.up();
    await leased(stack, early);
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  it('is renewed without a word to the kernel, and connections live on', async () => {
    const address = await leased(stack, early);
    const socket = await harbour.space.client().sockets.tcp({ host: address, port: 25 });
    let heard = '';
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
    });
    await waitFor(
      'two renewals',
      async () =>
        (await stack.logs('anchord')).filter(({ msg }) => msg === 'dhcp v4 lease renewed').length >= 2,
      { timeoutMs: 15_000, everyMs: 100 },
    );
    socket.write('still there?\n');
    await waitFor('the echo', () => heard.includes('still there?'), { timeoutMs: 3_000 });
    socket.destroy();
    expect(await leased(stack, early)).toBe(address);
  });

  it('leads out through the router that it names', async () => {
    const line = await logged(stack, 'anchord', 'ext default-route dynamic source updated');
    expect(line).toMatchObject({ family: 'v4', gw: harbour.address(4, 1) });
    const beyond = await harbour.space
      .client('inet')
      .greetTcp({ host: await leased(stack, early), port: 25 });
    expect(beyond.source).toBe(harbour.clientAddress(4, 'inet'));
  });

  it('moves to another address when the server has other addresses now, inbound and outbound, without a restart', async () => {
    const before = await leased(stack, early);
    await serveDhcp(lan(), { ...terms, pool: late, renewSeconds: 3 });
    const after = await leased(stack, late);
    expect(after).not.toBe(before);
    await logged(stack, 'anchord', 'external IPv4 changed', (line) => line['new'] === after);
    expect((await greet(after)).source).toBe(harbour.space.client().v4);
    expect(await stack.inspect('anchord', '{{.RestartCount}}')).toBe('0');
  });

  it('outlives a server that is away for a while, and a hard kill of the anchor', async () => {
    const address = await leased(stack, late);
    await silenceDhcp(lan());
    await stack.run('kill', '--signal', 'KILL', 'anchord');
    await serveDhcp(lan(), { ...terms, pool: late, renewSeconds: 3 });
    await stack.up('anchord');
    expect(await leased(stack, late)).toBe(address);
    expect((await greet(address)).source).toBe(harbour.space.client().v4);
  });
});
