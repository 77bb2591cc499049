/** Where the external address comes from: the real client against a real server, on a real engine. */
import { readFile } from 'node:fs/promises';
import { type DhcpSpec, serveDhcp, silenceDhcp } from '@berth/lab';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComposeProject } from '../src/compose.ts';
import {
  externalAddresses,
  externalMac,
  greeted,
  slaacAddress,
  usableV6,
  leasedV4 as waitForLeaseV4,
} from '../src/external.ts';
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

interface Scenario {
  readonly name: string;
  readonly dhcp: DhcpSpec | false;
  readonly env: Readonly<Record<string, string>>;
  readonly leasedV4: boolean;
  /** What the LAN gives in IPv6 beside the address from Docker. */
  readonly v6: 'nothing' | 'made from advertisements' | 'leased';
}

const scenarios: readonly Scenario[] = [
  { name: 'v4-only', dhcp: terms, env: refresh, leasedV4: true, v6: 'nothing' },
  {
    name: 'v6-only',
    dhcp: { ...terms, v4: false, v6: 'slaac' },
    env: refresh,
    leasedV4: false,
    v6: 'made from advertisements',
  },
  {
    name: 'both',
    dhcp: { ...terms, v6: 'slaac' },
    env: refresh,
    leasedV4: true,
    v6: 'made from advertisements',
  },
  { name: 'none', dhcp: false, env: {}, leasedV4: false, v6: 'nothing' },
  {
    name: 'dhcpv6-stateful',
    dhcp: { ...terms, v6: 'stateful' },
    env: refresh,
    leasedV4: true,
    v6: 'leased',
  },
];

describe.each(scenarios)('with a LAN that is $name', ({ dhcp, env, leasedV4, v6 }) => {
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
    const tables = async () => await stack.exec('anchord', 'nft', 'list', 'tables').catch(() => '');
    for (const table of ['table ip anchord_v4', 'table ip6 anchord_v6'])
      await waitFor(table, async () => (await tables()).includes(table), { timeoutMs: 60_000 });
  });

  it(
    leasedV4 ? 'the address from Docker gives way to a lease' : 'the address from Docker stays',
    async () => {
      if (leasedV4) await waitForLeaseV4(stack, lan().plan.pool);
      else expect(await externalAddresses(stack, 4)).toEqual([harbour.address(4, bootstrap)]);
    },
  );

  /** The IPv6 address that is from the LAN, not from Docker. */
  const fromLan = async (): Promise<string | undefined> => {
    if (v6 === 'nothing') return undefined;
    if (v6 === 'leased') {
      return await usableV6(stack, 'a leased IPv6 address', (address) =>
        /^fd99::1[0-9a-f]{3}$/.test(address),
      );
    }
    const made = slaacAddress('fd99::', await externalMac(stack));
    return await usableV6(stack, `the address ${made}`, (address) => address === made);
  };

  it(`in IPv6 the LAN gives ${v6}, and the address from Docker stays beside it`, async () => {
    const given = await fromLan();
    const docker = harbour.address(6, bootstrap);
    const now = await waitFor(
      'nothing else in IPv6',
      async () => {
        const addresses = await externalAddresses(stack, 6);
        return addresses.length === (given === undefined ? 1 : 2) && addresses;
      },
      { timeoutMs: 60_000 },
    );
    expect([...now].sort()).toEqual([docker, ...(given === undefined ? [] : [given])].sort());
    if (v6 !== 'leased') return;
    const line = await logged(stack, 'anchord', 'dhcp v6 lease acquired');
    expect(line['addrs']).toEqual([given]);
    expect(await leases()).toMatch(new RegExp(` ${given} mail `));
  });

  it('every address of the project leads to the service, which sees the real client', async () => {
    const client = harbour.space.client();
    for (const address of await externalAddresses(stack, 4))
      expect((await greeted(harbour, address)).source).toBe(client.v4);
    for (const address of await externalAddresses(stack, 6))
      expect((await greeted(harbour, address)).source).toBe(client.v6);
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
      { timeoutMs: 60_000 },
    );
    const [external = ''] = await externalAddresses(stack, 4);
    expect((await greeted(harbour, external)).source).toBe(harbour.space.client().v4);
  });

  it('it ends in order, and gives back what it had', async () => {
    const [address = ''] = await externalAddresses(stack, 4);
    const given = v6 === 'leased' ? await fromLan() : undefined;
    if (leasedV4)
      expect(await leases()).toMatch(new RegExp(` ${address.replaceAll('.', '\\.')} mail 00:6d:61:69:6c`));
    await harbour.host.docker('stop', '--time', '10', await stack.containerOf('anchord'));
    expect(await stack.inspect('anchord', '{{.State.ExitCode}}')).toBe('0');
    const messages = (await stack.logs('anchord')).map(({ msg }) => msg);
    expect(messages).toContain('signal received, shutting down');
    expect(messages.filter((msg) => msg.startsWith('nat teardown'))).toEqual([]);
    if (leasedV4) {
      await waitFor('the lease given back', async () => !(await leases()).includes(` ${address} `), {
        timeoutMs: 60_000,
      });
    }
    if (given !== undefined) {
      await waitFor('the IPv6 lease given back', async () => !(await leases()).includes(` ${given} `), {
        timeoutMs: 60_000,
      });
    }
  });
});

describe('with ANCHORD_ADDRESS_MODE=slaac-ra-only', () => {
  it('no client runs, and the address from Docker gets one from advertisements beside it', async () => {
    await serveDhcp(lan(), { ...terms, v6: 'slaac' });
    await using stack = await harbour.stack({
      host: 42,
      number: 2,
      env: { ANCHORD_ADDRESS_MODE: 'slaac-ra-only' },
    });
    await stack.up();
    const passive = await logged(stack, 'anchord', 'dhcp supervisor passive — no client will run');
    expect(passive['mode']).toBe('slaac-ra-only');
    const made = slaacAddress('fd99::', await externalMac(stack));
    await usableV6(stack, `the address ${made}`, (address) => address === made);
    expect((await greeted(harbour, made)).source).toBe(harbour.space.client().v6);
    expect(await externalAddresses(stack, 4)).toEqual([harbour.address(4, 42)]);
    expect(await leases()).not.toContain(harbour.address(4, 42));
  });
});
