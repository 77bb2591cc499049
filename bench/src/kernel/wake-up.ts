/** From a change that somebody else makes to the moment when we know of it, beside `ip monitor` and `nft monitor`. */
import { once } from 'node:events';
import { parseCidr, parseIp } from '@berth/kernel/ip';
import { Netns } from '@berth/kernel/netns';
import { Network, NetworkWatch } from '@berth/kernel/network';
import { map, Nftables, ruleset, table, watchRulesets } from '@berth/kernel/nftables';
import { type Scope, sleep, systemClock } from '@berth/service';
import { Arrivals } from '../harness/arrivals.ts';
import { type BenchCase, type Row, timingRow } from '../harness/bench-case.ts';
import { timingOf } from '../harness/measure.ts';
import { startInside } from './inside.ts';
import { GATEWAYS, withLink } from './route-replace.ts';

export const wakeUp: BenchCase = {
  name: 'wake-up',
  about: 'From the call that makes a change (the change included) to whoever watches.',
  unit: 'ms',
  needsRoot: true,
  async run({ quick, scope, say }) {
    const rounds = quick ? 10 : 1_000;
    say('routes');
    const routes = await watchedRoutes(scope, rounds);
    say('rulesets');
    return [...routes, ...(await watchedRulesets(scope, rounds))];
  },
};

async function watchedRoutes(scope: Scope, rounds: number): Promise<readonly Row[]> {
  using namespace = Netns.create('wake-up');
  using network = Network.open(namespace);
  const link = withLink(namespace, network);
  const destination = parseCidr('0.0.0.0/0');
  const gateways = GATEWAYS.map((gateway) => parseIp(gateway));
  const heard = new Arrivals();
  using _watch = NetworkWatch.open(
    { namespace, watched: ['routes'] },
    (event) => {
      if (event.kind === 'route') heard.arrived();
    },
    (error) => {
      throw error;
    },
  );
  let changes = 0;
  // Each time another gateway: the kernel says nothing of a change that changes nothing.
  const change = (): void => network.routes.replace({ destination, gateway: gateways[changes++ % 2], link });
  const monitor = await monitored(scope, namespace, ['ip', 'monitor', 'route'], 'default', change);
  return await race('route', 'ip monitor', rounds, change, heard, monitor);
}

async function watchedRulesets(scope: Scope, rounds: number): Promise<readonly Row[]> {
  using namespace = Netns.create('wake-up rulesets');
  using nftables = Nftables.open({ namespace });
  const heard = new Arrivals();
  using _watch = watchRulesets(
    {
      changed: heard.arrived,
      overrun: heard.arrived,
      failed: (error) => {
        throw error;
      },
    },
    { namespace },
  );
  const states = ['a', 'b'].map((name) =>
    ruleset(
      'berth-bench',
      table('ip', 'bench', { sets: [map(name, { key: 'inet_service', data: 'ipv4_addr' })] }),
    ),
  );
  let changes = 0;
  const change = (): void => {
    const state = states[changes++ % 2];
    if (state !== undefined) nftables.replace(state);
  };
  // It tells of each part of the transaction, and of the transaction last.
  const monitor = await monitored(scope, namespace, ['nft', 'monitor'], 'generation', change);
  return await race('ruleset', 'nft monitor', rounds, change, heard, monitor);
}

/** A monitoring program that has shown that it hears something; `last` stands in the last that it says of a change. */
async function monitored(
  scope: Scope,
  namespace: Netns,
  [program, ...args]: readonly [string, ...string[]],
  last: string,
  change: () => void,
): Promise<Arrivals> {
  const heard = new Arrivals();
  const child = startInside(namespace, program, ...args);
  scope.defer(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }, program);
  child.stdout.on('data', (chunk: Buffer) => {
    if (chunk.includes(last)) heard.arrived();
  });
  const first = heard.next();
  const poke = setInterval(change, 100);
  try {
    await first;
  } finally {
    clearInterval(poke);
  }
  // What else it has to say about the last poke must not count for the first round.
  await sleep(systemClock, 100, scope.signal);
  return heard;
}

/** Both watch the same changes; the next change comes when both have heard of the one before. */
async function race(
  work: string,
  peer: string,
  rounds: number,
  change: () => void,
  ours: Arrivals,
  theirs: Arrivals,
): Promise<readonly Row[]> {
  const ourSamples: number[] = [];
  const theirSamples: number[] = [];
  for (let round = -10; round < rounds; round++) {
    const heard = Promise.all([ours.next(), theirs.next()]);
    const start = performance.now();
    change();
    const [we, they] = await heard;
    if (round < 0) continue;
    ourSamples.push(we - start);
    theirSamples.push(they - start);
  }
  return [timingRow(work, 'berth', timingOf(ourSamples)), timingRow(work, peer, timingOf(theirSamples))];
}
