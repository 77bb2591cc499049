/**
 * Somebody takes a route or the tables of a running anchor away: from the call that does it to what is there again.
 * Beside it the least that could be done about a route: a program that reads `ip monitor` and puts it back.
 */
import { once } from 'node:events';
import { formatCidr, parseCidr, parseIp } from '@berth/kernel/ip';
import { Netns } from '@berth/kernel/netns';
import { MAIN_TABLE, Network, NetworkWatch, type Route } from '@berth/kernel/network';
import { Nftables } from '@berth/kernel/nftables';
import { waitFor } from '@berth/lab';
import { type Scope, sleep, systemClock } from '@berth/service';
import { Arrivals } from '../harness/arrivals.ts';
import { type BenchCase, type BenchContext, type Row, timingRow } from '../harness/bench-case.ts';
import { timingOf } from '../harness/measure.ts';
import { startInside } from '../kernel/inside.ts';
import { GATEWAYS, withLink } from '../kernel/route-replace.ts';
import type { Stand } from '../lab/stand.ts';
import { rulesetChanges } from './kernel-map.ts';

/** Anchors repair no more than twice a second for long: who fights them would keep both busy. */
const BETWEEN_MS = 600;

export const repair: BenchCase = {
  name: 'repair',
  about: 'From an external removal of a default route or of the tables to their being there again.',
  unit: 'ms',
  needsRoot: true,
  async run(context) {
    const stand = await context.stand();
    await stand.networkAnchor(40, { env: { ANCHORD_POLL_INTERVAL: '1h' } });
    await stand.logged('anchord', 'reconciled');
    await stand.serviceAnchor('service', 'tcp/25');
    await stand.logged('service', 'default route updated');
    const rounds = context.quick ? 5 : 150;
    const rows: Row[] = [];
    for (const [name, work] of [
      ['anchord', 'default route, network-anchor'],
      ['service', 'default route, service-anchor'],
    ] as const) {
      context.say(work);
      rows.push(
        timingRow(
          work,
          'berth',
          timingOf(await routeRepairs(context, await stand.namespaceOf(name), rounds)),
        ),
      );
    }
    rows.push(
      timingRow(
        'default route',
        'limit: ip monitor, one replace',
        timingOf(await byMonitor(context, rounds)),
      ),
    );
    context.say('tables');
    rows.push(
      timingRow('both tables, network-anchor', 'berth', timingOf(await tableRepairs(context, stand, rounds))),
    );
    return rows;
  },
};

const isDefault = ({ destination, table }: Route): boolean =>
  formatCidr(destination) === '0.0.0.0/0' && table === MAIN_TABLE;

/** Hears of default routes that are set in the namespace. */
function defaultRoutes(scope: Scope, namespace: Netns): Arrivals {
  const set = new Arrivals();
  const watch = NetworkWatch.open(
    { namespace, watched: ['routes'] },
    (event) => {
      if (event.kind === 'route' && event.change === 'set' && isDefault(event.value)) set.arrived();
    },
    (error) => {
      throw error;
    },
  );
  scope.defer(() => watch[Symbol.dispose](), 'watch');
  return set;
}

async function routeRepairs({ scope }: BenchContext, namespace: Netns, rounds: number): Promise<number[]> {
  await using inner = scope.child('routes');
  inner.defer(() => namespace[Symbol.dispose]());
  using network = Network.open(namespace);
  const back = defaultRoutes(inner, namespace);
  const samples: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await sleep(systemClock, BETWEEN_MS, scope.signal);
    const route = network.routes.list({ family: 4 }).find(isDefault);
    if (route === undefined) throw new Error('there is no default route to take away');
    samples.push(await took(back, 'the route', () => void network.routes.delete(route)));
  }
  return samples;
}

async function took(back: Arrivals, what: string, remove: () => void): Promise<number> {
  const arrival = back.next(what);
  const start = performance.now();
  remove();
  return (await arrival) - start;
}

async function byMonitor({ scope }: BenchContext, rounds: number): Promise<number[]> {
  await using inner = scope.child('monitor');
  const namespace = Netns.create('repair');
  inner.defer(() => namespace[Symbol.dispose]());
  const network = inner.own(Network.open(namespace));
  const route = {
    destination: parseCidr('0.0.0.0/0'),
    gateway: parseIp(GATEWAYS[0]),
    link: withLink(namespace, network),
  };
  network.routes.add(route);
  const monitor = startInside(namespace, 'ip', 'monitor', 'route');
  inner.defer(async () => {
    monitor.kill('SIGKILL');
    await once(monitor, 'exit');
  }, 'ip monitor');
  const answering = inner.own(Network.open(namespace));
  monitor.stdout.on('data', (chunk: Buffer) => {
    if (chunk.includes('Deleted default')) answering.routes.replace(route);
  });
  const back = defaultRoutes(inner, namespace);
  const samples: number[] = [];
  // It says nothing when it is ready: the first rounds, that do not count, wait long enough.
  await sleep(systemClock, 1_000, scope.signal);
  for (let round = 0; round < rounds; round++) {
    await sleep(systemClock, 20, scope.signal);
    samples.push(await took(back, 'the route', () => void network.routes.delete(route)));
  }
  return samples;
}

async function tableRepairs({ scope }: BenchContext, stand: Stand, rounds: number): Promise<number[]> {
  await using inner = scope.child('tables');
  const namespace = await stand.namespaceOf('anchord');
  inner.defer(() => namespace[Symbol.dispose]());
  using nftables = Nftables.open({ namespace });
  const heard: number[] = [];
  rulesetChanges(inner, namespace, () => heard.push(performance.now()));
  const tables = [
    { family: 'ip', name: 'anchord_v4' },
    { family: 'ip6', name: 'anchord_v6' },
  ] as const;
  const found = () =>
    nftables.tables().filter(({ name }) => tables.some((table) => table.name === name)).length;
  const samples: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await sleep(systemClock, BETWEEN_MS, scope.signal);
    if (found() !== 2) throw new Error(`there are ${found()} tables to take away, and not 2`);
    // Removal and repair may be heard of together.
    heard.length = 0;
    const start = performance.now();
    nftables.remove('anchord', tables, { takeOver: true });
    await waitFor('the tables', () => heard.length > 1 && found() === 2, { timeoutMs: 10_000, everyMs: 1 });
    samples.push((heard.at(-1) ?? Number.NaN) - start);
  }
  return samples;
}
