/** What the rebinders ask of Docker: with exactly the requests of the table, and without one of them. */
import type { PermissionName } from '@berth/anchord/permissions';
import { anchordImage } from '@berth/lab';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diagnose, healthOf } from '../src/doctor.ts';
import { GuardedEngine, warningOf } from '../src/guarded-engine.ts';
import { Harbour } from '../src/harbour.ts';

let harbour: Harbour;
let engine: GuardedEngine;

beforeAll(async () => {
  harbour = await Harbour.open();
  engine = await GuardedEngine.open(harbour);
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await harbour?.[Symbol.asyncDispose]();
});

describe('a rebinder', () => {
  const ready = (id: string) =>
    waitFor('the rebinder to be ready', async () => (await healthOf(harbour.host, id)) === 'ready\n', {
      timeoutMs: 60_000,
    });
  const rebinder = async (
    mode: 'wrap-rebinder' | 'external-rebinder',
    env: Readonly<Record<string, string>>,
  ) => {
    const image = await anchordImage(harbour.host, () => undefined);
    const all = { DOCKER_HOST: engine.address, ...env };
    const options = Object.entries(all).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    return await harbour.space.start(mode, ...options, '--volume', engine.volume, image, mode);
  };
  /** All of it is missing, and is said to be before any of it is needed. */
  const missesItsRights = async (id: string, names: readonly PermissionName[]): Promise<void> => {
    engine.permit(['discovery', 'gateway']);
    await harbour.host.docker('restart', '--time', '5', id);
    for (const name of names) {
      await waitFor(
        `${name} in the readiness`,
        async () => (await healthOf(harbour.host, id)).includes(warningOf(name)),
        {
          timeoutMs: 60_000,
        },
      );
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
    engine.forget();
    engine.permit(['wrap-rebinder']);
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
    await waitFor('the guest in the network of the new owner', joined, { timeoutMs: 60_000 });
    const startedAt = () => host.docker('inspect', '--format', '{{.State.StartedAt}}', space.name('guest'));
    const before = await startedAt();
    await host.docker('restart', '--time', '0', next);
    const followed = async (): Promise<boolean> => (await startedAt()) !== before && (await joined());
    await waitFor('the guest in the new namespace of its owner', followed, { timeoutMs: 60_000 });
    expect(engine.refused).toEqual([]);
    const inside = await diagnose(host, ['docker', 'exec', id, 'anchord']);
    expect([inside.role, inside.codes('problem')]).toEqual(['wrap-rebinder', []]);
    expect(inside.codes('skipped')).toEqual(
      expect.arrayContaining(['external-network', 'tables-differ', 'no-lease']),
    );
    await engine.doctorNamesEach(['docker', 'exec', id, 'anchord'], ['wrap-rebinder']);
    await missesItsRights(id, ['create', 'start', 'stop', 'rename', 'remove', 'restart']);
  });

  it('re-attaches a follower with exactly what the table says', async () => {
    const { space, host } = harbour;
    engine.forget();
    const features = ['external-rebinder', 'follower-restart'] as const;
    engine.permit(features);
    const network = space.name('followed');
    const make = (): Promise<string> => host.docker('network', 'create', ...space.labelled, network);
    await make();
    await space.start('follower', 'berth-lab/busybox');
    await host.docker('network', 'connect', network, space.name('follower'));
    const id = await rebinder('external-rebinder', {
      ANCHORD_FOLLOW_NETWORK: network,
      ANCHORD_FOLLOW_TARGET: space.name('follower'),
      ANCHORD_FOLLOW_EVENT_BACKOFF: '100ms',
      ANCHORD_FOLLOW_RESTART: 'true',
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
    await waitFor('the follower on the new network', attached, { timeoutMs: 60_000 });
    await waitFor(
      'the follower to be restarted',
      async () => (await host.docker('logs', id)).includes('"reattach: follower restarted"'),
      { timeoutMs: 60_000 },
    );
    expect(engine.refused).toEqual([]);
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
    await engine.doctorNamesEach(['docker', 'exec', id, 'anchord'], ['external-rebinder']);
    await missesItsRights(id, ['connect', 'disconnect', 'restart']);
  });
});
