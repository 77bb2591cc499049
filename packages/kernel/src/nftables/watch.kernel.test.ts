import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Netns } from '../netns/index.ts';
import { freshNamespace, inside, until } from '../testing/namespaces.ts';
import { entry, type GenerationEvent, map, Nftables, ruleset, table, watchRulesets } from './index.ts';

let namespace: Netns;
let nftables: Nftables;
beforeEach(() => {
  namespace = freshNamespace('watched');
  nftables = Nftables.open({ namespace });
});
afterEach(() => {
  nftables[Symbol.dispose]();
  namespace[Symbol.dispose]();
});

const withPorts = (count: number) =>
  ruleset(
    'anchord',
    table('ip', 'watched', {
      sets: [
        map(
          'ports',
          { key: 'inet_service', data: 'ipv4_addr' },
          Array.from({ length: count }, (_, index) => entry(index, '10.0.0.1')),
        ),
      ],
    }),
  );

function watch() {
  const heard: GenerationEvent[] = [];
  const troubles: unknown[] = [];
  const watching = watchRulesets(
    {
      changed: (event) => heard.push(event),
      overrun: () => troubles.push('overrun'),
      failed: (error) => troubles.push(error),
    },
    { namespace },
  );
  return { heard, troubles, watching };
}

describe('watchRulesets', () => {
  it('hears that another program flushed everything, and which', async () => {
    const { generation } = nftables.reconcile(withPorts(3));
    const { heard, watching } = watch();
    inside(namespace, 'nft', 'flush', 'ruleset');
    await until('word of the flush', () => heard.length > 0);
    expect(heard).toEqual([
      { generation: generation + 1, processId: expect.any(Number), processName: 'nft' },
    ]);
    expect(nftables.reconcile(withPorts(3)).changes).not.toEqual([]);
    watching[Symbol.dispose]();
  });

  it('hears of our own transactions under the generation that they were given', async () => {
    const { heard, watching } = watch();
    const { generation } = nftables.reconcile(withPorts(1));
    await until('word of it', () => heard.length > 0);
    expect(heard).toEqual([{ generation, processId: process.pid, processName: expect.any(String) }]);
    watching[Symbol.dispose]();
  });

  it('hears of a transaction of ten thousand elements, and is deaf to none after it', async () => {
    const { heard, troubles, watching } = watch();
    nftables.reconcile(withPorts(10_000));
    const { generation } = nftables.reconcile(withPorts(1));
    await until('word of both', () => heard.at(-1)?.generation === generation || troubles.length > 0);
    expect(troubles).toEqual([]);
    watching[Symbol.dispose]();
    nftables.reconcile(withPorts(2));
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard.at(-1)?.generation).toBe(generation);
  });
});
