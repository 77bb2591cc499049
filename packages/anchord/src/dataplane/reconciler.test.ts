import type { Conntrack } from '@berth/kernel/conntrack';
import { parseIpv4 } from '@berth/kernel/ip';
import { VirtualClock } from '@berth/service';
import { expect, it } from 'vitest';
import type { Backend } from '../discovery/index.ts';
import { SimulatedRulesets } from '../testing/day/rulesets.ts';
import { testParts } from '../testing/program.ts';
import { Dataplane } from './dataplane.ts';
import { Reconciler } from './reconciler.ts';

const backend = (name: string, address: string, port: number): Backend => ({
  id: name,
  name,
  createdAtMs: 0,
  ipv4: parseIpv4(address),
  ipv6: undefined,
  ports: [{ protocol: 'tcp', externalPort: port, backendPort: port }],
});

it('applies what is next while the kernel still searches for the flows of what was before, and then searches once', async () => {
  const clock = new VirtualClock();
  const parts = { ...testParts(), clock };
  const dataplane = new Dataplane(new SimulatedRulesets(), {
    externalInterface: 'eth0',
    guard: { v4: 'local-address', v6: 'local-address' },
    forwardFilter: { kind: 'external' },
    hairpin: 'by-interface',
  });
  dataplane.install();
  const searches: { readonly about: readonly (string | undefined)[]; readonly end: () => void }[] = [];
  const conntrack: Pick<Conntrack, 'delete'> = {
    delete: (selections) =>
      new Promise((resolve) => {
        const about = selections.map(
          ({ originalDestinationPort, replySource }) => `${originalDestinationPort} ${replySource}`,
        );
        searches.push({ about, end: () => resolve(0) });
      }),
  };
  const ownAddresses = () => [parseIpv4('10.99.0.40')];
  const reconciler = new Reconciler({
    ...parts,
    dataplane,
    conntrack,
    ownAddresses,
    onReconciled: () => undefined,
  });
  const stop = new AbortController();
  const running = reconciler.run(stop.signal);
  const applied = async (...backends: readonly Backend[]): Promise<readonly string[]> => {
    reconciler.want(backends);
    await clock.advance(1);
    return [...dataplane.entries.values()].map(({ externalPort, address }) => `${externalPort} ${address}`);
  };
  expect(await applied(backend('one', '10.0.0.1', 25))).toEqual(['25 10.0.0.1']);
  expect(await applied(backend('two', '10.0.0.2', 25))).toEqual(['25 10.0.0.2']);
  expect(await applied()).toEqual([]);
  expect(searches.map(({ about }) => about)).toEqual([['25 10.99.0.40']]);
  // The metric lasts to the end of the search.
  const observed = () => Number(/duration_seconds_count (\d+)/.exec(parts.registry.expose())?.[1]);
  expect(observed()).toBe(0);
  searches[0]?.end();
  await clock.advance(1);
  expect(searches[1]?.about).toEqual(['25 10.0.0.1', '25 10.0.0.2']);
  expect(observed()).toBe(1);
  searches[1]?.end();
  await clock.advance(1);
  expect([searches.length, observed()]).toEqual([2, 3]);
  stop.abort();
  await running;
});
