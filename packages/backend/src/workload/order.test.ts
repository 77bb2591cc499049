import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseManifest, type StackManifest } from '../manifest/index.ts';
import { encoded, stackManifest } from '../testing/manifests.ts';
import { inStartOrder, inStopOrder, together } from './order.ts';

const never = new AbortController().signal;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

const stack = (edges: Record<string, string[]>): StackManifest['services'] =>
  parseManifest(
    encoded({
      services: Object.fromEntries(
        Object.entries(edges).map(([name, targets]) => [
          name,
          {
            image: 'x',
            depends_on: Object.fromEntries(
              targets.map((target) => [target, { condition: 'service_started' }]),
            ),
          },
        ]),
      ),
    }),
  ).stack.services;

describe('in order', () => {
  it('every service goes once, after what it depends on; the other way round when stopping', async () => {
    await fc.assert(
      fc.asyncProperty(stackManifest, async (document) => {
        const { services } = parseManifest(encoded(document)).stack;
        const started: string[] = [];
        const stopped: string[] = [];
        await inStartOrder(services, never, async ({ service }) => {
          await turn();
          started.push(service);
        });
        await inStopOrder(services, never, async ({ service }) => {
          await turn();
          stopped.push(service);
        });
        expect([...started].sort()).toEqual([...services.keys()].sort());
        expect([...stopped].sort()).toEqual([...services.keys()].sort());
        for (const [name, { dependsOn }] of services) {
          for (const target of dependsOn.keys()) {
            expect(started.indexOf(target)).toBeLessThan(started.indexOf(name));
            expect(stopped.indexOf(name)).toBeLessThan(stopped.indexOf(target));
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it('services that do not depend on one another go at the same time', async () => {
    let running = 0;
    let most = 0;
    await inStartOrder(stack({ a: [], b: [], c: ['a', 'b'] }), never, async () => {
      most = Math.max(most, ++running);
      await turn();
      running--;
    });
    expect(most).toBe(2);
  });

  it('a failure keeps what depends on it from beginning, and waits for what has begun', async () => {
    const ended: string[] = [];
    const begun: string[] = [];
    const run = inStartOrder(
      stack({ bad: [], slow: [], after: ['bad'] }),
      never,
      async ({ service, signal }) => {
        begun.push(service);
        await turn();
        if (service === 'bad') throw new Error('bad failed');
        await turn();
        ended.push(`${service} ${signal.aborted ? 'told' : 'not told'}`);
      },
    );
    await expect(run).rejects.toThrow('bad failed');
    expect(begun.sort()).toEqual(['bad', 'slow']);
    expect(ended).toEqual(['slow told']);
  });

  it('nothing begins once it is called off', async () => {
    const stop = new AbortController();
    stop.abort(new Error('preempted'));
    await expect(inStartOrder(stack({ a: [] }), stop.signal, async () => undefined)).rejects.toThrow(
      'preempted',
    );
  });
});

describe('together', () => {
  it('waits for all, tells the others of a failure, and throws the first', async () => {
    const told: number[] = [];
    const run = together([1, 2, 3], never, async (n, signal) => {
      await turn();
      if (n === 2) throw new Error('two failed');
      await turn();
      if (signal.aborted) told.push(n);
    });
    await expect(run).rejects.toThrow('two failed');
    expect(told).toEqual([1, 3]);
  });
});
