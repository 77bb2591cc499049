import { expect, it } from 'vitest';
import { lab } from './testing/index.ts';

it('gives tests a Docker engine that runs containers', async () => {
  const host = (await lab()).host();
  const said = await host.docker('run', '--rm', 'berth-lab/busybox', 'echo', 'alive');
  expect(said).toBe('alive\n');
});
