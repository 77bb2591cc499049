/** What anchord asks of Docker: each feature with exactly the requests of the table, and without one of them. */
import {
  type Feature,
  featureRow,
  type PermissionName,
  permissions,
  switchesOf,
} from '@berth/anchord/permissions';
import { anchordImage } from '@berth/lab';
import { socketProxy } from '@berth/lab/fault-proxy';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComposeProject } from '../src/compose.ts';
import { diagnose, healthOf } from '../src/doctor.ts';
import { GuardedEngine, needsOf, warningOf } from '../src/guarded-engine.ts';
import { filterBridges, Harbour, logged } from '../src/harbour.ts';

let harbour: Harbour;
let engine: GuardedEngine;
let stack: ComposeProject;
let target: string;

const health = async (): Promise<string> => await healthOf(harbour.host, await stack.containerOf('anchord'));

/** In the log, in the readiness, and by the doctor. */
async function isNamedMissing(name: PermissionName): Promise<void> {
  const { request } = permissions[name];
  await logged(stack, 'anchord', 'docker refuses a request', (line) => line['request'] === request);
  await waitFor(`${name} in the readiness`, async () => (await health()).includes(warningOf(name)), {
    timeoutMs: 60_000,
  });
  const argv = ['docker', 'exec', await stack.containerOf('anchord'), 'anchord'];
  const found = await diagnose(harbour.host, argv, '--only', 'docker-permission');
  expect(found.exitCode).toBe(1);
  expect(found.of('docker-permission').map(({ subject }) => subject)).toContain(name);
}

const isOver = (name: PermissionName) =>
  waitFor(
    `${name} to be no problem any more`,
    async () => !(await health()).includes(`docker-permission: ${name}`),
    {
      timeoutMs: 60_000,
    },
  );

beforeAll(async () => {
  harbour = await Harbour.open();
  engine = await GuardedEngine.open(harbour);
  target = harbour.space.name('app');
  stack = await harbour.stack({
    host: 60,
    number: 42,
    env: {
      DOCKER_HOST: engine.address,
      ANCHORD_MANAGED_SA_TARGET: target,
      ANCHORD_POLL_INTERVAL: '1s',
    },
    anchor: { volumes: [engine.volume] },
  });
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  if (harbour !== undefined) {
    await harbour.host.exec(['docker', 'rm', '--force', `${target}-service-anchor`]);
    await harbour[Symbol.asyncDispose]();
  }
});

