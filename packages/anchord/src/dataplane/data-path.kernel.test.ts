import { Conntrack } from '@berth/kernel/conntrack';
import { parseIp, parseIpv4, parseIpv6 } from '@berth/kernel/ip';
import { Nftables } from '@berth/kernel/nftables';
import { inside, until } from '@berth/kernel/testing';
import { Scope } from '@berth/service';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Backend } from '../discovery/index.ts';
import { type ExposedPort, parseExposeLabels } from '../labels.ts';
import { DataPath, type Family, lan, lanAddress, transit, transitAddress } from '../testing/data-path.ts';
import { testParts } from '../testing/program.ts';
import { Dataplane } from './dataplane.ts';
import { Reconciler } from './reconciler.ts';
import type { DataplaneShape } from './ruleset.ts';
import { watchRulesets } from './watch-rulesets.ts';

let path: DataPath;
beforeAll(async () => {
  path = await DataPath.make();
});
afterAll(async () => {
  await path[Symbol.asyncDispose]();
});

let scope: Scope;
let parts: ReturnType<typeof testParts>;
let dataplane: Dataplane;
let reconciler: Reconciler;

const shape: DataplaneShape = {
  externalInterface: 'ext0',
  guard: { v4: 'local-address', v6: 'local-address' },
  forwardFilter: { kind: 'external' },
  hairpin: 'by-interface',
};

const anchor = (changes: Partial<DataplaneShape> = {}) => {
  const namespace = path.at('anchor');
  dataplane = new Dataplane(scope.own(Nftables.open({ namespace })), { ...shape, ...changes });
  scope.defer(() => dataplane.remove());
  dataplane.install();
  reconciler = new Reconciler({
    ...parts,
    dataplane,
    conntrack: scope.own(Conntrack.open(namespace)),
    ownAddresses: () => ([4, 6] as const).map((family) => parseIp(lanAddress(family, lan.anchor))),
    onReconciled: () => undefined,
  });
  watchRulesets(scope, parts, () => reconciler.verify(), namespace);
  scope.spawn('reconciler', (signal) => reconciler.run(signal));
};

beforeEach(() => {
  scope = new Scope('test', (error) => {
    throw error;
  });
  parts = testParts();
  inside(path.at('anchor'), 'conntrack', '-F');
});
afterEach(async () => {
  await scope.close();
});

const portsOf = (expose: string): readonly ExposedPort[] => {
  const labels = parseExposeLabels({ 'anchord.expose': expose });
  return labels.kind === 'exposed' ? labels.ports : [];
};

const backend = (name: 'one' | 'two', expose: string): Backend => ({
  id: name,
  name,
  createdAtMs: 0,
  ipv4: parseIpv4(transitAddress(4, transit[name])),
  ipv6: parseIpv6(transitAddress(6, transit[name])),
  ports: portsOf(expose),
});

const serve = async (...backends: readonly Backend[]) => {
  const before = handedOver();
  reconciler.want(backends);
  await until('the next state in the kernel', () => handedOver() > before);
};

/** How often a state was brought to the kernel, with the flows of the one before forgotten. */
const handedOver = (): number =>
  Number(/reconcile_duration_seconds_count (\d+)/.exec(parts.registry.expose())?.[1] ?? 0);

const bothFamilies = describe.each([4, 6] as const);
const external = (family: Family) => lanAddress(family, lan.anchor);

