import { afterAll, beforeAll, describe } from 'vitest';
import { hastyClock } from '../testing/fake-bench.ts';
import { behindProxy, type Faulty } from '../testing/faulty-site.ts';
import { type Bench, type Call, recreateSuite, type Trouble } from '../testing/recreate-suite.ts';
import { onEveryEngine, type Site } from '../testing/site.ts';

const requests: Readonly<Record<Call, string>> = {
  rename: 'POST /containers/*/rename',
  create: 'POST /containers/create',
  connect: 'POST /networks/*/connect',
  stop: 'POST /containers/*/stop',
  start: 'POST /containers/*/start',
  remove: 'DELETE /containers/*',
};

const faults = {
  'lost request': { kind: 'drop' },
  'lost answer': { kind: 'drop-answer' },
  'wrong answer': { kind: 'fail-after', status: 500 },
} as const satisfies Record<Trouble, object>;

/** What is done through the door goes wrong on order; what the test itself does never does. */
function realBench(site: Site, { proxy, engine }: Faulty): Bench {
  const labels = { 'berth.test': site.name };
  const networks = new Set<string>();
  return {
    door: { ...engine, clock: hastyClock },
    // Ten seconds of that clock.
    endsWithinMs: 1_000_000,
    request: (more = {}) => ({ Image: site.image, ...more, Labels: { ...more.Labels, ...labels } }),
    named: (what) => site.named(what),
    async network(what) {
      const name = site.named(what);
      if (!networks.has(name)) await site.network(what);
      networks.add(name);
      return name;
    },
    everything: async () =>
      Promise.all((await site.containers()).map(({ id }) => site.engine.containers.inspect(id))),
    strike(call, trouble, times) {
      proxy.add({ on: requests[call], fault: faults[trouble], times });
    },
    die(call, trouble) {
      const first = proxy.add({ on: requests[call], fault: faults[trouble], times: 1 });
      proxy.add({ on: '* /**', fault: { kind: 'drop' }, after: first });
    },
    mend: () => proxy.clear(),
    async clear() {
      proxy.clear();
      await site.removeContainers();
    },
  };
}

onEveryEngine('re-creating', (site) => {
  let faulty: Faulty;
  let bench: Bench;
  beforeAll(async () => {
    faulty = await behindProxy(site);
    bench = realBench(site, faulty);
  });
  afterAll(() => faulty[Symbol.asyncDispose]());

  describe('through a proxy that breaks things', () =>
    recreateSuite(() => bench, { everyCombination: false }));
});
