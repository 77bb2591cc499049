/**
 * A service and its anchor are re-created: from the moment in which the new service answers on the inner bridge, asked from
 * the host's own namespace (the limit: nothing of ours is in that way), to its first answer to a client on the LAN.
 */
import type { Socket } from 'node:net';
import { type Client, NamespaceSockets } from '@berth/lab';
import { type Scope, sleep, systemClock } from '@berth/service';
import { type BenchCase, timingRow } from '../harness/bench-case.ts';
import { timingOf } from '../harness/measure.ts';
import { labelOf, type Stand } from '../lab/stand.ts';

const PORT = 25;
const EVERY_MS = 10;
const LONGEST_MS = 30_000;

export const recreate: BenchCase = {
  name: 'recreate',
  about: 'A service with its service-anchor is re-created: until it answers again.',
  unit: 'ms',
  needsRoot: true,
  async run({ stand: standing, scope, quick }) {
    const stand = await standing();
    await stand.networkAnchor(40);
    await stand.logged('anchord', 'reconciled');
    const client = scope.own(stand.lab.client('client1'));
    const onHost = scope.own(new NamespaceSockets(stand.host.namespace));
    await start(stand);
    const listening: number[] = [];
    const later: number[] = [];
    for (let round = -1; round < (quick ? 4 : 60); round++) {
      const { listens, reached, begun } = await again(scope, stand, client, onHost);
      if (round < 0) continue;
      listening.push(listens - begun);
      // The clients do not ask at the same moment, so it may even seem to have been reached before.
      later.push(Math.max(0, reached - listens));
    }
    return [
      timingRow('from listening to the first answer on the LAN', 'berth', timingOf(later)),
      timingRow(
        'from its start to listening',
        'limit: Docker, and the host on the bridge',
        timingOf(listening),
      ),
    ];
  },
};

async function start({ engine, image, transit }: Stand): Promise<void> {
  const HostConfig = { NetworkMode: transit, CapAdd: ['NET_ADMIN'] };
  await engine.containers.create(
    { Image: image, Cmd: ['service-anchor'], Labels: labelOf(`tcp/${PORT}`), HostConfig },
    { name: 'service-anchor' },
  );
  await engine.containers.start('service-anchor');
  await engine.containers.create(
    {
      Image: 'berth-lab/busybox',
      Cmd: ['httpd', '-f', '-p', String(PORT)],
      HostConfig: { NetworkMode: 'container:service-anchor' },
    },
    { name: 'service' },
  );
  await engine.containers.start('service');
}

async function again(scope: Scope, stand: Stand, client: Client, onHost: NamespaceSockets) {
  await Promise.all(
    ['service', 'service-anchor'].map((name) => stand.engine.containers.remove(name, { force: true })),
  );
  const begun = performance.now();
  await start(stand);
  const inner = await stand.transitAddress('service-anchor');
  const [listens, reached] = await Promise.all([
    firstAnswer(scope, onHost, inner),
    firstAnswer(scope, client.sockets, stand.lanAddress(40)),
  ]);
  return { begun, listens, reached };
}

/** Asks every few milliseconds, whatever has become of the questions before: a lost one shall not hide the next. */
async function firstAnswer(scope: Scope, sockets: NamespaceSockets, host: string): Promise<number> {
  await using asking = scope.child('asking');
  const deadline = performance.now() + LONGEST_MS;
  let answeredAt: number | undefined;
  const ask = async (): Promise<void> => {
    const socket = await sockets.tcp({ host, port: PORT, timeoutMs: 1_000 }).catch(() => undefined);
    if (socket === undefined) return;
    asking.defer(() => void socket.destroy());
    await answered(socket);
    answeredAt ??= performance.now();
  };
  while (answeredAt === undefined) {
    if (performance.now() > deadline) throw new Error(`${host} did not answer for ${LONGEST_MS} ms`);
    asking.spawn('question', async () => await ask().catch(() => undefined));
    await sleep(systemClock, EVERY_MS, scope.signal);
  }
  return answeredAt;
}

function answered(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('data', () => resolve());
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
    socket.write('GET / HTTP/1.0\r\n\r\n');
  });
}
