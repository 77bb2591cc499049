/** F-43 and F-45 on a real engine: siblings that wait for their target, and a service-anchor that is made for one. */
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anchorImage, anchorProject, anchorProjectFile } from '../src/anchor-project.ts';
import type { ComposeProject } from '../src/compose.ts';
import { Containers } from '../src/docker.ts';
import { statusOf } from '../src/doctor.ts';
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

describe('a sibling that was created before its target', () => {
  it('runs as soon as Docker tells of the start of the target; one of somebody else is left alone', async () => {
    const name = `${harbour.space.id}s`;
    const target = harbour.space.name('late');
    await using stack = await anchorProject(harbour, {
      name,
      host: 60,
      // Nothing but the event lets it look.
      env: { ANCHORD_POLL_INTERVAL: '1h' },
      services: {
        'late-anchor': {
          image: await anchorImage(harbour),
          command: ['service-anchor'],
          cap_add: ['NET_ADMIN'],
          network_mode: `container:${target}`,
          environment: { ANCHORD_GATEWAY_IP: '172.31.0.1', ANCHORD_METRICS_ADDR: '' },
        },
      },
    });
    await stack.up('anchord');
    await stack.run('up', '--detach', 'late-anchor').catch(() => undefined);
    expect((await containers.get(`${name}-late-anchor-1`)).status).toBe('created');
    const foreign = harbour.space.name('foreign');
    await docker(
      'create',
      '--name',
      foreign,
      ...harbour.space.labelled,
      '--network',
      `container:${target}`,
      busybox,
    );
    await logged(stack, 'anchord', 'reconciled');
    await spawn(target);
    const sibling = await containers.joined(`${name}-late-anchor-1`, target);
    const started = [await containers.get(target), sibling].map(({ startedAt }) => Date.parse(startedAt));
    expect((started[1] ?? 0) - (started[0] ?? 0)).toBeLessThan(5_000);
    const line = await logged(stack, 'anchord', 'auto-starting sibling waiting for target');
    expect(line).toMatchObject({ target, source: 'event' });
    expect((await containers.get(foreign)).status).toBe('created');
    await docker('rm', '--force', target, foreign);
  });
});