bothFamilies('data path, IPv%i', (family) => {
  it('leads an exposed port to its backend, which sees the real address of the client', async () => {
    anchor();
    await serve(backend('one', 'tcp/25,udp/53'));
    expect(await path.greet('client', external(family), 25)).toMatchObject({
      source: lanAddress(family, lan.client),
      port: 25,
    });
    await using flow = await path.udp('client', external(family), 53);
    expect(await flow.greet()).toMatchObject({ source: lanAddress(family, lan.client), port: 53 });
  });

  it('translates ports in both protocols, with data in both directions', async () => {
    anchor();
    await serve(backend('one', 'tcp/636:6636,udp/53:5353'));
    expect(await path.greet('client', external(family), 636)).toMatchObject({ port: 6636 });
    await using flow = await path.udp('client', external(family), 53);
    expect(await flow.greet()).toMatchObject({ port: 5353 });
    const socket = await path.sockets('client').tcp({ host: external(family), port: 636 });
    socket.write('and back\n');
    await until('the echo', () => {
      const chunk: unknown = socket.read();
      return chunk !== null && String(chunk).includes('and back');
    });
    socket.destroy();
  });

  it('lets a sibling in by the external address, with our inner address as its source', async () => {
    anchor();
    await serve(backend('one', 'tcp/25'));
    expect(await path.greet('sibling', external(family), 25)).toMatchObject({
      source: transitAddress(family, transit.anchor),
    });
  });

  it('does the same for kernels that forget the input interface', async () => {
    anchor({ hairpin: 'by-mark' });
    await serve(backend('one', 'tcp/25'));
    expect(await path.greet('sibling', external(family), 25)).toMatchObject({
      source: transitAddress(family, transit.anchor),
    });
    expect(await path.greet('client', external(family), 25)).toMatchObject({
      source: lanAddress(family, lan.client),
    });
  });

  it('leads by the interface where the kernel can not tell our addresses', async () => {
    anchor({ guard: { v4: 'external-interface', v6: 'external-interface' } });
    await serve(backend('one', 'tcp/25'));
    expect(await path.greet('client', external(family), 25)).toMatchObject({
      source: lanAddress(family, lan.client),
    });
  });

  it('lets backends out with the external address', async () => {
    anchor();
    await serve();
    expect(await path.greet('one', lanAddress(family, lan.client), 80)).toMatchObject({
      source: external(family),
    });
  });

  it('keeps a client from reaching past the exposed ports by routing', async () => {
    anchor();
    await serve(backend('one', 'tcp/25'));
    await throughUs(family, async (target) => {
      await expect(path.greet('client', target, 25, 300)).rejects.toThrow();
    });
  });

  it('lets inner interfaces out, and keeps all others to the exposed ports, whichever these are', async () => {
    anchor({ forwardFilter: { kind: 'inner', interfaces: ['inner0'] } });
    await serve(backend('one', 'tcp/25'));
    expect(await path.greet('client', external(family), 25)).toMatchObject({
      source: lanAddress(family, lan.client),
    });
    expect(await path.greet('one', lanAddress(family, lan.client), 80)).toMatchObject({
      source: external(family),
    });
    await throughUs(family, async (target) => {
      await expect(path.greet('client', target, 25, 300)).rejects.toThrow();
    });
  });

  it('follows interfaces that become inner and stop being so, and keeps the ports as they are', async () => {
    anchor({ forwardFilter: { kind: 'inner', interfaces: [] } });
    await serve(backend('one', 'tcp/25'));
    const away = lanAddress(family, lan.client);
    const filter = () =>
      inside(path.at('anchor'), 'nft', 'list', 'chain', 'ip', 'anchord_v4', 'forward').match(/iifname.*/g);
    const passes = async (...interfaces: readonly string[]) => {
      expect(dataplane.reshape({ forwardFilter: { kind: 'inner', interfaces } })).toBe(true);
      reconciler.verify();
      await until('the filter', () => (filter()?.length ?? 0) === interfaces.length);
      expect(await path.greet('client', external(family), 25)).toMatchObject({ port: 25 });
    };
    await expect(path.greet('one', away, 80, 300)).rejects.toThrow();
    await passes('inner0');
    expect(await path.greet('one', away, 80)).toMatchObject({ source: external(family) });
    await passes();
    await expect(path.greet('one', away, 80, 300)).rejects.toThrow();
    expect(parts.recording.messages('warn')).toEqual([]);
  });

  it('lets it pass when the filter is switched off', async () => {
    anchor({ forwardFilter: { kind: 'off' } });
    await serve(backend('one', 'tcp/25'));
    await throughUs(family, async (target) => {
      expect(await path.greet('client', target, 25)).toMatchObject({ port: 25 });
    });
  });

  it('moves an established flow of datagrams to the backend that has the port now', async () => {
    anchor();
    await serve(backend('one', 'udp/53'));
    await using flow = await path.udp('client', external(family), 53);
    expect(await flow.greet()).toMatchObject({ port: 53 });
    const before = await sourcePortSeenBy('one', family);
    await serve(backend('two', 'udp/53'));
    expect(await flow.greet()).toMatchObject({ port: 53 });
    expect(await sourcePortSeenBy('two', family)).toBe(before);
    expect(parts.metrics.conntrackFlushes.value({ family: `v${family}` })).toBe(1);
  });

  it('takes in a flow of datagrams that began before anybody served the port', async () => {
    anchor();
    await serve();
    await using flow = await path.udp('client', external(family), 53);
    flow.send();
    const prefix = family === 4 ? '-f ipv4' : '-f ipv6';
    await until('a flow to ourselves', () =>
      inside(path.at('anchor'), 'conntrack', ...prefix.split(' '), '-L').includes('dport=53'),
    );
    await serve(backend('one', 'udp/53'));
    expect(await flow.greet()).toMatchObject({ port: 53 });
  });

  it('ends a connection to a backend that lost the port, and leaves those to its other ports alone', async () => {
    anchor();
    await serve(backend('one', 'tcp/25,tcp/636:6636'));
    const moved = await path.sockets('client').tcp({ host: external(family), port: 25 });
    const kept = await path.sockets('client').tcp({ host: external(family), port: 636 });
    const ended = new Promise((resolve) => {
      moved.on('error', resolve);
      moved.on('close', resolve);
    });
    moved.resume();
    await serve(backend('one', 'tcp/636:6636'), backend('two', 'tcp/25'));
    moved.write('still there?\n');
    await ended;
    kept.write('still here\n');
    await until('the echo', () => {
      const chunk: unknown = kept.read();
      return chunk !== null && String(chunk).includes('still here');
    });
    kept.destroy();
    moved.destroy();
  });
});

