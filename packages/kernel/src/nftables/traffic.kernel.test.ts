import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type IpAddress, parseIp } from '../ip/index.ts';
import { type Netns, writeSysctl } from '../netns/index.ts';
import { connect } from '../testing/links.ts';
import { freshNamespace, ip, until } from '../testing/namespaces.ts';
import { type Peer, UdpSocket } from '../testing/udp-socket.ts';
import {
  accept,
  baseChain,
  chain,
  count,
  counter,
  decideBy,
  dnat,
  drop,
  entry,
  jump,
  lookUp,
  map,
  masquerade,
  match,
  matchNot,
  Nftables,
  priorities,
  rule,
  ruleset,
  type Table,
  table,
} from './index.ts';

/** A client on the LAN, a router with the project's address, and two backends behind it. */
let client: Netns;
let router: Netns;
let backends: readonly Netns[];
let nftables: Nftables;

interface Plan {
  readonly family: 'ip' | 'ip6';
  readonly type: 'ipv4_addr' | 'ipv6_addr';
  readonly lan: IpAddress;
  readonly client: IpAddress;
  readonly transit: readonly [IpAddress, IpAddress];
  readonly backends: readonly [IpAddress, IpAddress];
}

const plans: readonly Plan[] = [
  {
    family: 'ip',
    type: 'ipv4_addr',
    lan: parseIp('192.0.2.1'),
    client: parseIp('192.0.2.10'),
    transit: [parseIp('172.30.1.1'), parseIp('172.30.2.1')],
    backends: [parseIp('172.30.1.2'), parseIp('172.30.2.2')],
  },
  {
    family: 'ip6',
    type: 'ipv6_addr',
    lan: parseIp('2001:db8::1'),
    client: parseIp('2001:db8::10'),
    transit: [parseIp('fd00:1::1'), parseIp('fd00:2::1')],
    backends: [parseIp('fd00:1::2'), parseIp('fd00:2::2')],
  },
];

beforeEach(() => {
  client = freshNamespace('client');
  router = freshNamespace('router');
  backends = [freshNamespace('backend 1'), freshNamespace('backend 2')];
  // Links can speak IPv6 at once, instead of looking for duplicates first.
  for (const namespace of [client, router, ...backends])
    writeSysctl('ipv6/conf/default/accept_dad', 0, namespace);
  connect(router, 'lan', ['192.0.2.1/24', '2001:db8::1/64'], client, ['192.0.2.10/24', '2001:db8::10/64']);
  for (const [index, backend] of backends.entries()) {
    const [v4, v6] = [`172.30.${index + 1}`, `fd00:${index + 1}::`];
    connect(router, `back${index + 1}`, [`${v4}.1/24`, `${v6}1/64`], backend, [`${v4}.2/24`, `${v6}2/64`]);
    routeBy(backend, `${v4}.1`, `${v6}1`);
  }
  // A LAN whose hosts know the way inside: they are kept out by rules, not by ignorance.
  routeBy(client, '192.0.2.1', '2001:db8::1');
  writeSysctl('ipv4/ip_forward', 1, router);
  writeSysctl('ipv6/conf/all/forwarding', 1, router);
  nftables = Nftables.open({ namespace: router });
});
afterEach(() => {
  nftables[Symbol.dispose]();
  for (const namespace of [client, router, ...backends]) namespace[Symbol.dispose]();
});

function routeBy(namespace: Netns, v4: string, v6: string): void {
  ip(namespace, `route add default via ${v4}`);
  ip(namespace, `-6 route add default via ${v6}`);
}

const backendPort = 8080;

/** Backends that answer with their number and with whom they see. */
function udpServers({ backends: addresses }: Plan): Disposable {
  const sockets = backends.map(
    (namespace, index) =>
      new UdpSocket(
        namespace,
        { address: addresses[index]!, port: backendPort },
        (_, { address, port }, socket) =>
          socket.send(`backend ${index + 1} sees ${address} ${port}`, { address, port }),
      ),
  );
  return { [Symbol.dispose]: () => sockets.forEach((socket) => void socket[Symbol.dispose]()) };
}

