/** The examples in which containers come and go, brought up by the commands of their guides; then they come and go. */
import { echoServing } from '@berth/lab';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stillLeaving } from '../src/compose.ts';
import { Containers } from '../src/docker.ts';
import { Example } from '../src/example.ts';
import { Harbour } from '../src/harbour.ts';

let harbour: Harbour;
beforeAll(async () => {
  harbour = await Harbour.open();
  // A host has one network for each LAN, and the guide makes it.
  await harbour.host.docker('network', 'rm', harbour.lan);
});
afterAll(() => harbour?.[Symbol.asyncDispose]());

const docker = (...args: readonly string[]) => harbour.host.docker(...args);
const lan = /^docker network create|^sysctl/;

describe('managed: a container that comes at run time', () => {
  it('is reached at an address of its own, and again after it was replaced', async () => {
    await using example = await Example.open(harbour, 'managed', {
      applications: {},
      projects: { outposts: [] },
      networks: ['lan'],
    });
    await example.follow('anchord-greenfield.md', lan);
    await example.follow('anchord-managed.md', /docker compose up -d$/);
    const image = await echoServing(harbour.host, 'berth-test/outpost', '6636/tcp');
    const spawn = () => docker('run', '-d', '--name', 'outpost', '--network', 'outposts_transit', image);
    try {
      await spawn();
      const reach = () => harbour.reach(4, { host: 54, port: 636, timeoutMs: 60_000 });
      const first = await reach();
      expect(first).toMatchObject({ source: harbour.clientAddress(4), port: 6636 });
      await docker('rm', '--force', 'outpost');
      await spawn();
      await new Containers(harbour.space).joined('outpost-service-anchor', 'outpost', 60_000);
      expect(await reach()).toMatchObject({ source: harbour.clientAddress(4), port: 6636 });
    } finally {
      await docker('rm', '--force', 'outpost').catch(() => undefined);
      // As the guide says; and only when nobody would make it again.
      await docker('rm', '--force', 'outpost-service-anchor').catch(() => undefined);
    }
  });
});

describe('wrap: a stack of somebody else that is made anew', () => {
  it('is reached again, because the rebinder takes its service-anchor along', async () => {
    await using example = await Example.open(harbour, 'wrap', {
      applications: { WEB_IMAGE: ['80/tcp'] },
      projects: { app: ['wrapped.compose.yaml', 'wrapped.override.yaml'], 'app-wrap': [] },
      networks: ['wrap_transit', 'lan'],
    });
    await example.follow('anchord-greenfield.md', lan);
    await example.follow('anchord-wrap.md', /^docker network create|docker compose .*up -d$/);
    const reach = () => harbour.reach(4, { host: 51, port: 80, timeoutMs: 60_000 });
    await reach();
    await example.project('app').run('up', '--detach', '--force-recreate', 'web');
    await new Containers(harbour.space).joined('app-wrap-web-anchor-1', 'app-web', 60_000);
    expect(await reach()).toMatchObject({ source: harbour.clientAddress(4), port: 80 });
  });
});

describe('follower: a container on the network of another stack', () => {
  it('lets that stack go down, and is back when it is up again', async () => {
    await using example = await Example.open(harbour, 'follower', {
      applications: { LDAP_IMAGE: ['389/tcp'], WEB_IMAGE: ['80/tcp'] },
      projects: { directory: ['peer.compose.yaml'], portal: [] },
      networks: [],
    });
    await example.follow('anchord-follower.md', /^docker compose/, { again: stillLeaving });
    await waitFor(
      'the follower on the network as it is now',
      async () => {
        const id = (await docker('network', 'inspect', '--format', '{{.Id}}', 'directory_net')).trim();
        const format =
          '{{with index .NetworkSettings.Networks "directory_net"}}{{.NetworkID}} {{.Aliases}}{{end}}';
        const seen = await example.project('portal').inspect('web', format);
        return seen.startsWith(id) && seen.includes('portal');
      },
      { timeoutMs: 60_000, everyMs: 200 },
    );
  });
});