describe('a managed service-anchor', () => {
  let stack: ComposeProject;
  let name: string;
  let target: string;
  let anchor: string;
  const subnet = '172.30.61.0/24';

  const env = () => ({
    ANCHORD_MANAGED_SA_TARGET: target,
    ANCHORD_MANAGED_SA_LABELS: '{"anchord.expose":"tcp/80"}',
    ANCHORD_MANAGED_SA_EXTRA_ENV: '{"ANCHORD_METRICS_ADDR":""}',
  });

  beforeAll(async () => {
    name = `${harbour.space.id}m`;
    target = harbour.space.name('target');
    anchor = `${target}-service-anchor`;
    stack = await anchorProject(harbour, { name, host: 61, subnet, env: env() });
    await stack.up();
    await logged(stack, 'anchord', 'managed service-anchor recipe active');
  });
  afterAll(async () => {
    await docker('rm', '--force', anchor, target).catch(() => undefined);
    await stack?.[Symbol.asyncDispose]();
  });

  /** The anchor stands in the target's namespace, and is another container than before. */
  const renewed = async (before: string): Promise<void> => {
    await waitFor(
      'another service-anchor',
      async () => {
        const now = await containers.find(anchor);
        return now !== undefined && now.id !== before && now.status === 'running';
      },
      { timeoutMs: 60_000, everyMs: 100 },
    );
    await containers.joined(anchor, target);
  };

  it('is made when its target appears, as the contract says', async () => {
    await spawn(target);
    const made = await containers.joined(anchor, target);
    expect(made.networkMode).toBe(`container:${(await containers.get(target)).id}`);
    const own = await stack.inspect(
      'anchord',
      `{{(index .NetworkSettings.Networks "${name}_transit").IPAddress}}`,
    );
    expect(made.env).toEqual(
      expect.arrayContaining([
        'ANCHORD_MODE=service-anchor',
        `ANCHORD_GATEWAY_IP=${own}`,
        'ANCHORD_LOG_LEVEL=info',
        'ANCHORD_METRICS_ADDR=',
      ]),
    );
    expect(made.labels).toMatchObject({ 'anchord.managed-by': 'f45', 'anchord.expose': 'tcp/80' });
    expect(Object.keys(made.labels).filter((key) => key.startsWith('com.docker.compose'))).toEqual([]);
    const line = await logged(stack, 'anchord', 'created and started managed service-anchor');
    // A poll that falls into the same moment may be the first to see it.
    expect(line).toMatchObject({ name: anchor, target, source: expect.stringMatching(/^(event|poll)$/) });
    const told = await statusOf(harbour.host, await stack.containerOf('anchord'));
    expect(told['managed']).toEqual({ name: anchor, target });
  });

  it('follows a target that is re-created from outside, and takes what hangs on it along', async () => {
    const before = await containers.get(anchor);
    const dependent = harbour.space.name('dependent');
    await spawn(dependent, '--network', `container:${anchor}`, '--restart', 'unless-stopped');
    await docker('rm', '--force', target);
    await spawn(target);
    await renewed(before.id);
    const line = await logged(stack, 'anchord', 'managed service-anchor needs recreate');
    expect(line).toMatchObject({
      reason: 'stale_netns',
      current_target_id: (await containers.get(target)).id,
    });
    const rebound = await containers.joined(dependent, target);
    expect(rebound.networkMode).toBe(`container:${(await containers.get(anchor)).id}`);
    await logged(
      stack,
      'anchord',
      'rebound dead-netns dependent to new service-anchor',
      (one) => one['dependent'] === dependent,
    );
    await docker('rm', '--force', dependent);
  });

  it('joins the new namespace of a target that is restarted in place', async () => {
    const before = await containers.get(anchor);
    await docker('restart', '--time', '0', target);
    await containers.joined(anchor, target);
    expect((await containers.get(anchor)).id).toBe(before.id);
  });

  it('comes back when somebody removes it', async () => {
    const before = await containers.get(anchor);
    await docker('rm', '--force', anchor);
    await renewed(before.id);
    expect(await logged(stack, 'anchord', 'managed service-anchor gone; respawning')).toMatchObject({
      name: anchor,
      target,
      reason: 'absent',
    });
  });

  it('comes back when somebody kills it', async () => {
    await docker('kill', anchor);
    await containers.joined(anchor, target);
  });

  it('follows our address on the shared network', async () => {
    const before = await containers.get(anchor);
    const own = await stack.containerOf('anchord');
    const address = '172.30.61.77';
    await docker('network', 'disconnect', `${name}_transit`, own);
    await docker('network', 'connect', '--ip', address, `${name}_transit`, own);
    await renewed(before.id);
    expect((await containers.get(anchor)).env).toContain(`ANCHORD_GATEWAY_IP=${address}`);
    await logged(
      stack,
      'anchord',
      'managed service-anchor needs recreate',
      (one) => one['reason'] === 'gateway_changed',
    );
  });

  it('follows our image, once we run another one', async () => {
    const before = await containers.get(anchor);
    const image = `berth-test/anchord-next:${harbour.space.id}`;
    await docker('tag', await anchorImage(harbour), image);
    const own = await docker('create', '--label', 'next=1', image);
    await docker('commit', '--change', 'LABEL next=1', own.trim(), image);
    await docker('rm', own.trim());
    await stack.rewrite(await anchorProjectFile(harbour, { name, host: 61, subnet, env: env(), image }));
    await stack.up();
    await renewed(before.id);
    await logged(
      stack,
      'anchord',
      'managed service-anchor needs recreate',
      (one) => one['reason'] === 'image_drift',
    );
    expect((await containers.get(anchor)).image).toBe(
      (await containers.get(await stack.containerOf('anchord'))).image,
    );
  });

  it('is never made of a container that is not ours, whatever its name', async () => {
    await docker('rm', '--force', target);
    await docker('rm', '--force', anchor);
    await spawn(anchor);
    const foreign = await containers.get(anchor);
    await spawn(target);
    const line = await logged(
      stack,
      'anchord',
      'managed service-anchor name belongs to another container; leaving it alone',
    );
    expect(line['container_id']).toBe(foreign.id);
    await docker('restart', '--time', '0', target);
    await stack.run('restart', 'anchord');
    await waitFor(
      'the second start of the anchor, and its first look',
      async () => {
        const lines = (await stack.logs('anchord')).map(({ msg }) => msg);
        return lines.filter((msg) => msg.endsWith('leaving it alone')).length >= 2;
      },
      { timeoutMs: 60_000, everyMs: 100 },
    );
    expect((await containers.get(anchor)).startedAt).toBe(foreign.startedAt);
  });
});
