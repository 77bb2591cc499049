/** `docker stop`, however early it comes: the anchor hears it, ends in order, and in time. */
import { waitFor } from '@berth/lab/testing';
import { handles } from '@berth/service/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anchorImage } from '../src/anchor-project.ts';
import { Harbour } from '../src/harbour.ts';

let harbour: Harbour;
let image: string;
beforeAll(async () => {
  harbour = await Harbour.open();
  image = await anchorImage(harbour);
});
afterAll(() => harbour?.[Symbol.asyncDispose]());

describe('an anchor that is told to stop', () => {
  const stopped = async (id: string, ...options: readonly string[]): Promise<string> => {
    await harbour.host.docker('stop', ...options, id);
    return (await harbour.host.docker('inspect', '--format', '{{.State.ExitCode}}', id)).trim();
  };
  /** Node handles the signal, long before a line of ours runs. Until then the kernel keeps it from a first process. */
  const listens = async (id: string): Promise<boolean> => {
    const pid = (await harbour.host.docker('inspect', '--format', '{{.State.Pid}}', id)).trim();
    const { stdout } = await harbour.host.exec(['cat', `/proc/${pid}/status`]);
    return /^Name:\s*node/m.test(stdout) && handles(stdout, 'SIGTERM') === true;
  };
  const socket = ['--volume', '/var/run/docker.sock:/var/run/docker.sock', '--cap-add', 'NET_ADMIN'];
  const project = ['--env', 'ANCHORD_PROJECT=nobody', '--env', 'COMPOSE_PROJECT_NAME=nobody'];

  it.each([
    'network-anchor',
    'service-anchor',
    'external-rebinder',
    'wrap-rebinder',
  ])('as soon as it was started hears it all the same: %s', async (mode) => {
    const follow = ['--env', 'ANCHORD_FOLLOW_NETWORK=nothing', '--env', 'ANCHORD_FOLLOW_TARGET=nobody'];
    const id = await harbour.space.start(`hasty-${mode}`, ...socket, ...project, ...follow, image, mode);
    await waitFor('Node to begin', () => listens(id), { timeoutMs: 60_000, everyMs: 5 });
    expect(await stopped(id, '--time', '10')).toBe('0');
  });

  it('does not wait for a name that the resolver does not find', async () => {
    const network = harbour.space.name('nameless');
    await harbour.host.docker('network', 'create', '--internal', ...harbour.space.labelled, network);
    const on = ['--network', network, '--cap-add', 'NET_ADMIN', '--env', 'ANCHORD_LOG_LEVEL=debug'];
    const id = await harbour.space.start('asking', ...on, image, 'service-anchor');
    await waitFor(
      'it to ask',
      async () => (await harbour.host.docker('logs', id)).includes('service-anchor starting (DNS mode)'),
      { timeoutMs: 60_000 },
    );
    expect(await stopped(id, '--time', '5')).toBe('0');
  });

  it('ends in order before it has found its interface', async () => {
    const settings = ['ANCHORD_PROJECT=mail', 'ANCHORD_EXT_NETWORK=nowhere', 'ANCHORD_LOG_LEVEL=debug'];
    const options = settings.flatMap((setting) => ['--env', setting]);
    const id = await harbour.space.start('early', ...socket, ...options, image);
    const logs = () => harbour.host.docker('logs', id);
    await waitFor(
      'it to look for its interface',
      async () => (await logs()).includes('external interface not resolved yet'),
      { timeoutMs: 60_000 },
    );
    expect(await stopped(id, '--time', '10')).toBe('0');
    expect(await logs()).toContain('"signal received, shutting down"');
    expect(await logs()).not.toContain('"fatal"');
  });
});
