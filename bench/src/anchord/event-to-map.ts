/**
 * From the moment in which Docker says that something happened (its own time stamp) to the kernel's map, with a hundred
 * backends. Beside it: when a program that does nothing but read the stream of events has the same event. How late that is
 * says how busy the machine is; what comes beyond it is anchord's, with what it asks of the engine.
 */
import { Nftables } from '@berth/kernel/nftables';
import { waitFor } from '@berth/lab';
import { Arrivals } from '../harness/arrivals.ts';
import { type BenchCase, type BenchContext, type Row, timingRow } from '../harness/bench-case.ts';
import { timingOf } from '../harness/measure.ts';
import { labelOf, type Stand } from '../lab/stand.ts';
import { wallClock } from '../lab/wall-clock.ts';
import { ledTo, rulesetChanges } from './kernel-map.ts';

const BACKENDS = 100;
/** Containers that start at once. */
const AT_ONCE = 4;
const portOf = (index: number): number => 2_000 + index;

export const eventToMap: BenchCase = {
  name: 'event-to-map',
  about: `From Docker's event, by its own time stamp, to the kernel's map, at ${BACKENDS} backends.`,
  unit: 'ms',
  needsRoot: true,
  async run(context) {
    const stand = await context.stand();
    await stand.networkAnchor(40, { env: { ANCHORD_POLL_INTERVAL: '1h' } });
    await stand.logged('anchord', 'reconciled');
    context.say(`starting ${BACKENDS} containers`);
    const names = Array.from({ length: BACKENDS }, (_, index) => `backend-${index}`);
    const waiting = [...names.keys()];
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let index = waiting.shift(); index !== undefined; index = waiting.shift())
          await start(stand, index);
      }),
    );
    return await watched(context, stand, names);
  },
};

async function start({ engine, transit }: Stand, index: number): Promise<void> {
  const name = `backend-${index}`;
  await engine.containers.create(
    {
      Image: 'berth-lab/busybox',
      Labels: labelOf(`tcp/${portOf(index)}`),
      HostConfig: { NetworkMode: transit },
    },
    { name },
  );
  await engine.containers.start(name);
}

interface Samples {
  readonly die: number[];
  readonly start: number[];
}

async function watched(
  { quick, scope, say }: BenchContext,
  stand: Stand,
  names: readonly string[],
): Promise<readonly Row[]> {
  const now = wallClock();
  using namespace = await stand.namespaceOf('anchord');
  using nftables = Nftables.open({ namespace });
  await waitFor('all backends in the map', () => ledTo(nftables).size === names.length, {
    timeoutMs: 60_000,
  });
  const changes = new Arrivals(now);
  rulesetChanges(scope, namespace, changes.arrived);
  const stream = await stand.engine.events.open({ filters: { type: ['container'] } });
  const heard = new Map<string, { readonly at: number; readonly heardAt: number }>();
  scope.spawn('events', async (signal) => {
    signal.addEventListener('abort', () => stream[Symbol.dispose]());
    try {
      for await (const { action, attributes, at } of stream) {
        heard.set(`${action} ${attributes['name']}`, { at, heardAt: now() });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  });

  const samples: Samples = { die: [], start: [] };
  const limits: Samples = { die: [], start: [] };
  const beyond: Samples = { die: [], start: [] };
  const round = async (name: string, action: 'die' | 'start', act: () => Promise<unknown>) => {
    heard.clear();
    const change = changes.next(`${action} of ${name} in the kernel`);
    await Promise.all([change, act()]);
    const event = await waitFor(`${action} of ${name}`, () => heard.get(`${action} ${name}`), {
      timeoutMs: 10_000,
    });
    const changedAt = await change;
    samples[action].push(changedAt - event.at);
    limits[action].push(event.heardAt - event.at);
    // The two are woken by one write of the engine, in any order.
    beyond[action].push(Math.max(0, changedAt - event.heardAt));
  };
  const rounds = quick ? 5 : 200;
  say(`${rounds} rounds`);
  for (let count = 0; count < rounds; count++) {
    const index = (count * 37) % names.length;
    const name = names[index] ?? '';
    await round(name, 'die', () => stand.engine.containers.kill(name, 'KILL'));
    if (ledTo(nftables).has(portOf(index)))
      throw new Error(`${name} is gone, and its port is still in the map`);
    await round(name, 'start', () => stand.engine.containers.start(name));
    const address = await stand.transitAddress(name);
    if (ledTo(nftables).get(portOf(index)) !== address)
      throw new Error(`the port of ${name} leads elsewhere`);
  }
  const kinds: readonly (readonly (keyof Samples)[])[] = [['start'], ['die'], ['start', 'die']];
  return kinds.flatMap((kind) => {
    const work = `${kind.join(' and ')}, ${BACKENDS} backends`;
    const all = (of: Samples): readonly number[] => kind.flatMap((action) => of[action]);
    return [
      timingRow(work, 'berth', timingOf(all(samples))),
      timingRow(work, 'limit: a reader of the stream', timingOf(all(limits))),
      timingRow(work, 'berth, beyond that reader', timingOf(all(beyond))),
    ];
  });
}
