/** Events by the thousand, by the API of the real engine, while a service is made anew: what is served is right in the end, and nothing is left behind. */
import { Agent, request } from 'node:http';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComposeProject } from '../src/compose.ts';
import { samplesOf } from '../src/external.ts';
import { Harbour } from '../src/harbour.ts';

const host = 63;
const renames = 600;
const execs = 1_400;
/** What the runtime takes for work at hand and does not give back at once. */
const mostGrowthMib = 12;
/** An event is no reason for a line; a change of what is served is. */
const mostLines = 50;

let harbour: Harbour;
let stack: ComposeProject;
let agent: Agent;
beforeAll(async () => {
  harbour = await Harbour.open();
  agent = new Agent({ keepAlive: true, maxSockets: 4 });
  stack = await harbour.stack({
    ...{ host, number: 24 },
    services: {
      busy: {
        image: 'berth-lab/busybox',
        labels: { 'anchord.expose': 'tcp/81' },
        networks: { transit: {} },
        stop_grace_period: '1s',
        healthcheck: { test: ['CMD', 'true'], interval: '1s' },
      },
    },
  });
  await stack.up();
  await harbour.reach(4, { host });
});
afterAll(async () => {
  agent?.destroy();
  await harbour?.[Symbol.asyncDispose]();
});

/** One call of the engine's API, as cheap as it gets; throws what the engine refuses. */
async function post(path: string, body?: object): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const call = request(
    {
      ...{ method: 'POST', socketPath: harbour.host.socketPath, path, agent },
      headers: { 'content-type': 'application/json' },
    },
    (answer) => {
      const status = answer.statusCode ?? 0;
      answer.resume().on('end', () => (status < 300 ? resolve() : reject(new Error(`${path}: ${status}`))));
    },
  );
  call.on('error', reject).end(body === undefined ? '' : JSON.stringify(body));
  await promise;
}

async function times(count: number, act: (index: number) => Promise<void>): Promise<void> {
  for (let index = 0; index < count; index++) await act(index);
}

interface Use {
  readonly cpuMs: number;
  readonly privateMib: number;
  readonly descriptors: number;
}

/** What the anchor has used up, as the kernel counts it. */
async function use(): Promise<Use> {
  const pid = await stack.inspect('anchord', '{{.State.Pid}}');
  const stat = await harbour.host.must(['cat', `/proc/${pid}/stat`]);
  const memory = await harbour.host.must(['cat', `/proc/${pid}/smaps_rollup`]);
  const descriptors = await harbour.host.must(['ls', `/proc/${pid}/fd`]);
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  const kib = Array.from(memory.matchAll(/^Private_\w+: +(\d+)/gm), ([, value]) => Number(value));
  return {
    // The kernel counts in hundredths of a second.
    cpuMs: (user + system) * 10,
    privateMib: kib.reduce((sum, value) => sum + value, 0) / 1_024,
    descriptors: descriptors.trim().split('\n').length,
  };
}

/** Waits until it does next to nothing; hands back what it has used up by then. */
async function idle(): Promise<Use> {
  let before = await use();
  let at = performance.now();
  return await waitFor(
    'an idle anchor',
    async () => {
      const now = await use();
      const share = (now.cpuMs - before.cpuMs) / (performance.now() - at);
      [before, at] = [now, performance.now()];
      return share < 0.02 && now;
    },
    { timeoutMs: 60_000, everyMs: 2_000 },
  );
}

const eventsSeen = async () =>
  (await samplesOf(stack, 'anchord', 'anchord_docker_events_total')).get('source="event"') ?? 0;

interface Status {
  readonly ports: readonly {
    readonly family: string;
    readonly port: string;
    readonly to: string;
    readonly container: string;
  }[];
}

describe('a flood of events', () => {
  it('is swallowed: the map converges, the work ends, and memory and descriptors stay what they were', async () => {
    const busy = await stack.containerOf('busy');
    const before = await idle();
    const seen = await eventsSeen();
    const lines = (await stack.logs('anchord')).length;
    await Promise.all([
      times(execs / 2, () => post(`/containers/${busy}/exec`, { Cmd: ['true'] })),
      times(execs / 2, () => post(`/containers/${busy}/exec`, { Cmd: ['true'] })),
      times(renames, (index) =>
        post(`/containers/${busy}/rename?name=${harbour.space.name(`busy${index}`)}`),
      ),
      stack.run('up', '--detach', '--force-recreate', '--timeout', '1', 'smtp-anchor', 'smtp'),
    ]);
    const address = await stack.inspect(
      'smtp-anchor',
      `{{(index .NetworkSettings.Networks "${stack.name}_transit").IPAddress}}`,
    );
    const status = await waitFor(
      'the last name and the new address',
      async () => {
        const told = JSON.parse(await stack.exec('anchord', 'anchord', 'status', '--json')) as Status;
        const v4 = told.ports.filter(({ family }) => family === 'v4');
        const to = (port: string) => v4.find((one) => one.port === port);
        const renamed = to('tcp/81')?.container === harbour.space.name(`busy${renames - 1}`);
        return renamed && to('tcp/25')?.to === `${address}:25` && told;
      },
      { timeoutMs: 60_000, everyMs: 100 },
    );
    expect(status.ports).toHaveLength(4);
    for (const family of [4, 6] as const) {
      expect((await harbour.reach(family, { host })).source).toBe(harbour.clientAddress(family));
    }
    const after = await idle();
    // The engine leaves out some for a reader that is behind, on a machine with much else to do.
    expect((await eventsSeen()) - seen).toBeGreaterThanOrEqual((renames + execs) / 2);
    expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 2);
    expect(after.privateMib).toBeLessThan(before.privateMib + mostGrowthMib);
    expect((await stack.logs('anchord')).length - lines).toBeLessThan(mostLines);
  });
});
