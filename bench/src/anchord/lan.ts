/**
 * A client on the LAN and a service: bytes and new connections a second, through anchord, beside a container that stands on
 * the LAN itself (macvlan) and one behind Docker's `ports:` on a network as Compose makes it (userland proxy and bridge
 * filter as Docker ships them; for clients from outside that is iptables). They take turns, so that what else the machine
 * does strikes them alike.
 * Client, path and server share the machine's cores: the shortest path is the limit, and it is never a real network's.
 */
import { ensureImage, load, waitFor } from '@berth/lab';
import type { BenchCase, BenchContext, Row } from '../harness/bench-case.ts';
import { median } from '../harness/measure.ts';
import type { Stand } from '../lab/stand.ts';

const LIMIT = 'limit: macvlan';
const webServer = `worker_processes 1;
daemon off;
error_log stderr crit;
pid /tmp/nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
  server {
    listen 80 backlog=4096;
    location / { return 200 "ok\\n"; }
  }
}
`;

interface Variant {
  readonly by: string;
  readonly host: string;
}

export const lan: BenchCase = {
  name: 'lan',
  about: 'A client on the LAN and a service: bytes and new connections, by several ways.',
  unit: 'Gbit/s; connections/s; of macvlan: median of the rounds',
  needsRoot: true,
  async run(context) {
    const stand = await context.stand();
    await ensureImage(stand.host, load(), context.say);
    const variants = await startServers(stand);
    const generator = stand.host.path(`/proc/${await stand.pidOf('macvlan')}/root`);
    const client = stand.lab.client('client1');
    const run = (...argv: readonly string[]) => client.must(['chroot', generator, ...argv]);
    // A client that keeps its closed connections soon searches all its ports for one that is free, at each new connection: it
    // would be all that is measured.
    const forgetful = ['net.ipv4.tcp_max_tw_buckets=0', 'net.ipv4.ip_local_port_range=1024 65535'];
    await client.must(['sysctl', '-qw', ...forgetful]);
    const seconds = context.quick ? '1' : '2';
    const bytes = async ({ host }: Variant, ...options: readonly string[]): Promise<number> => {
      const report = await run('iperf3', '--json', '--time', seconds, ...options, '--client', host);
      return (JSON.parse(report) as IperfReport).end.sum_received.bits_per_second / 1e9;
    };
    return [
      ...(await rounds(context, 'throughput, one flow', variants, (variant) => bytes(variant))),
      // What a usual LAN can carry: the way shall not be what is narrow.
      ...(await rounds(context, 'asked for 1 Gbit/s', variants, (variant) =>
        bytes(variant, '--bitrate', '1G'),
      )),
      ...(await rounds(context, 'new connections', variants, async ({ host }) => {
        const header = ['--header', 'Connection: close'];
        const report = await run('wrk', '-t1', '-c16', `-d${seconds}s`, ...header, `http://${host}:80/`);
        const perSecond = /Requests\/sec:\s+([\d.]+)/.exec(report)?.[1];
        if (perSecond === undefined || /Socket errors: connect [1-9]/.test(report)) throw new Error(report);
        return Number(perSecond);
      })),
    ];
  },
};

interface IperfReport {
  readonly end: { readonly sum_received: { readonly bits_per_second: number } };
}

const composeNetwork = 'bench_default';

const serve = [
  'sh',
  '-c',
  'echo "$CONFIG" >/tmp/nginx.conf; iperf3 --server --daemon; exec nginx -c /tmp/nginx.conf',
];

/** The same image: in the network of a service-anchor, on the LAN, behind a router, behind published ports. */
async function startServers(stand: Stand): Promise<readonly Variant[]> {
  await stand.networkAnchor(40);
  await stand.logged('anchord', 'reconciled');
  await stand.serviceAnchor('service-anchor', 'tcp/80,tcp/5201');
  await stand.logged('service-anchor', 'default route updated');
  const run = (name: string, ...options: readonly string[]) =>
    stand.run({
      name,
      image: load().tag,
      options: [...options, '--env', `CONFIG=${webServer}`],
      command: serve,
    });
  await run('service', '--network', 'container:service-anchor');
  await run('macvlan', '--network', stand.lanNetwork, '--ip', stand.lanAddress(41));
  // Compose gives each project a network of its own, and with it the name service that makes the kernel track all that comes in.
  await stand.host.docker('network', 'create', composeNetwork);
  await run('ports', '--network', composeNetwork, '--publish', '80:80', '--publish', '5201:5201');
  const variants = [
    { by: 'berth', host: stand.lanAddress(40) },
    { by: LIMIT, host: stand.lanAddress(41) },
    { by: 'limit: a router without rules', host: await behindRouter(stand, run) },
    { by: 'docker ports:', host: stand.host.addresses.v4 },
  ];
  await using client = stand.lab.client('client1');
  for (const { by, host } of variants) {
    for (const port of [80, 5201]) {
      const open = async () => {
        const socket = await client.sockets.tcp({ host, port, timeoutMs: 500 }).catch(() => undefined);
        return socket?.destroy() !== undefined;
      };
      await waitFor(`port ${port} of ${by}`, open, { timeoutMs: 20_000 });
    }
  }
  return variants;
}

/** The way that packets take through an anchor, and nothing done to them on it: no tracking, no translation, no filter. */
async function behindRouter(
  stand: Stand,
  run: (name: string, ...options: readonly string[]) => Promise<string>,
): Promise<string> {
  const { host, lab, lanNetwork, transit } = stand;
  const options = [
    '--sysctl',
    'net.ipv4.ip_forward=1',
    '--network',
    lanNetwork,
    '--ip',
    stand.lanAddress(42),
  ];
  await stand.run({ name: 'router', image: 'berth-lab/busybox', options });
  await host.docker('network', 'connect', transit, 'router');
  const pid = Number(
    await host.docker('inspect', '--format', '{{.State.Pid}}', await run('routed', '--network', transit)),
  );
  const inner = await stand.transitAddress('router');
  await host.must(['nsenter', `--target=${pid}`, '--net', 'ip', 'route', 'replace', 'default', 'via', inner]);
  await lab.client('client1').must(['ip', 'route', 'replace', '172.29.0.0/16', 'via', stand.lanAddress(42)]);
  return await stand.transitAddress('routed');
}

async function rounds(
  { quick, say }: BenchContext,
  work: string,
  variants: readonly Variant[],
  measure: (variant: Variant) => Promise<number>,
): Promise<readonly Row[]> {
  const samples = new Map<string, number[]>(variants.map(({ by }) => [by, []]));
  for (let round = 0; round < (quick ? 2 : 8); round++) {
    say(`${work}, round ${round + 1}`);
    // Who goes first changes, too.
    const order = [...variants.slice(round % variants.length), ...variants.slice(0, round % variants.length)];
    for (const variant of order) samples.get(variant.by)?.push(await measure(variant));
  }
  const limit = samples.get(LIMIT) ?? [];
  return [...samples].map(([by, values]) => ({
    work,
    by,
    figures: {
      median: median(values),
      'of macvlan': median(values.map((value, index) => value / (limit[index] ?? Number.NaN))),
      rounds: values.length,
    },
  }));
}
