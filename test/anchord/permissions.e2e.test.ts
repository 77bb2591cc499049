/** What anchord asks of Docker: each feature with exactly the requests of the table, and without one of them. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Feature,
  featureRow,
  type PermissionName,
  permissions,
  switchesOf,
} from '@berth/anchord/permissions';
import { anchordImage } from '@berth/lab';
import { allowOnly, FaultProxy, socketProxy } from '@berth/lab/fault-proxy';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComposeProject } from '../src/compose.ts';
import { diagnose } from '../src/doctor.ts';
import { filterBridges, Harbour, logged } from '../src/harbour.ts';

let harbour: Harbour;
let proxy: FaultProxy;
let stack: ComposeProject;
let target: string;

const signOfLife = ['GET /_ping', 'GET /version'];
/** Exactly what the table says, but for one thing. */
const exactly = (features: readonly Feature[], without?: PermissionName) =>
  allowOnly([...signOfLife, ...featureRequests(features, without)]);
const featureRequests = (features: readonly Feature[], without?: PermissionName): readonly string[] =>
  features
    .flatMap((feature) => featureRow(feature).needs)
    .filter((name) => name !== without)
    .map((name) => permissions[name].request);

const refused = (): readonly string[] => [
  ...new Set(
    proxy.exchanges.flatMap(({ method, url, status }) =>
      status === 403 ? [`${method} ${url.split('?')[0]}`] : [],
    ),
  ),
];

const healthOf = async (id: string): Promise<string> =>
  (await harbour.host.exec(['docker', 'exec', id, 'anchord', 'health'])).stdout;
const health = async (): Promise<string> => await healthOf(await stack.containerOf('anchord'));
const warningOf = (name: PermissionName): string =>
  `warning: docker-permission: ${name}: may not ${permissions[name].what}`;

/** In the log, in the readiness, and by the doctor. */
async function isNamedMissing(name: PermissionName): Promise<void> {
  const { request } = permissions[name];
  await logged(stack, 'anchord', 'docker refuses a request', (line) => line['request'] === request);
  await waitFor(`${name} in the readiness`, async () => (await health()).includes(warningOf(name)), {
    timeoutMs: 20_000,
  });
  const argv = ['docker', 'exec', await stack.containerOf('anchord'), 'anchord'];
  const found = await diagnose(harbour.host, argv, '--only', 'docker-permission');
  expect(found.exitCode).toBe(1);
  expect(found.of('docker-permission').map(({ subject }) => subject)).toContain(name);
}

/** Takes one right at a time from what runs, and asks the doctor in there. */
async function doctorNamesEach(argv: readonly string[], features: readonly Feature[]): Promise<void> {
  for (const name of new Set(features.flatMap((feature) => featureRow(feature).needs))) {
    proxy.permit(exactly(features, name));
    const found = await diagnose(harbour.host, argv, '--only', 'docker-permission');
    expect(
      found.of('docker-permission').map(({ subject }) => subject),
      `without ${name}`,
    ).toEqual([name]);
  }
  proxy.permit(exactly(features));
  const found = await diagnose(harbour.host, argv, '--only', 'docker-permission');
  expect(found.codes('fine')).toEqual(['docker-permission']);
}

const isOver = (name: PermissionName) =>
  waitFor(
    `${name} to be no problem any more`,
    async () => !(await health()).includes(`docker-permission: ${name}`),
    {
      timeoutMs: 20_000,
    },
  );

beforeAll(async () => {
  harbour = await Harbour.open();
  const folder = harbour.space.name('engine');
  await mkdir(join(harbour.host.runFolder, folder), { recursive: true });
  proxy = await FaultProxy.start(
    { socketPath: harbour.host.socketPath },
    { socketPath: join(harbour.host.runFolder, folder, 'engine.sock') },
  );
  target = harbour.space.name('app');
  stack = await harbour.stack({
    host: 60,
    number: 42,
    env: {
      DOCKER_HOST: 'unix:///run/engine/engine.sock',
      ANCHORD_MANAGED_SA_TARGET: target,
      ANCHORD_POLL_INTERVAL: '1s',
    },
    anchor: { volumes: [`/run/${folder}:/run/engine`] },
  });
});
afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  if (harbour !== undefined) {
    await harbour.host.exec(['docker', 'rm', '--force', `${target}-service-anchor`]);
    await harbour[Symbol.asyncDispose]();
  }
});

