import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { everything, parseCidr, parseIp, parseMac } from '../ip/index.ts';
import type { Netns } from '../netns/index.ts';
import { freshNamespace, ip, until } from '../testing/namespaces.ts';
import { Network, type NetworkEvent, NetworkWatch, type NetworkWatchOptions, type Watched } from './index.ts';

const everythingWatched: readonly Watched[] = ['links', 'addresses', 'routes', 'neighbours', 'rules'];

let namespace: Netns;
let network: Network;
let link: number;

beforeEach(() => {
  namespace = freshNamespace('watch');
  ip(namespace, 'link add e0 type veth peer name e1');
  ip(namespace, 'link set e0 up');
  ip(namespace, 'link set e1 up');
  ip(namespace, 'addr add 10.0.0.2/24 dev e0');
  network = Network.open(namespace);
  link = network.links.byName('e0')!.index;
});
afterEach(() => {
  network[Symbol.dispose]();
  namespace[Symbol.dispose]();
});

function watch(options: Partial<NetworkWatchOptions> = {}) {
  const events: NetworkEvent[] = [];
  const failures: unknown[] = [];
  const handle = NetworkWatch.open(
    { namespace, watched: everythingWatched, ...options },
    (event) => events.push(event),
    (error) => failures.push(error),
  );
  const find = (wanted: object): NetworkEvent | undefined =>
    events.find((event) => {
      try {
        expect(event).toMatchObject(wanted);
        return true;
      } catch {
        return false;
      }
    });
  return { events, failures, handle, find, [Symbol.dispose]: () => handle[Symbol.dispose]() };
}