describe('a network-anchor', () => {
  it('serves its project with exactly what the table says, and asks for nothing else', async () => {
    engine.permit(['discovery', 'gateway', 'siblings', 'managed']);
    await stack.up();
    await harbour.reach(4, { host: 60 });
    await waitFor('readiness', async () => (await health()).startsWith('ready'), { timeoutMs: 60_000 });
    expect(engine.refused).toEqual([]);
    await waitFor('nothing to say', async () => (await health()) === 'ready\n', { timeoutMs: 60_000 });
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
    const first = await waitFor('the service-anchor', running, { timeoutMs: 60_000 });
    await harbour.host.docker('rm', '--force', target);
    await harbour.space.start('app', '--network', `${stack.name}_transit`, 'berth-lab/echo', '80/tcp');
    await waitFor(
      'the service-anchor in the new target',
      async () => {
        const now = await running();
        const { code } = await harbour.host.exec(['docker', 'inspect', first]);
        return now !== undefined && now !== first && code !== 0;
      },
      { timeoutMs: 60_000 },
    );
    const startedAt = () =>
      harbour.host.docker('inspect', '--format', '{{.State.StartedAt}}', `${target}-service-anchor`);
    const before = await startedAt();
    await harbour.host.docker('restart', '--time', '0', target);
    await waitFor(
      'the service-anchor in the new namespace of its target',
      async () => (await startedAt()) !== before,
      { timeoutMs: 60_000 },
    );
    expect(engine.refused).toEqual([]);
  });

  it('names each right that is taken from it, and that one only', async () => {
    const argv = ['docker', 'exec', await stack.containerOf('anchord'), 'anchord'];
    await engine.doctorNamesEach(argv, ['discovery', 'gateway', 'managed']);
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
      engine.forget();
      engine.permit([...base, feature]);
      await waitFor(`${feature} with ${name}`, done, { timeoutMs: 60_000 });
      await isOver(name);
      expect(engine.refused).toEqual([]);
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
    engine.permit([...base, 'siblings'], 'start');
    await host.docker('start', first);
    await needs('siblings', 'start', () => joined(first));

    engine.permit([...base, 'dependents'], 'rename');
    await host.docker('rm', '--force', first);
    const second = await owner('--label', `anchord.replaced=${first}`);
    await needs('dependents', 'rename', () => joined(second));

    const startedAt = () => host.docker('inspect', '--format', '{{.State.StartedAt}}', sibling);
    const before = await startedAt();
    engine.permit([...base, 'dependents'], 'restart');
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
      engine.permit(features);
      const without = await look();
      expect(without.codes('fine')).toEqual(['docker-permission']);
      expect(engine.refused.some((request) => request.endsWith('/info'))).toBe(true);
      engine.permitOnly([...needsOf(features), 'info']);
      expect((await look()).codes('problem')).toEqual(['bridge-netfilter']);
    } finally {
      await filterBridges(harbour.host, false);
    }
    // What the tests before have taken is noticed to be back at the next use.
    await waitFor('nothing to be missing', async () => !(await health()).includes('docker-permission'), {
      timeoutMs: 90_000,
    });
  });

  it.each([
    'events',
    'list',
  ] as const)('goes on without %s, and says what is missing until it is back', async (name) => {
    const features = ['discovery', 'gateway', 'siblings', 'managed'] as const;
    engine.permit(features, name);
    engine.proxy.cutConnections();
    await isNamedMissing(name);
    expect((await harbour.reach(4, { host: 60 })).source).toBe(harbour.clientAddress(4));
    engine.permit(features);
    await isOver(name);
  });

  it('starts without what a managed service-anchor needs, and says so before it is needed', async () => {
    engine.permit(['discovery', 'gateway']);
    await stack.run('restart', '--timeout', '5', 'anchord');
    await harbour.reach(4, { host: 60 });
    for (const name of ['create', 'start', 'remove', 'rename', 'restart'] as const)
      await isNamedMissing(name);
  });

  it('starts without the networks, and names what has its gateway unknown', async () => {
    engine.permit(['discovery', 'siblings', 'managed']);
    await stack.run('restart', '--timeout', '5', 'anchord');
    await isNamedMissing('network');
    expect(await health()).toContain('warning: gateway-unknown: ');
  });
});

describe('a socket proxy with switches', () => {
  it('allows a feature when it has those that the table names', async () => {
    engine.proxy.permit(socketProxy([...switchesOf('discovery'), ...switchesOf('gateway')]));
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
    const host = ['--env', `DOCKER_HOST=${engine.address}`, '--volume', engine.volume];
    return ['docker', 'run', '--rm', ...harbour.space.labelled, ...host, image];
  };

  it('lists dead namespaces with nothing but the list of containers', async () => {
    engine.permitOnly(['list']);
    const [command = '', ...rest] = await alone();
    const { code, stdout } = await harbour.host.exec([command, ...rest, 'doctor', 'stale-netns']);
    expect([code, stdout]).toEqual([0, 'No dead-netns dependents found.\n']);
  });

  it('names each right that it lacks', async () => {
    await engine.doctorNamesEach(await alone(), ['doctor']);
  });

  it('mends with what the table says for it, and says which step was refused without', async () => {
    const { space, host } = harbour;
    const owner = await space.start('mended-owner', '--stop-timeout', '1', 'berth-lab/busybox');
    await space.start(
      'mended',
      '--stop-timeout',
      '1',
      '--network',
      `container:${owner}`,
      'berth-lab/busybox',
    );
    await host.docker('restart', '--time', '0', owner);
    const fix = async () => await diagnose(host, await alone(), '--only', 'dead-namespace', '--fix');
    const { needs, wants = [] } = featureRow('doctor');
    engine.permitOnly([...needs, ...wants.filter((name) => name !== 'restart')]);
    const refused = await fix();
    expect([refused.exitCode, refused.said]).toEqual([
      1,
      expect.stringMatching(new RegExp(`^restart ${space.name('mended')}: failed: .*403`)),
    ]);
    engine.permitOnly([...needs, ...wants]);
    engine.forget();
    const mended = await fix();
    expect([mended.exitCode, mended.said]).toEqual([0, `restart ${space.name('mended')}: done\n\n`]);
    expect(engine.refused).toEqual([]);
  });

  it('says what it could not look at, and why', async () => {
    engine.permit(['doctor']);
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