describe('a network-anchor', () => {
  it('serves its project with exactly what the table says, and asks for nothing else', async () => {
    proxy.permit(exactly(['discovery', 'gateway', 'siblings', 'managed']));
    await stack.up();
    await harbour.reach(4, { host: 60 });
    await waitFor('readiness', async () => (await health()).startsWith('ready'), { timeoutMs: 20_000 });
    expect(refused()).toEqual([]);
    expect(await health()).toBe('ready\n');
  });

  it('manages a service-anchor with it, from its creation to its re-creation', async () => {
    await harbour.space.start('app', '--network', `${stack.name}_transit`, 'berth-lab/echo', '80/tcp');
    const running = async (): Promise<string | undefined> => {
      const format = '{{.State.Running}} {{.Id}}';
      const { stdout } = await harbour.host.exec([
        'docker',
        'inspect',
        '--format',
        format,
        `${target}-service-anchor`,
      ]);
      return stdout.startsWith('true ') ? stdout.slice(5).trim() : undefined;
    };
    const first = await waitFor('the service-anchor', running, { timeoutMs: 30_000 });
    await harbour.host.docker('rm', '--force', target);
    await harbour.space.start('app', '--network', `${stack.name}_transit`, 'berth-lab/echo', '80/tcp');
    await waitFor(
      'the service-anchor in the new target',
      async () => {
        const now = await running();
        const { code } = await harbour.host.exec(['docker', 'inspect', first]);
        return now !== undefined && now !== first && code !== 0;
      },
      { timeoutMs: 40_000 },
    );
    expect(refused()).toEqual([]);
  });

  it('names each right that is taken from it, and that one only', async () => {
    const argv = ['docker', 'exec', await stack.containerOf('anchord'), 'anchord'];
    await doctorNamesEach(argv, ['discovery', 'gateway', 'managed']);
  });

  it('starts siblings, and brings dependents to their owner, with what the table says for each', async () => {
    const { space, host } = harbour;
    const base = ['discovery', 'gateway'] as const;
    const ofProject = ['--label', `com.docker.compose.project=${stack.name}`];
    const sibling = space.name('sibling');
    const joined = async (owner: string): Promise<boolean> => {
      const format = '{{.State.Running}} {{.HostConfig.NetworkMode}}';
      const { stdout } = await host.exec(['docker', 'inspect', '--format', format, sibling]);
      return stdout.trim() === `true container:${owner}`;
    };
    /** Names what is missing, and does it as soon as it is allowed. */
    const needs = async (feature: Feature, name: PermissionName, done: () => Promise<boolean>) => {
      await isNamedMissing(name);
      expect(await done()).toBe(false);
      proxy.exchanges.length = 0;
      proxy.permit(exactly([...base, feature]));
      await waitFor(`${feature} with ${name}`, done, { timeoutMs: 60_000 });
      await isOver(name);
      expect(refused()).toEqual([]);
    };
    const owner = (...options: readonly string[]) =>
      space.start('sibling-owner', ...ofProject, '--stop-timeout', '1', ...options, 'berth-lab/busybox');
    const first = await owner();
    const options = [...space.labelled, ...ofProject, '--stop-timeout', '1'];
    await host.docker('stop', first);
    await host.docker(
      'create',
      '--name',
      sibling,
      ...options,
      '--network',
      `container:${first}`,
      'berth-lab/busybox',
    );
    proxy.permit(exactly([...base, 'siblings'], 'start'));
    await host.docker('start', first);
    await needs('siblings', 'start', () => joined(first));

    proxy.permit(exactly([...base, 'dependents'], 'rename'));
    await host.docker('rm', '--force', first);
    const second = await owner('--label', `anchord.replaced=${first}`);
    await needs('dependents', 'rename', () => joined(second));

    const startedAt = () => host.docker('inspect', '--format', '{{.State.StartedAt}}', sibling);
    const before = await startedAt();
    proxy.permit(exactly([...base, 'dependents'], 'restart'));
    await host.docker('restart', second);
    await needs('dependents', 'restart', async () => (await startedAt()) !== before);
    await host.docker('rm', '--force', sibling, second);
  });

  it('does without the right to ask the engine about itself', async () => {
    const argv = ['docker', 'exec', await stack.containerOf('anchord'), 'anchord'];
    const look = () =>
      diagnose(
        harbour.host,
        argv,
        ...['bridge-netfilter', 'docker-permission'].flatMap((code) => ['--only', code]),
      );
    const features = ['discovery', 'gateway', 'siblings', 'managed'] as const;
    await filterBridges(harbour.host, true);
    try {
      proxy.permit(exactly(features));
      const without = await look();
      expect(without.codes('fine')).toEqual(['docker-permission']);
      expect(refused().some((request) => request.endsWith('/info'))).toBe(true);
      proxy.permit(allowOnly([...signOfLife, ...featureRequests(features), permissions.info.request]));
      expect((await look()).codes('problem')).toEqual(['bridge-netfilter']);
    } finally {
      await filterBridges(harbour.host, false);
    }
    expect(await health()).not.toContain('docker-permission');
  });

  it.each([
    'events',
    'list',
  ] as const)('goes on without %s, and says what is missing until it is back', async (name) => {
    const features = ['discovery', 'gateway', 'siblings', 'managed'] as const;
    proxy.permit(exactly(features, name));
    proxy.cutConnections();
    await isNamedMissing(name);
    expect((await harbour.reach(4, { host: 60 })).source).toBe(harbour.clientAddress(4));
    proxy.permit(exactly(features));
    await isOver(name);
  });

  it('starts without what a managed service-anchor needs, and says so before it is needed', async () => {
    proxy.permit(exactly(['discovery', 'gateway']));
    await stack.run('restart', '--timeout', '5', 'anchord');
    await harbour.reach(4, { host: 60 });
    for (const name of ['create', 'start', 'remove', 'rename'] as const) await isNamedMissing(name);
  });

  it('starts without the networks, and names what has its gateway unknown', async () => {
    proxy.permit(exactly(['discovery', 'siblings', 'managed']));
    await stack.run('restart', '--timeout', '5', 'anchord');
    await isNamedMissing('network');
    expect(await health()).toContain('warning: gateway-unknown: ');
  });
});