/** What comes back to a client that asks until it is answered. */
async function askUdp(namespace: Netns, from: Peer, to: Peer): Promise<string> {
  const answers: string[] = [];
  using socket = new UdpSocket(namespace, from, (text, { address, port }) => {
    if (address === to.address && port === to.port) answers.push(text);
  });
  const ask = (): void => socket.send('who is there?', to);
  ask();
  const timer = setInterval(ask, 200);
  try {
    return await until(`an answer from ${to.address} ${to.port}`, () => answers[0]);
  } finally {
    clearInterval(timer);
  }
}

/** The pipe breaks when this process is killed. */
const endWithOwner = 'process.stdin.on("end", () => process.exit()).resume().unref();';

function runNode(namespace: Netns, script: string, ...args: readonly string[]): ChildProcess {
  return namespace.run(() =>
    spawn(process.execPath, ['-e', `${endWithOwner}${script}`, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  return until('a line of a child process', () => text.includes('\n') && text.trim());
}

const tcpServer = `
  const [number, host, port] = process.argv.slice(1);
  require('node:net')
    .createServer((socket) => socket.end('backend ' + number + ' sees ' + socket.remoteAddress))
    .listen(Number(port), host, () => console.log('ready'));`;
const tcpClient = `
  const [host, port] = process.argv.slice(1);
  require('node:net').connect(Number(port), host).setEncoding('utf8').on('data', (text) => console.log(text));`;

async function askTcp(namespace: Netns, to: Peer): Promise<string> {
  const child = runNode(namespace, tcpClient, to.address, `${to.port}`);
  const exited = once(child, 'exit');
  const line = await firstLine(child);
  await exited;
  return line;
}

const local = match('fib daddr type', 'local');

/** As the product does it: to the backend by a map, out by masquerade, back in by masquerade. */
function dataPath({ family, type, backends: [first, second] }: Plan): Table {
  const ports = [entry(53, [first, backendPort]), entry(54, [second, backendPort])];
  return table(family, 'data_path', {
    sets: [
      map('tcp', { key: 'inet_service', data: [type, 'inet_service'] }, ports),
      map('udp', { key: 'inet_service', data: [type, 'inet_service'], counted: true }, ports),
    ],
    chains: [
      baseChain('prerouting', { type: 'nat', hook: 'prerouting', priority: priorities.dstnat }, [
        rule(local, dnat(lookUp('tcp dport', 'tcp'), { family })),
        rule(local, dnat(lookUp('udp dport', 'udp'), { family })),
      ]),
      baseChain('postrouting', { type: 'nat', hook: 'postrouting', priority: priorities.srcnat }, [
        rule(matchNot('iifname', 'lan'), match('ct status', 'dnat'), masquerade()),
        rule(match('oifname', 'lan'), masquerade()),
      ]),
    ],
  });
}

const apply = (...tables: readonly Table[]): void => void nftables.reconcile(ruleset('traffic', ...tables));
const reading = (): Table => nftables.read('traffic').ruleset.tables[0]!;

describe.each(plans)('$family traffic', (plan) => {
  const asker = { address: plan.client, port: 40_000 };

  it('reaches the backend that the map names, by UDP, from its real source', async () => {
    apply(dataPath(plan));
    using _ = udpServers(plan);
    expect(await askUdp(client, asker, { address: plan.lan, port: 53 })).toBe(
      `backend 1 sees ${plan.client} 40000`,
    );
    expect(await askUdp(client, asker, { address: plan.lan, port: 54 })).toBe(
      `backend 2 sees ${plan.client} 40000`,
    );
    const [, udp] = reading().sets;
    const counted = udp?.elements.filter(({ tally }) => (tally?.packets ?? 0) > 0);
    expect(counted?.map(({ key }) => key[0]).sort()).toEqual([53, 54]);
  });

  it('reaches the backend that the map names, by TCP, from its real source', async () => {
    apply(dataPath(plan));
    const servers = backends.map((namespace, index) =>
      runNode(namespace, tcpServer, `${index + 1}`, plan.backends[index]!, `${backendPort}`),
    );
    const exits = servers.map((server) => once(server, 'exit'));
    try {
      await Promise.all(servers.map(firstLine));
      expect(await askTcp(client, { address: plan.lan, port: 53 })).toBe(`backend 1 sees ${plan.client}`);
      expect(await askTcp(client, { address: plan.lan, port: 54 })).toBe(`backend 2 sees ${plan.client}`);
    } finally {
      for (const server of servers) server.kill('SIGKILL');
      await Promise.all(exits);
    }
  });

  it('leaves for the LAN under the address of the LAN', async () => {
    apply(dataPath(plan));
    using _ = new UdpSocket(client, { address: plan.client, port: 7 }, (_text, from, socket) =>
      socket.send(`the client sees ${from.address}`, from),
    );
    const [backend] = plan.backends;
    expect(
      await askUdp(backends[0]!, { address: backend, port: 40_000 }, { address: plan.client, port: 7 }),
    ).toBe(`the client sees ${plan.lan}`);
  });

  it('comes back in from a neighbour of the backend, under the address of the way there', async () => {
    apply(dataPath(plan));
    using _ = udpServers(plan);
    const [, second] = plan.backends;
    const [transit] = plan.transit;
    expect(
      await askUdp(backends[1]!, { address: second, port: 40_000 }, { address: plan.lan, port: 53 }),
    ).toMatch(`backend 1 sees ${transit} `);
  });

  it('goes by a map of chains, each with its counter', async () => {
    const [first, second] = plan.backends;
    apply(
      table(plan.family, 'by_chain', {
        counters: [counter('mail')],
        sets: [
          map('chains', { key: 'inet_service', data: 'verdict' }, [
            entry(53, jump('one')),
            entry(54, jump('other')),
          ]),
        ],
        chains: [
          chain('one', [
            rule(match('meta l4proto', 'udp'), count('mail'), dnat({ address: first, port: backendPort })),
          ]),
          chain('other', [
            rule(match('meta l4proto', 'udp'), count(), dnat({ address: second, port: backendPort })),
          ]),
          baseChain('prerouting', { type: 'nat', hook: 'prerouting', priority: priorities.dstnat }, [
            rule(match('iifname', 'lan'), decideBy('udp dport', 'chains')),
          ]),
        ],
      }),
    );
    using _ = udpServers(plan);
    expect(await askUdp(client, asker, { address: plan.lan, port: 53 })).toMatch(/^backend 1/);
    expect(await askUdp(client, asker, { address: plan.lan, port: 54 })).toMatch(/^backend 2/);
    const { counters, chains } = reading();
    expect(counters[0]?.tally?.packets).toBeGreaterThan(0);
    const other = chains.find(({ name }) => name === 'other');
    expect(other?.rules[0]?.statements[1]).toHaveProperty('tally.packets');
  });

  it('is kept from going straight to a backend by the forward filter, and let through when it was translated', async () => {
    apply(
      dataPath(plan),
      table(plan.family, 'guard', {
        counters: [counter('refused')],
        chains: [
          baseChain('forward', { type: 'filter', hook: 'forward', priority: priorities.filter }, [
            rule(match('ct status', 'dnat'), accept),
            rule(match('iifname', 'lan'), count('refused'), drop),
          ]),
        ],
      }),
    );
    using _ = udpServers(plan);
    const strays: string[] = [];
    const [backend] = plan.backends;
    using straight = new UdpSocket(client, { address: plan.client, port: 40_001 }, (text) =>
      strays.push(text),
    );
    await until('a refused packet', () => {
      straight.send('past the door', { address: backend, port: backendPort });
      const guard = nftables.read('traffic').ruleset.tables.find(({ name }) => name === 'guard');
      return (guard?.counters[0]?.tally?.packets ?? 0) > 0;
    });
    expect(await askUdp(client, asker, { address: plan.lan, port: 53 })).toBe(
      `backend 1 sees ${plan.client} 40000`,
    );
    expect(strays).toEqual([]);
  });
});
