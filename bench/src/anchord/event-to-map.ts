/**
 * From the moment in which Docker says that something happened (its own time stamp) to the kernel's map, with a hundred
 * backends. Beside it: when a program that does nothing but read the stream of events has the same event. How late that is
 * says how busy the machine is; what comes beyond it is anchord's, with what it asks of the engine.
 *
 * Measured twice: as it comes, with the engine's own work for the container on the same cores; and with the engine on a core of
 * its own, as on a machine with a core to spare.
 */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
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
    const shared = await watched(context, stand, names, `${BACKENDS} backends`);
    if (availableParallelism() < 2) return shared;
    await keepEngineApart(stand);
    return [
      ...shared,
      ...(await watched(context, stand, names, `${BACKENDS} backends, the engine on a core of its own`)),
    ];
  },
};

/** The engine and what it starts on the first core; anchord and we on the second. */
async function keepEngineApart(stand: Stand): Promise<void> {
  const pin = ['--all-tasks', '--cpu-list', '--pid'];
  const each = `for pid in $(pidof dockerd containerd); do taskset ${pin.join(' ')} 0 $pid; done`;
  await stand.host.must(['sh', '-c', each]);
  await stand.host.must(['taskset', ...pin, '1', String(await stand.pidOf('anchord'))]);
  await promisify(execFile)('taskset', [...pin, '1', String(process.pid)]);
}

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

async function watched(
  { quick, scope, say }: BenchContext,
  stand: Stand,
  names: readonly string[],
  where: string,
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

  const samples = { die: [] as number[], start: [] as number[] };
  const limits = { die: [] as number[], start: [] as number[] };
  const beyond = { die: [] as number[], start: [] as number[] };
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
  return (['start', 'die'] as const).flatMap((action) => [
    timingRow(`${action}, ${where}`, 'berth', timingOf(samples[action])),
    timingRow(`${action}, ${where}`, 'limit: a reader of the stream', timingOf(limits[action])),
    timingRow(`${action}, ${where}`, 'berth, beyond that reader', timingOf(beyond[action])),
  ]);
}