describe('a rebinder', () => {
  const ready = (id: string) =>
    waitFor('the rebinder to be ready', async () => (await healthOf(id)) === 'ready\n', {
      timeoutMs: 30_000,
    });
  const rebinder = async (
    mode: 'wrap-rebinder' | 'external-rebinder',
    env: Readonly<Record<string, string>>,
  ) => {
    const image = await anchordImage(harbour.host, () => undefined);
    const folder = harbour.space.name('engine');
    const all = { DOCKER_HOST: 'unix:///run/engine/engine.sock', ...env };
    const options = Object.entries(all).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    return await harbour.space.start(mode, ...options, '--volume', `/run/${folder}:/run/engine`, image, mode);
  };
  /** All of it is missing, and is said to be before any of it is needed. */
  const missesItsRights = async (id: string, names: readonly PermissionName[]): Promise<void> => {
    proxy.permit(exactly(['discovery', 'gateway']));
    await harbour.host.docker('restart', '--time', '5', id);
    for (const name of names) {
      await waitFor(`${name} in the readiness`, async () => (await healthOf(id)).includes(warningOf(name)), {
        timeoutMs: 20_000,
      });
    }
    const found = await diagnose(
      harbour.host,
      ['docker', 'exec', id, 'anchord'],
      '--only',
      'docker-permission',
    );
    expect(
      found
        .of('docker-permission')
        .map(({ subject }) => subject)
        .toSorted(),
    ).toEqual(names.toSorted());
  };

  it('re-creates wrap containers with exactly what the table says', async () => {
    const { space, host } = harbour;
    proxy.exchanges.length = 0;
    proxy.permit(exactly(['wrap-rebinder']));
    const project = space.name('wrap');
    const owner = (): Promise<string> => space.start('owner', 'berth-lab/busybox');
    await owner();
    const compose = [`com.docker.compose.project=${project}`, 'com.docker.compose.service=guest'];
    const labels = compose.flatMap((label) => ['--label', label]);
    await space.start(
      'guest',
      ...labels,
      '--network',
      `container:${space.name('owner')}`,
      'berth-lab/busybox',
    );
    const id = await rebinder('wrap-rebinder', {
      COMPOSE_PROJECT_NAME: project,
      ANCHORD_WRAP_POLL_INTERVAL: '1s',
    });
    await ready(id);
    await host.docker('rm', '--force', space.name('owner'));
    const next = await owner();
    const joined = async (): Promise<boolean> => {
      const format = '{{.State.Running}} {{.HostConfig.NetworkMode}}';
      const { stdout } = await host.exec(['docker', 'inspect', '--format', format, space.name('guest')]);
      // The old one is gone as well: that is the end of it.
      const all = await host.docker('ps', '--all', '--quiet', '--filter', `name=${space.name('guest')}`);
      return stdout.trim() === `true container:${next}` && all.trim().split('\n').length === 1;
    };
    await waitFor('the guest in the network of the new owner', joined, { timeoutMs: 40_000 });
    expect(refused()).toEqual([]);
    const inside = await diagnose(host, ['docker', 'exec', id, 'anchord']);
    expect([inside.role, inside.codes('problem')]).toEqual(['wrap-rebinder', []]);
    expect(inside.codes('skipped')).toEqual(
      expect.arrayContaining(['external-network', 'tables-differ', 'no-lease']),
    );
    await doctorNamesEach(['docker', 'exec', id, 'anchord'], ['wrap-rebinder']);
    await missesItsRights(id, ['create', 'start', 'stop', 'rename', 'remove']);
  });

  it('re-attaches a follower with exactly what the table says', async () => {
    const { space, host } = harbour;
    proxy.exchanges.length = 0;
    proxy.permit(exactly(['external-rebinder']));
    const network = space.name('followed');
    const make = (): Promise<string> => host.docker('network', 'create', ...space.labelled, network);
    await make();
    await space.start('follower', 'berth-lab/busybox');
    await host.docker('network', 'connect', network, space.name('follower'));
    const id = await rebinder('external-rebinder', {
      ANCHORD_FOLLOW_NETWORK: network,
      ANCHORD_FOLLOW_TARGET: space.name('follower'),
      ANCHORD_FOLLOW_EVENT_BACKOFF: '100ms',
    });
    await ready(id);
    await host.docker('network', 'disconnect', '--force', network, space.name('follower'));
    await host.docker('network', 'rm', network);
    const made = (await make()).trim();
    // The other stack is up again when there is somebody of it on the network.
    await space.start('peer', '--network', network, 'berth-lab/busybox');
    const attached = async (): Promise<boolean> => {
      const format = `{{with index .NetworkSettings.Networks "${network}"}}{{.NetworkID}}{{end}}`;
      return (await host.docker('inspect', '--format', format, space.name('follower'))).trim() === made;
    };
    await waitFor('the follower on the new network', attached, { timeoutMs: 40_000 });
    expect(refused()).toEqual([]);
    const inside = await diagnose(host, ['docker', 'exec', id, 'anchord']);
    expect([inside.role, inside.codes('problem')]).toEqual(['external-rebinder', []]);
    expect(inside.codes('fine')).toEqual(
      expect.arrayContaining([
        'docker-permission',
        'event-stream',
        'process-silent',
        'follower-detached',
        'dead-namespace',
      ]),
    );
    await doctorNamesEach(['docker', 'exec', id, 'anchord'], ['external-rebinder']);
    await missesItsRights(id, ['connect', 'disconnect']);
  });
});

