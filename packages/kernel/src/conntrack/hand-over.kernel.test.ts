import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { familyOf, type IpAddress, parseIp } from '../ip/index.ts';
import { type Netns, writeSysctl } from '../netns/index.ts';
import { connect } from '../testing/links.ts';
import { freshNamespace, ip, until } from '../testing/namespaces.ts';
import { loadRules } from '../testing/ruleset-file.ts';
import { type Peer, UdpSocket } from '../testing/udp-socket.ts';
import { Conntrack, ConntrackWatch, type Flow, type FlowChange } from './index.ts';

/** A client on the LAN, a router that redirects, and two backends behind it. */
let client: Netns;
let router: Netns;
let backends: readonly Netns[];

const clientPort = 40_000;
const lanPort = 53;
const backendPort = 5353;

interface Plan {
  readonly family: 'ip' | 'ip6';
  readonly lan: IpAddress;
  readonly client: IpAddress;
  readonly backends: readonly [IpAddress, IpAddress];
}

const plans: readonly Plan[] = [
  {
    family: 'ip',
    lan: parseIp('192.0.2.1'),
    client: parseIp('192.0.2.10'),
    backends: [parseIp('172.30.1.2'), parseIp('172.30.2.2')],
  },
  {
    family: 'ip6',
    lan: parseIp('2001:db8::1'),
    client: parseIp('2001:db8::10'),
    backends: [parseIp('fd00:1::2'), parseIp('fd00:2::2')],
  },
];

beforeEach(() => {
  client = freshNamespace('client');
  router = freshNamespace('router');
  backends = [freshNamespace('backend 1'), freshNamespace('backend 2')];
  // Links can speak IPv6 at once: the search for duplicates takes longer than what is measured here.
  for (const namespace of [client, router, ...backends])
    writeSysctl('ipv6/conf/default/accept_dad', 0, namespace);
  connect(router, 'lan', ['192.0.2.1/24', '2001:db8::1/64'], client, ['192.0.2.10/24', '2001:db8::10/64']);
  for (const [index, backend] of backends.entries()) {
    const number = index + 1;
    connect(router, `back${number}`, [`172.30.${number}.1/24`, `fd00:${number}::1/64`], backend, [
      `172.30.${number}.2/24`,
      `fd00:${number}::2/64`,
    ]);
    ip(backend, `route add default via 172.30.${number}.1`);
    ip(backend, `-6 route add default via fd00:${number}::1`);
  }
  writeSysctl('ipv4/ip_forward', 1, router);
  writeSysctl('ipv6/conf/all/forwarding', 1, router);
});
afterEach(() => {
  for (const namespace of [client, router, ...backends]) namespace[Symbol.dispose]();
});

function redirectTo({ family }: Plan, backend: IpAddress): void {
  const type = family === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
  loadRules(
    router,
    `table ${family} hand_over
     delete table ${family} hand_over
     table ${family} hand_over {
       map backends {
         type inet_service : ${type} . inet_service
         elements = { ${lanPort} : ${backend} . ${backendPort} }
       }
       chain prerouting {
         type nat hook prerouting priority dstnat
         iifname "lan" meta l4proto udp dnat ${family} to udp dport map @backends
       }
     }
    `,
  );
}

/** Backends that answer with their number and with the client that they saw; a client that asks every few milliseconds. */
function conversation(plan: Plan) {
  const answers: string[] = [];
  const strays: Peer[] = [];
  const servers = backends.map(
    (namespace, index) =>
      new UdpSocket(namespace, { address: plan.backends[index]!, port: backendPort }, (_, from, socket) =>
        socket.send(`${index + 1} to ${from.address} ${from.port}`, from),
      ),
  );
  const asking = new UdpSocket(client, { address: plan.client, port: clientPort }, (text, from) => {
    if (from.address === plan.lan && from.port === lanPort) answers.push(text);
    else strays.push(from);
  });
  const timer = setInterval(() => asking.send('who is there?', { address: plan.lan, port: lanPort }), 5);
  return {
    answers,
    /** Where answers came from that did not come from the LAN address. */
    strays,
    from: (number: number) => `${number} to ${plan.client} ${clientPort}`,
    [Symbol.dispose]() {
      clearInterval(timer);
      for (const socket of [asking, ...servers]) socket[Symbol.dispose]();
    },
  };
}

describe.each(plans)('an established $family flow', (plan) => {
  it('stays with its old backend when only the map changes, and moves once its tracking is deleted', async () => {
    const [old, wanted] = plan.backends;
    redirectTo(plan, old);
    using talk = conversation(plan);
    await until('answers of the old backend', () => talk.answers.length >= 5);
    expect(new Set(talk.answers)).toEqual(new Set([talk.from(1)]));

    redirectTo(plan, wanted);
    talk.answers.length = 0;
    await until('more answers after the change', () => talk.answers.length >= 20);
    expect(new Set(talk.answers)).toEqual(new Set([talk.from(1)]));

    using conntrack = Conntrack.open(router);
    expect(
      await Array.fromAsync(conntrack.pages({ family: familyOf(old), originalDestination: old })),
    ).toEqual([]);
    talk.answers.length = 0;
    expect(await conntrack.delete([{ replySource: old }])).toBe(1);
    await until('an answer of the new backend', () => talk.answers.includes(talk.from(2)));
    talk.answers.length = 0;
    // An answer that was on its way when its flow was forgotten passes as it is; later ones do not.
    talk.strays.length = 0;
    await until('more answers', () => talk.answers.length >= 5);
    expect(new Set(talk.answers)).toEqual(new Set([talk.from(2)]));
    expect(talk.strays).toEqual([]);
  });
});

describe('ConntrackWatch', () => {
  it('tells of flows that begin, change and end', async () => {
    const [plan] = plans;
    const heard: [FlowChange, Flow][] = [];
    using watch = ConntrackWatch.open(
      { namespace: router, changes: ['new', 'update', 'destroy'] },
      {
        flow: (change, flow) => heard.push([change, flow]),
        overrun: () => expect.unreachable('an overrun'),
        failed: (error) => expect.unreachable(String(error)),
      },
    );
    redirectTo(plan!, plan!.backends[0]);
    using conntrack = Conntrack.open(router);
    {
      using talk = conversation(plan!);
      await until('answers', () => talk.answers.length >= 2);
    }
    await conntrack.delete([{ replySource: plan!.backends[0] }]);
    await until('the end of the flow', () => heard.some(([change]) => change === 'destroy'));
    const udp = heard.filter(([, flow]) => flow.protocol === 'udp');
    expect(udp[0]).toMatchObject([
      'new',
      { destinationNat: true, original: { destination: plan!.lan }, reply: { source: plan!.backends[0] } },
    ]);
    expect(udp.some(([change, flow]) => change === 'update' && flow.seenReply)).toBe(true);
    expect(udp.at(-1)).toMatchObject(['destroy', { id: udp[0]![1].id }]);
    watch[Symbol.dispose]();
  });
});
