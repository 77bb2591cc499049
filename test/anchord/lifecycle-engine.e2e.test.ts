/** A Docker engine that restarts: Docker may start a container before the one whose namespace it joins, or strand it. */
import { restartEngine } from '@berth/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Containers } from '../src/docker.ts';
import { Harbour } from '../src/harbour.ts';

let harbour: Harbour;
beforeAll(async () => {
  harbour = await Harbour.open();
});
afterAll(() => harbour?.[Symbol.asyncDispose]());

describe('around an engine that restarts', () => {
  it('the project comes back by itself, every application in the namespace of its service-anchor', async () => {
    const apps = ['app1', 'app2', 'app3', 'app4'];
    await using stack = await harbour.stack({
      host: 56,
      number: 22,
      services: Object.fromEntries(
        apps.map((name) => [
          name,
          {
            image: 'berth-lab/busybox',
            network_mode: 'service:smtp-anchor',
            depends_on: ['smtp-anchor'],
            stop_grace_period: '1s',
            restart: 'unless-stopped',
          },
        ]),
      ),
    });
    await stack.up();
    const before = await harbour.reach(4, { host: 56 });
    await restartEngine(harbour.host);
    const after = await harbour.reach(4, { host: 56, timeoutMs: 90_000 });
    expect(after.source).toBe(before.source);
    const containers = new Containers(harbour.space);
    for (const app of ['smtp', ...apps])
      await containers.joined(`${stack.name}-${app}-1`, `${stack.name}-smtp-anchor-1`, 60_000);
  });
});