describe('NetworkWatch', () => {
  it('begins with the present state', () => {
    using watched = watch();
    expect(watched.events).toMatchObject([{ kind: 'resync', reason: 'start' }]);
    const [first] = watched.events;
    if (first?.kind !== 'resync') throw new Error('no snapshot');
    expect(first.snapshot.links.map(({ name }) => name)).toEqual(['lo', 'e1', 'e0']);
    expect(first.snapshot.addresses.map(({ address }) => address)).toContain('10.0.0.2');
    expect(first.snapshot.routes.map(({ destination }) => destination)).toContainEqual(
      parseCidr('10.0.0.0/24'),
    );
    expect(first.snapshot.rules).toHaveLength(5);
  });

  it('tells of links, addresses, routes, neighbours and rules that come and go', async () => {
    using watched = watch();
    ip(namespace, 'link add b0 type bridge');
    ip(namespace, 'addr add 10.9.0.1/24 dev e0');
    ip(namespace, 'route add default via 10.0.0.1');
    ip(namespace, 'neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev e0');
    ip(namespace, 'rule add priority 100 table 5000');
    await until('the last of them', () =>
      watched.find({ kind: 'rule', change: 'set', value: { priority: 100 } }),
    );
    expect(watched.find({ kind: 'link', change: 'set', value: { name: 'b0' } })).toBeDefined();
    expect(
      watched.find({ kind: 'address', change: 'set', value: { address: '10.9.0.1', link } }),
    ).toBeDefined();
    expect(
      watched.find({ kind: 'route', change: 'set', value: { gateway: '10.0.0.1', link } }),
    ).toBeDefined();
    expect(
      watched.find({ kind: 'neighbour', change: 'set', value: { mac: '02:00:00:00:00:07' } }),
    ).toBeDefined();
    ip(namespace, 'rule del priority 100');
    ip(namespace, 'neigh del 10.0.0.7 dev e0');
    ip(namespace, 'route del default');
    ip(namespace, 'addr del 10.9.0.1/24 dev e0');
    ip(namespace, 'link del b0');
    await until('the last of them', () =>
      watched.find({ kind: 'link', change: 'gone', value: { name: 'b0' } }),
    );
    expect(watched.find({ kind: 'address', change: 'gone', value: { address: '10.9.0.1' } })).toBeDefined();
    expect(watched.find({ kind: 'route', change: 'gone', value: { gateway: '10.0.0.1' } })).toBeDefined();
    expect(watched.find({ kind: 'rule', change: 'gone', value: { priority: 100 } })).toBeDefined();
    expect(watched.failures).toEqual([]);
  });

  it('does not take a link that leaves its bridge for one that is gone', async () => {
    ip(namespace, 'link add b0 type bridge');
    ip(namespace, 'link set e0 master b0');
    using watched = watch({ watched: ['links'] });
    ip(namespace, 'link set e0 nomaster');
    await until('e0 without a bridge', () =>
      watched.find({ kind: 'link', change: 'set', value: { name: 'e0', master: undefined } }),
    );
    expect(watched.find({ kind: 'link', change: 'gone' })).toBeUndefined();
  });

  it('says whose change it was', async () => {
    using watched = watch({ watched: ['routes', 'addresses'] });
    network.routes.add({ destination: everything(4), gateway: parseIp('10.0.0.1'), protocol: 201 });
    ip(namespace, 'route add 192.0.2.0/24 via 10.0.0.1');
    await until('both routes', () => watched.find({ value: { destination: parseCidr('192.0.2.0/24') } }));
    expect(watched.find({ value: { protocol: 201 } })).toMatchObject({ by: network.portId });
    const foreign = watched.find({ value: { destination: parseCidr('192.0.2.0/24') } });
    expect(foreign).not.toMatchObject({ by: network.portId });
  });

  it('tells of nothing but what is watched', async () => {
    using watched = watch({ watched: ['addresses'] });
    ip(namespace, 'link add b0 type bridge');
    ip(namespace, 'addr add 10.9.0.1/24 dev e0');
    await until('the address', () => watched.find({ kind: 'address' }));
    expect(new Set(watched.events.map(({ kind }) => kind))).toEqual(new Set(['resync', 'address']));
    expect(watched.events[0]).toMatchObject({ snapshot: { links: [], routes: [], rules: [] } });
  });

  it('reads everything afresh when events were lost, and goes on', async () => {
    using watched = watch({ watched: ['routes'], receiveBufferBytes: 2304 });
    const routes = Array.from({ length: 200 }, (_, index) => ({
      destination: parseCidr(`192.0.2.${index}/32`),
      link,
    }));
    for (const route of routes) network.routes.add(route);
    const lost = await until('a fresh state', () => watched.find({ kind: 'resync', reason: 'overrun' }));
    if (lost.kind !== 'resync') throw new Error('no snapshot');
    const known = new Set(lost.snapshot.routes.map(({ destination }) => destination.address));
    for (const { destination } of routes) expect(known).toContain(destination.address);
    network.routes.delete(routes[0]!);
    await until('an event after the loss', () =>
      watched.find({ kind: 'route', change: 'gone', value: { destination: routes[0]!.destination } }),
    );
    expect(watched.events.filter(({ kind }) => kind === 'resync')).toHaveLength(2);
    expect(watched.failures).toEqual([]);
  });

  it('ends with a reason when its listener throws, and frees everything', async () => {
    const before = readdirSync('/proc/self/fd').length;
    const failures: unknown[] = [];
    NetworkWatch.open(
      { namespace, watched: ['addresses'] },
      (event) => {
        if (event.kind === 'address') throw new Error('boom');
      },
      (error) => failures.push(error),
    );
    network.addresses.add({ ...parseCidr('10.9.0.1/24'), link });
    await until('the end', () => failures.length > 0);
    expect(failures).toEqual([new Error('boom')]);
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
  });

  it('leaves nothing open when it cannot begin', () => {
    const before = readdirSync('/proc/self/fd').length;
    expect(() =>
      NetworkWatch.open(
        { namespace, watched: ['links'] },
        () => {
          throw new Error('boom');
        },
        () => undefined,
      ),
    ).toThrow('boom');
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
  });

  it('hears of a change within milliseconds', async () => {
    using watched = watch({ watched: ['neighbours'] });
    // What this thread works meanwhile, not what the clock says: others run, too.
    const spentMs = (): number => {
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1000;
    };
    const latencies: number[] = [];
    for (let round = 0; round < 50; round += 1) {
      const address = parseIp(`10.0.0.${100 + round}`);
      const started = spentMs();
      network.neighbours.replace({ link, address, mac: parseMac('02:00:00:00:00:07') });
      while (watched.find({ value: { address } }) === undefined) {
        if (spentMs() - started > 1000) throw new Error('no event within a second of work');
        await new Promise((resolve) => setImmediate(resolve));
      }
      latencies.push(spentMs() - started);
    }
    latencies.sort((a, b) => a - b);
    expect(latencies[25]).toBeLessThan(10);
  });
});
