import { parseMac } from '@berth/kernel/ip';
import { Network, NetworkWatch } from '@berth/kernel/network';
import { describe, expect, it } from 'vitest';
import { addressesOf, DhcpLan, ip, until } from '../testing/dhcp-lan.ts';
import { testParts } from '../testing/program.ts';
import { DhcpSupervisor, MacvlanKeeper } from './index.ts';

const mac = parseMac('02:42:5e:00:53:07');
const child = { name: 'anchord-ext', parent: 'eth0.42', mac };
const noStore = { load: () => undefined, save: () => undefined, clear: () => undefined };
const pool = '--dhcp-range=10.99.0.100,10.99.0.110,255.255.255.0,120';

/** The interface of our own making in the container of the LAN, with the DHCP clients on it. */
function keep(lan: DhcpLan) {
  const parts = testParts();
  const network = Network.open(lan.container);
  const end = new AbortController();
  const supervisor = new DhcpSupervisor(
    {
      families: ['v4', 'v6'],
      hostName: 'shop',
      clientId: undefined,
      backoffMaxMs: 4_000,
      releaseOnStop: true,
    },
    {
      ...parts,
      namespace: lan.container,
      link: () => {
        const link = network.links.byName(child.name);
        return link?.mac === undefined ? undefined : { index: link.index, name: link.name, mac: link.mac };
      },
      route: { dhcpRouter: () => undefined },
      onScrape: () => () => undefined,
      store: noStore,
      store6: noStore,
    },
  );
  const keeper = new MacvlanKeeper(child, {
    ...parts,
    network,
    runDhcp: (signal) => supervisor.run(signal),
    backoffMaxMs: 60_000,
  });
  const watch = NetworkWatch.open(
    { namespace: lan.container, watched: ['links'] },
    () => keeper.kernelChanged(),
    () => undefined,
  );
  const ended = keeper.run(end.signal);
  const { recording } = parts;
  const count = (msg: string) => recording.messages().filter((each) => each === msg).length;
  return {
    network,
    recording,
    count,
    link: () => network.links.byName(child.name),
    said: (msg: string, times = 1) =>
      until(
        `${times} × ${msg}`,
        () => count(msg) >= times,
        () => JSON.stringify(recording.lines),
      ),
    async [Symbol.asyncDispose]() {
      end.abort();
      await ended;
      watch[Symbol.dispose]();
      network[Symbol.dispose]();
    },
  };
}

const leased = (lan: DhcpLan) =>
  until('an address', () =>
    addressesOf(lan.container, child.name, 4).some((each) => each.startsWith('10.99.0.1')),
  );

describe('the interface of our own making', () => {
  it('is made on its parent, gets a lease by its MAC alone, and is gone at the end with the lease given back', async () => {
    using lan = new DhcpLan();
    lan.plugIn(lan.container, child.parent, 'port1');
    const server = await lan.serve(pool);
    {
      await using kept = keep(lan);
      await kept.said('dhcp v4 lease acquired');
      expect(kept.link()).toMatchObject({ mac, up: true, kind: 'macvlan', macvlanMode: 'bridge' });
      expect(kept.recording.attrsOf('macvlan up')).toEqual([
        { iface: 'anchord-ext', parent: 'eth0.42', mac: '02:42:5e:00:53:07' },
      ]);
      // The last column is the client identifier: none was sent.
      expect(server.leases.at(-1)).toMatch(/02:42:5e:00:53:07 10\.99\.0\.1\d\d shop \*$/);
    }
    expect(ip(lan.container, 'link show')).not.toContain(child.name);
    await until('the lease given back', () => server.messages.includes('DHCPRELEASE'));
  });

  it('waits for its parent, says so, and is there as soon as that is', async () => {
    using lan = new DhcpLan();
    await using kept = keep(lan);
    await kept.said('ensure link failed, will retry');
    await kept.said('ensure link failed, will retry', 3);
    lan.plugIn(lan.container, child.parent, 'port1');
    await kept.said('macvlan up');
    // The pause had grown to four seconds: it was not waited for.
    expect(kept.count('ensure link failed, will retry')).toBe(3);
  });

  it('comes back with its lease when somebody deletes it, takes it down, or changes its MAC', async () => {
    using lan = new DhcpLan();
    lan.plugIn(lan.container, child.parent, 'port1');
    await lan.serve(pool);
    await using kept = keep(lan);
    await kept.said('dhcp v4 lease acquired');
    let lost = 0;
    for (const harm of [
      `link del ${child.name}`,
      `link set ${child.name} down`,
      `link set ${child.name} address 02:42:5e:00:53:99`,
    ]) {
      ip(lan.container, harm);
      lost += 1;
      await kept.said('macvlan child no longer usable, cancelling DHCP clients', lost);
      await kept.said('dhcp clients exited, retrying', lost);
      await kept.said('dhcp v4 lease acquired', lost + 1);
      await leased(lan);
      expect(kept.link()).toMatchObject({ mac, up: true, kind: 'macvlan', macvlanMode: 'bridge' });
    }
  });

  it('takes the place of another interface of that name', async () => {
    using lan = new DhcpLan();
    lan.plugIn(lan.container, child.parent, 'port1');
    ip(lan.container, `link add ${child.name} type bridge`);
    await using kept = keep(lan);
    await kept.said('macvlan up');
    expect(kept.link()).toMatchObject({ mac, up: true, kind: 'macvlan', macvlanMode: 'bridge' });
  });

  it('goes with its parent, and comes back with it', async () => {
    using lan = new DhcpLan();
    lan.plugIn(lan.container, child.parent, 'port1');
    await using kept = keep(lan);
    await kept.said('macvlan up');
    ip(lan.container, `link del ${child.parent}`);
    await kept.said('ensure link failed, will retry');
    lan.plugIn(lan.container, child.parent, 'port2');
    await kept.said('macvlan up', 2);
  });
});
