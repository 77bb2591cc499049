/** What operators do to a whole stack, on a real engine: made anew by force, orphaned by hand, watched by two anchors. */
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anchorImage, anchorProject } from '../src/anchor-project.ts';
import type { ComposeProject } from '../src/compose.ts';
import { Containers } from '../src/docker.ts';
import { samplesOf } from '../src/external.ts';
import { Harbour, logged } from '../src/harbour.ts';

let harbour: Harbour;
let containers: Containers;
beforeAll(async () => {
  harbour = await Harbour.open();
  containers = new Containers(harbour.space);
});
afterAll(() => harbour?.[Symbol.asyncDispose]());

const busybox = 'berth-lab/busybox';
const docker = (...args: readonly string[]) => harbour.host.docker(...args);
const spawn = (name: string, ...args: readonly string[]) =>
  docker('run', '--detach', '--name', name, ...harbour.space.labelled, ...args, busybox);
const secondsNow = (): string => String(Date.now() / 1_000);
const linesOf = async (stack: ComposeProject, service: string, msg: string) =>
  (await stack.logs(service)).filter((line) => line.msg === msg);

/** The anchor of this service has looked again, as it does at intervals. */
async function looked(stack: ComposeProject, service: string, times: number): Promise<void> {
  const count = async () =>
    (await samplesOf(stack, service, 'anchord_docker_events_total')).get('source="poll"') ?? 0;
  const before = await count();
  const enough = async () => (await count()) >= before + times;
  await waitFor(`${times} looks of ${service}`, enough, { timeoutMs: 60_000, everyMs: 500 });
}

/** Names, one for each time that Docker told of this. */
async function happened(event: string, since: string): Promise<readonly string[]> {
  const format = '{{.Actor.Attributes.name}}';
  const window = ['--since', since, '--until', secondsNow(), '--filter', `event=${event}`];
  const names = await docker('events', ...window, '--filter', 'type=container', '--format', format);
  return names.split('\n').filter((name) => name !== '');
}

describe('a stack of our own that is made anew by force', () => {
  it('is reachable again by itself, every application with its service-anchor, none lost, none restarting', async () => {
    const app = (anchor: string) => ({
      image: busybox,
      network_mode: `service:${anchor}`,
      depends_on: [anchor],
      stop_grace_period: '0s',
      restart: 'unless-stopped',
    });
    await using stack = await harbour.stack({
      host: 64,
      number: 24,
      env: { ANCHORD_POLL_INTERVAL: '2s' },
      services: {
        sidecar: app('smtp-anchor'),
        'web-anchor': {
          image: await anchorImage(harbour),
          command: ['service-anchor'],
          cap_add: ['NET_ADMIN'],
          environment: { ANCHORD_GATEWAY_RESOLVE_INTERVAL: '1s' },
          labels: { 'anchord.expose': 'tcp/80' },
          networks: { transit: {} },
          restart: 'unless-stopped',
        },
        web: { ...app('web-anchor'), image: 'berth-lab/echo', command: ['80/tcp'] },
      },
    });
    await stack.up();
    const services = ['anchord', 'smtp-anchor', 'smtp', 'sidecar', 'web-anchor', 'web'];
    const containerOf = (service: string): string => `${stack.name}-${service}-1`;
    const everybody = () => Promise.all(services.map((service) => containers.get(containerOf(service))));
    const reachAll = async (timeoutMs = 60_000) => {
      for (const family of [4, 6] as const)
        for (const port of [25, 80]) {
          const { source } = await harbour.reach(family, { host: 64, port, timeoutMs });
          expect(source).toBe(harbour.clientAddress(family));
        }
    };
    await reachAll();
    const before = (await everybody()).map(({ id }) => id);
    await stack.run('up', '--detach', '--force-recreate');
    const since = secondsNow();
    await reachAll(60_000);
    for (const one of ['smtp', 'sidecar'])
      await containers.joined(containerOf(one), containerOf('smtp-anchor'));
    await containers.joined(containerOf('web'), containerOf('web-anchor'));
    const after = await everybody();
    expect(after.filter(({ id }) => before.includes(id))).toEqual([]);
    expect(after.map(({ status }) => status)).toEqual(services.map(() => 'running'));
    const all = await docker('ps', '--all', '--format', '{{.Names}}');
    const ours = all.split('\n').filter((name) => name.includes(`${stack.name}-`));
    expect(ours.sort()).toEqual(services.map(containerOf).sort());
    const seen = new Map(after.map(({ name, startedAt }) => [name, startedAt]));
    await looked(stack, 'anchord', 3);
    for (const { name, startedAt } of await everybody()) expect(startedAt, name).toBe(seen.get(name));
    for (const event of ['die', 'create', 'rename'])
      expect((await happened(event, since)).filter((name) => name.startsWith(`${stack.name}-`))).toEqual([]);
  });
});

