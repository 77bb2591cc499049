/** F-49 on a real engine: wrap containers stay with a target that somebody else makes anew. */
import { anchordImage } from '@berth/lab';
import { openSpace, type Space, waitFor } from '@berth/lab/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ComposeProject } from '../src/compose.ts';
import { Containers } from '../src/docker.ts';
import { statusOf } from '../src/doctor.ts';
import { logged } from '../src/harbour.ts';

const busybox = 'berth-lab/busybox';
const say = (line: string): void => void process.stdout.write(`  ${line}\n`);

let space: Space;
let containers: Containers;
let image: string;
beforeAll(async () => {
  space = await openSpace();
  containers = new Containers(space);
  image = await anchordImage(space.host, say);
});
afterAll(() => space?.[Symbol.asyncDispose]());

const docker = (...args: readonly string[]) => space.host.docker(...args);

describe('twenty-one wrap containers of one target', () => {
  const wraps = Array.from({ length: 21 }, (_, at) => `wrap${at + 1}`);
  let target: string;
  let stack: ComposeProject;
  const containerOf = (service: string): string => `${stack.name}-${service}-1`;
  const all = () => wraps.map(containerOf);

  const run = () => docker('run', '--detach', '--name', target, ...space.labelled, busybox);
  const remove = () => docker('rm', '--force', target);
  const idOf = async (name: string) => (await containers.get(name)).id;
  const ids = () => Promise.all(all().map(idOf));
  const allJoined = async (timeoutMs: number) => {
    const began = performance.now();
    for (const name of all()) await containers.joined(name, target, timeoutMs - (performance.now() - began));
  };
  const asides = async () =>
    (await docker('ps', '--all', '--format', '{{.Names}}'))
      .split('\n')
      .filter((name) => name.includes('.berth-'));

  beforeAll(async () => {
    target = space.name('target');
    await run();
    stack = await ComposeProject.create(
      space,
      {
        services: {
          // Nothing but the mode and the socket.
          rebinder: {
            image,
            command: ['wrap-rebinder'],
            volumes: ['/var/run/docker.sock:/var/run/docker.sock'],
            environment: { ANCHORD_WRAP_POLL_INTERVAL: '2s', ANCHORD_WRAP_RESTART_TIMEOUT: '3s' },
            restart: 'unless-stopped',
          },
          ...Object.fromEntries(
            wraps.map((name) => [
              name,
              {
                image: busybox,
                network_mode: `container:${target}`,
                // It ends at once: how long one may take is another test's matter.
                stop_signal: 'SIGKILL',
                restart: 'unless-stopped',
              },
            ]),
          ),
        },
      },
      `${space.id}w`,
    );
    await stack.up();
    await logged(stack, 'rebinder', 'wrap-rebinder: target pool refreshed');
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());
  // The one that was put aside goes after the new one has started.
  afterEach(async () => {
    await expect.poll(asides, { timeout: 60_000 }).toEqual([]);
  });

  it('are all made anew, each once, when it is; and a second look does nothing', async () => {
    const before = await ids();
    const since = Date.now() / 1_000;
    await remove();
    await run();
    await allJoined(90_000);
    const after = await ids();
    expect(after.filter((id) => before.includes(id))).toEqual([]);
    await logged(stack, 'rebinder', 'tracked target started, recreating affected wrap-anchors');
    await docker('restart', '--time', '1', await stack.containerOf('rebinder'));
    await waitFor(
      'the second start',
      async () =>
        (await stack.logs('rebinder')).filter(({ msg }) => msg === 'wrap-rebinder: target pool refreshed')
          .length >= 2,
      { timeoutMs: 60_000, everyMs: 100 },
    );
    expect(await ids()).toEqual(after);
    const { wraps: told } = await statusOf(space.host, await stack.containerOf('rebinder'));
    expect(told).toHaveLength(wraps.length);
    expect(told).toEqual(expect.arrayContaining(all().map((container) => ({ container, target }))));
    const until = String(Date.now() / 1_000);
    const made = await docker(
      ...['events', '--since', String(since), '--until', until, '--filter', 'event=create'],
      ...[
        '--filter',
        `label=com.docker.compose.project=${stack.name}`,
        '--format',
        '{{.Actor.Attributes.name}}',
      ],
    );
    expect(made.trim().split('\n').sort()).toEqual(all().sort());
  });

  it('are restarted, and not made anew, when it is restarted in place', async () => {
    const before = await ids();
    await docker('restart', '--time', '0', target);
    await allJoined(60_000);
    expect(await ids()).toEqual(before);
  });

  it('are not lost when it is away for longer than a poll, nor when the rebinder starts meanwhile', async () => {
    await remove();
    await stack.run('restart', '--timeout', '1', 'rebinder');
    await waitFor(
      'the third start',
      async () =>
        (await stack.logs('rebinder')).filter(({ msg }) => msg === 'wrap-rebinder starting').length >= 3,
      { timeoutMs: 60_000, everyMs: 100 },
    );
    await run();
    await allJoined(90_000);
  });

  it('are not fought over by two rebinders', async () => {
    await stack.run('up', '--detach', '--no-recreate', '--scale', 'rebinder=2', 'rebinder');
    const second = `${stack.name}-rebinder-2`;
    await waitFor(
      'the second rebinder',
      async () => (await docker('logs', second)).includes('target pool refreshed'),
      { timeoutMs: 60_000, everyMs: 100 },
    );
    await remove();
    await run();
    await allJoined(120_000);
    const settled = await ids();
    // Both have looked again since.
    await docker('restart', '--time', '1', second, `${stack.name}-rebinder-1`);
    await waitFor(
      'a look after the restart',
      async () =>
        (await docker('logs', second)).split('target pool refreshed').length >= 3 &&
        (await docker('logs', `${stack.name}-rebinder-1`)).split('target pool refreshed').length >= 4,
      { timeoutMs: 60_000, everyMs: 100 },
    );
    expect(await ids()).toEqual(settled);
    await docker('rm', '--force', second);
  });
});

describe('a wrap container that needs a moment to stop', () => {
  it('gets the time that is configured, before it is made anew', async () => {
    const target = space.name('slow');
    const volume = space.name('farewell');
    await docker('volume', 'create', ...space.labelled, volume);
    const run = () => docker('run', '--detach', '--name', target, ...space.labelled, busybox);
    await run();
    await using stack = await ComposeProject.create(
      space,
      {
        services: {
          rebinder: {
            image,
            command: ['wrap-rebinder'],
            volumes: ['/var/run/docker.sock:/var/run/docker.sock'],
            environment: { ANCHORD_WRAP_RESTART_TIMEOUT: '8s' },
          },
          slow: {
            image: busybox,
            command: [
              'sh',
              '-c',
              'trap "sleep 2; date > /farewell/said; exit 0" TERM; while :; do sleep 0.1; done',
            ],
            network_mode: `container:${target}`,
            volumes: [`${volume}:/farewell`],
            // Docker's own patience would not be enough.
            stop_grace_period: '1s',
          },
        },
        volumes: { [volume]: { external: true, name: volume } },
      },
      `${space.id}f`,
    );
    await stack.up();
    await logged(stack, 'rebinder', 'wrap-rebinder: target pool refreshed');
    await docker('rm', '--force', target);
    await run();
    await containers.joined(`${stack.name}-slow-1`, target, 60_000);
    const said = await docker(
      'run',
      '--rm',
      '--volume',
      `${volume}:/farewell`,
      busybox,
      'cat',
      '/farewell/said',
    );
    expect(said.trim()).not.toBe('');
  });
});