describe('a socket proxy with switches', () => {
  it('allows a feature when it has those that the table names', async () => {
    proxy.permit(socketProxy([...switchesOf('discovery'), ...switchesOf('gateway')]));
    await stack.run('restart', '--timeout', '5', 'anchord');
    await harbour.reach(4, { host: 60 });
    const argv = ['docker', 'exec', await stack.containerOf('anchord'), 'anchord'];
    const found = await diagnose(harbour.host, argv, '--only', 'docker-permission');
    // The managed service-anchor would need POST.
    expect(found.of('docker-permission').map(({ subject }) => subject)).toEqual(
      expect.arrayContaining(['create', 'start', 'stop', 'rename', 'remove']),
    );
    expect(found.of('docker-permission')[0]?.detail).toContain('POST=1');
  });
});

describe('the doctor in a container of its own', () => {
  const alone = async (): Promise<readonly string[]> => {
    const image = await anchordImage(harbour.host, () => undefined);
    const folder = harbour.space.name('engine');
    const host = [
      '--env',
      'DOCKER_HOST=unix:///run/engine/engine.sock',
      '--volume',
      `/run/${folder}:/run/engine`,
    ];
    return ['docker', 'run', '--rm', ...harbour.space.labelled, ...host, image];
  };

  it('lists dead namespaces with nothing but the list of containers', async () => {
    proxy.permit(allowOnly([...signOfLife, permissions.list.request]));
    const [command = '', ...rest] = await alone();
    const { code, stdout } = await harbour.host.exec([command, ...rest, 'doctor', 'stale-netns']);
    expect([code, stdout]).toEqual([0, 'No dead-netns dependents found.\n']);
  });

  it('names each right that it lacks', async () => {
    await doctorNamesEach(await alone(), ['doctor']);
  });

  it('says what it could not look at, and why', async () => {
    proxy.permit(exactly(['doctor']));
    const found = await diagnose(harbour.host, await alone());
    expect(found.exitCode).not.toBe(0);
    expect(found.codes('fine')).toEqual(
      expect.arrayContaining(['docker-unreachable', 'docker-permission', 'dead-namespace']),
    );
    expect(found.codes('unknown')).toContain('stale-network');
    expect(found.codes('problem')).toEqual(['event-stream']);
    expect(found.of('event-stream')[0]?.detail).toContain('403');
  });
});