describe('a container that is orphaned by somebody whom nobody may replace', () => {
  const dead = 'dependent in dead netns';

  it('is told once while that lasts, with the way out, again when it happens again, and never touched', async () => {
    const name = `${harbour.space.id}d`;
    const owner = harbour.space.name('owner');
    await spawn(owner);
    await using stack = await anchorProject(harbour, {
      name,
      host: 65,
      services: {
        app: {
          image: busybox,
          network_mode: `container:${owner}`,
          stop_grace_period: '0s',
          restart: 'unless-stopped',
        },
      },
    });
    await stack.up();
    await logged(stack, 'anchord', 'dead-netns detector starting');
    const app = `${name}-app-1`;
    const metricBecomes = (value: number) =>
      waitFor(
        `${value} dead namespaces`,
        async () => (await samplesOf(stack, 'anchord', 'anchord_dead_namespaces')).get('') === value,
        { timeoutMs: 60_000 },
      );
    /** Makes an orphan of it, and waits until that was told and looked at again. */
    const breakIt = async (times: number): Promise<void> => {
      const [gone, orphan] = await Promise.all([containers.get(owner), containers.get(app)]);
      await docker('rm', '--force', owner);
      await waitFor(
        `word number ${times}`,
        async () => (await linesOf(stack, 'anchord', dead)).length >= times,
        {
          timeoutMs: 60_000,
          everyMs: 100,
        },
      );
      await metricBecomes(1);
      // A namesake is no successor: nothing proves that it is meant.
      await spawn(owner);
      await looked(stack, 'anchord', 3);
      const lines = await linesOf(stack, 'anchord', dead);
      expect(lines).toHaveLength(times);
      expect(lines.at(-1)).toMatchObject({
        container: app,
        container_id: orphan.id,
        stale_target: gone.id,
        why: 'owner gone',
        hint: `docker compose -p ${name} up -d --no-deps --force-recreate app`,
      });
      expect(await containers.get(app)).toEqual(orphan);
    };
    await breakIt(1);
    await stack.run('up', '--detach', '--no-deps', '--force-recreate', 'app');
    await containers.joined(app, owner);
    await logged(stack, 'anchord', 'dependent no longer in dead netns');
    await metricBecomes(0);
    await breakIt(2);
    await docker('rm', '--force', owner);
  });
});

describe('two anchors with the same recipe', () => {
  it('do not fight: one managed anchor, made once for each new target, and the other takes over when its maker is gone', async () => {
    const name = `${harbour.space.id}t`;
    const target = harbour.space.name('shared');
    const anchor = `${target}-service-anchor`;
    const subnet = '172.30.66.0/24';
    const env = {
      ANCHORD_MANAGED_SA_TARGET: target,
      ANCHORD_MANAGED_SA_LABELS: '{"anchord.expose":"tcp/80"}',
      ANCHORD_MANAGED_SA_EXTRA_ENV: '{"ANCHORD_METRICS_ADDR":""}',
    };
    await using stack = await anchorProject(harbour, {
      name,
      host: 66,
      subnet,
      env,
      services: {
        second: {
          extends: { service: 'anchord' },
          networks: { lan: { ipv4_address: harbour.address(4, 67) }, transit: {} },
        },
      },
    });
    const both = ['anchord', 'second'] as const;
    try {
      await stack.up();
      for (const one of both) await logged(stack, one, 'managed service-anchor recipe active');
      const since = secondsNow();
      await spawn(target);
      await containers.joined(anchor, target);
      for (let round = 0; round < 2; round++) {
        const before = (await containers.get(anchor)).id;
        await docker('rm', '--force', target);
        await spawn(target);
        await waitFor('another one', async () => (await containers.find(anchor))?.id !== before, {
          timeoutMs: 60_000,
        });
        await containers.joined(anchor, target);
      }
      await docker('restart', '--time', '0', target);
      await containers.joined(anchor, target);
      const settled = await containers.get(anchor);
      const made = async () =>
        (await happened('create', since)).filter((one) => one.startsWith(anchor)).length;
      await Promise.all(both.map((one) => looked(stack, one, 3)));
      expect(await containers.get(anchor)).toEqual(settled);
      expect(await made()).toBe(3);
      // Whoever made it goes for good; the other one makes it its own.
      const maker = settled.labels['anchord.managed-by.container'] ?? '';
      const names = both.map((one) => `${name}-${one}-1`);
      expect(names).toContain(maker);
      const heir = names.find((one) => one !== maker);
      await docker('rm', '--force', maker);
      await docker('rm', '--force', target);
      await spawn(target);
      await waitFor(
        'the heir at work',
        async () => (await containers.find(anchor))?.labels['anchord.managed-by.container'] === heir,
        { timeoutMs: 60_000 },
      );
      await containers.joined(anchor, target);
      // For its own gateway at once, and for the new target, if both are seen one after the other.
      expect(await made()).toBeLessThanOrEqual(5);
      const named = async () =>
        (await docker('ps', '--all', '--format', '{{.Names}}'))
          .split('\n')
          .filter((one) => one.startsWith(anchor));
      let last: readonly string[] = [];
      await waitFor(
        'the end of the one that was replaced',
        async () => {
          last = await named();
          return last.length === 1;
        },
        { timeoutMs: 60_000, everyMs: 100, evidence: () => last.join() },
      );
      expect(last).toEqual([anchor]);
    } finally {
      await docker('rm', '--force', anchor, target).catch(() => undefined);
    }
  });
});
