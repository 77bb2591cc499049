/** The external interface that an anchor of the old kind makes itself, on a link that somebody moved into its namespace. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { serveDhcp } from '@berth/lab';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComposeProject } from '../src/compose.ts';
import { externalAddresses, externalMac, greeted, leasedV4, usableV6 } from '../src/external.ts';
import { Harbour, logged } from '../src/harbour.ts';
import { plugIntoLan } from '../src/lan-cable.ts';

let harbour: Harbour;
let stack: ComposeProject;
beforeAll(async () => {
  harbour = await Harbour.open();
});
afterAll(() => harbour?.[Symbol.asyncDispose]());

const lan = () => harbour.space.lab.lan;
const leases = () => readFile(lan().leaseFile, 'utf8').catch(() => '');

const plugIn = async (port: string): Promise<void> =>
  plugIntoLan(
    harbour.space.lab,
    harbour.host,
    Number(await stack.inspect('anchord', '{{.State.Pid}}')),
    'eth0.42',
    port,
  );

describe('with ANCHORD_VLAN_PARENT', () => {
  beforeAll(async () => {
    await serveDhcp(lan(), { v4: true, v6: 'stateful', leaseSeconds: 600 });
    stack = await harbour.stack({
      number: 31,
      env: { ANCHORD_EXT_NETWORK: '', ANCHORD_VLAN_PARENT: 'eth0.42' },
      anchor: {
        networks: { transit: {} },
        sysctls: {
          'net.ipv4.ip_forward': '1',
          'net.ipv6.conf.all.forwarding': '1',
          // Docker switches IPv6 off for every interface that is not of its making.
          'net.ipv6.conf.default.disable_ipv6': '0',
          'net.ipv4.conf.all.arp_ignore': '1',
          'net.ipv4.conf.all.arp_announce': '2',
        },
      },
    });
    await stack.up();
  });

  it('waits for the link, and is ready all the same', async () => {
    const line = await logged(stack, 'anchord', 'ensure link failed, will retry');
    expect(line).toMatchObject({ iface: 'anchord-ext', parent: 'eth0.42' });
    await waitFor(
      'readiness',
      async () => (await stack.exec('anchord', 'anchord', 'health').catch(() => '')).startsWith('ready'),
      { timeoutMs: 60_000 },
    );
  });

  it('makes the interface on it, with the MAC that reservations know, and leases addresses in both families', async () => {
    await plugIn(`${harbour.space.id}a`);
    const digest = createHash('sha256').update(`anchord:${stack.name}`).digest('hex').slice(0, 8);
    const mac = `02:42:${digest.match(/../g)?.join(':')}`;
    expect(await logged(stack, 'anchord', 'macvlan up')).toMatchObject({
      iface: 'anchord-ext',
      parent: 'eth0.42',
      mac,
    });
    const address = await leasedV4(stack, lan().plan.pool);
    expect(await externalMac(stack)).toBe(mac);
    // The MAC is the identity: no client identifier was sent.
    expect(await leases()).toContain(`${mac} ${address} ${stack.name} *`);
    expect(
      await usableV6(stack, 'a leased IPv6 address', (each) => /^fd99::1[0-9a-f]{3}$/.test(each)),
    ).toBeDefined();
  });

  it('serves clients on the LAN and beyond, which are seen as who they are, and leads out by it', async () => {
    const client = harbour.space.client();
    const [v4 = ''] = await externalAddresses(stack, 4);
    expect((await greeted(harbour, v4)).source).toBe(client.v4);
    for (const v6 of await externalAddresses(stack, 6)) {
      expect((await greeted(harbour, v6)).source).toBe(client.v6);
    }
    expect((await greeted(harbour, v4, 'inet')).source).toBe(harbour.clientAddress(4, 'inet'));
    const route = await stack.exec('anchord', 'ip', 'route', 'show', 'default');
    expect(route).toContain(`via ${harbour.address(4, 1)} dev anchord-ext`);
  });

  it('makes it again when somebody deletes it, with the same address', async () => {
    const [before = ''] = await externalAddresses(stack, 4);
    await stack.exec('anchord', 'ip', 'link', 'del', 'anchord-ext');
    await logged(stack, 'anchord', 'macvlan child no longer usable, cancelling DHCP clients');
    await logged(stack, 'anchord', 'dhcp clients exited, retrying');
    expect(await leasedV4(stack, lan().plan.pool)).toBe(before);
    expect((await greeted(harbour, before)).source).toBe(harbour.space.client().v4);
  });

  it('takes it away at the end, and gives its leases back', async () => {
    const addresses = [...(await externalAddresses(stack, 4)), ...(await externalAddresses(stack, 6))];
    await harbour.host.docker('stop', '--time', '10', await stack.containerOf('anchord'));
    expect(await stack.inspect('anchord', '{{.State.ExitCode}}')).toBe('0');
    const messages = (await stack.logs('anchord')).map(({ msg }) => msg);
    expect(messages).toContain('macvlan removed');
    expect(messages.filter((msg) => msg.startsWith('nat teardown'))).toEqual([]);
    for (const address of addresses) {
      await waitFor(`${address} given back`, async () => !(await leases()).includes(` ${address} `), {
        timeoutMs: 60_000,
      });
    }
  });
});