/** With a route to the inner network, through us: what `act` is given stands there. */
async function throughUs(family: Family, act: (target: string) => Promise<void>): Promise<void> {
  const prefix = family === 4 ? '172.30.0.0/24' : 'fd30::/64';
  path.ip('client', `-${family} route add ${prefix} via ${external(family)}`);
  try {
    await act(transitAddress(family, transit.two));
  } finally {
    path.ip('client', `-${family} route del ${prefix}`);
  }
}

/** The tracked flow to this backend, by the source port of the client. */
async function sourcePortSeenBy(name: 'one' | 'two', family: Family): Promise<string | undefined> {
  const flows = inside(path.at('anchor'), 'conntrack', '-f', `ipv${family}`, '-L', '-p', 'udp');
  const line = flows
    .split('\n')
    .find((flow) => flow.includes(`src=${transitAddress(family, transit[name])} `));
  return /sport=(\d+)/.exec(line ?? '')?.[1];
}

describe('data plane under change', () => {
  it('writes nothing when nothing changed', async () => {
    anchor();
    await serve(backend('one', 'tcp/25'));
    using nftables = Nftables.open({ namespace: path.at('anchor') });
    const generation = nftables.generation();
    await serve(backend('one', 'tcp/25'));
    reconciler.verify();
    await serve({ ...backend('one', 'tcp/25'), id: 'another container', name: 'same address' });
    expect(nftables.generation()).toBe(generation);
    expect(parts.recording.attrsOf('reconciled')).toHaveLength(1);
    expect(parts.metrics.reconciles.value({ result: 'ok' })).toBe(3);
  });

  it('puts its tables back when another program flushes them, and says so', async () => {
    anchor();
    await serve(backend('one', 'tcp/25'));
    inside(path.at('anchor'), 'nft', 'flush', 'ruleset');
    await until('the repair', () => parts.metrics.tableRepairs.value() === 1);
    expect(await path.greet('client', external(4), 25)).toMatchObject({ port: 25 });
    expect(parts.recording.messages('warn')).toEqual(['tables were changed by another program; repaired']);
  });

  it('puts a single element back that somebody took out', async () => {
    anchor();
    await serve(backend('one', 'tcp/25'));
    inside(path.at('anchor'), 'nft', 'delete', 'element', 'ip', 'anchord_v4', 'dnat_tcp', '{ 25 }');
    await until('the element', () =>
      inside(path.at('anchor'), 'nft', 'list', 'map', 'ip', 'anchord_v4', 'dnat_tcp').includes(
        '25 : 172.30.0.5',
      ),
    );
  });

  it('leaves the tables of others alone, at the start, at a repair, and at the end', async () => {
    inside(path.at('anchor'), 'nft', 'add', 'table', 'ip', 'somebody-else');
    anchor();
    await serve(backend('one', 'tcp/25'));
    await scope.close();
    const tables = inside(path.at('anchor'), 'nft', 'list', 'tables').trim();
    inside(path.at('anchor'), 'nft', 'delete', 'table', 'ip', 'somebody-else');
    expect(tables).toBe('table ip somebody-else');
  });

  it('replaces what an earlier process left under our names, in whatever family', async () => {
    for (const table of ['ip anchord_v4', 'ip6 anchord_v4', 'ip anchord_v6']) {
      inside(path.at('anchor'), 'nft', 'add', 'table', ...table.split(' '));
    }
    anchor();
    expect(inside(path.at('anchor'), 'nft', 'list', 'tables').trim().split('\n')).toEqual([
      'table ip anchord_v4',
      'table ip6 anchord_v6',
    ]);
  });

  it('never shows a half of a change: each look finds all old or all new addresses', async () => {
    anchor();
    const ports = Array.from({ length: 200 }, (_, index) => `tcp/${1000 + index}`).join(',');
    const looks: Promise<void>[] = [];
    let stop = false;
    let seen = 0;
    const look = async () => {
      while (!stop) {
        await new Promise((resolve) => setImmediate(resolve));
        const map = inside(path.at('anchor'), 'nft', 'list', 'map', 'ip', 'anchord_v4', 'dnat_tcp');
        const targets = new Set(map.match(/172\.30\.0\.\d+/g));
        expect(targets.size).toBeLessThanOrEqual(1);
        seen += 1;
      }
    };
    looks.push(look());
    for (let flip = 0; flip < 40; flip++) await serve(backend(flip % 2 === 0 ? 'one' : 'two', ports));
    stop = true;
    await Promise.all(looks);
    expect(seen).toBeGreaterThan(5);
  });

  it('leads the ports of a thousand backends, all in one transaction, and only the one that changes after that', async () => {
    anchor();
    const many = (salt: number): Backend[] =>
      Array.from({ length: 1_000 }, (_, index) => ({
        id: `c${index}`,
        name: `backend-${index}`,
        createdAtMs: 0,
        ipv4: parseIpv4(`172.30.${1 + (index >> 8)}.${index & 255}`),
        ipv6: parseIpv6(`fd30::1:${(index + 1).toString(16)}`),
        ports: portsOf(`tcp/${1_000 + index + salt},udp/${1_000 + index}:${2_000 + index}`),
      }));
    await serve(...many(0));
    const list = (what: string) => inside(path.at('anchor'), 'nft', ...what.split(' '));
    expect(list('list map ip anchord_v4 dnat_tcp').match(/\d : 172/g)).toHaveLength(1_000);
    expect(list('list chain ip6 anchord_v6 dnat_xlat_udp').match(/dnat to/g)).toHaveLength(1_000);
    const [last, ...others] = many(0).reverse();
    await serve(...others, { ...last!, ports: portsOf('tcp/9') });
    expect(list('list map ip anchord_v4 dnat_tcp')).toMatch(/\b9 : 172\.30\.4\.231\b/);
    expect(list('list chain ip6 anchord_v6 dnat_xlat_udp').match(/dnat to/g)).toHaveLength(999);
    expect(parts.problems.list()).toEqual([]);
  });

  it('tells of a port that two backends want, keeps it with the one that has it, and hands it on', async () => {
    anchor();
    await serve(backend('two', 'tcp/25'));
    await serve(backend('one', 'tcp/25'), backend('two', 'tcp/25'));
    expect(parts.recording.attrsOf('port conflict')).toEqual([
      { key: 'v4/tcp/25', holder: 'two', refused: ['one'] },
      { key: 'v6/tcp/25', holder: 'two', refused: ['one'] },
    ]);
    await serve(backend('one', 'tcp/25'), backend('two', 'tcp/25'));
    expect(parts.recording.attrsOf('port conflict')).toHaveLength(2);
    expect(dataplane.entries.get('v4/tcp/25')?.backend.name).toBe('two');
    await serve(backend('one', 'tcp/25'));
    expect(dataplane.entries.get('v4/tcp/25')?.backend.name).toBe('one');
    expect(parts.recording.attrsOf('port conflict solved')).toHaveLength(2);
    expect(parts.problems.list()).toEqual([]);
  });
});
