import { engineErrors } from '@berth/engine';
import { expect, it } from 'vitest';
import { SimHost } from '../testing/sim-host.ts';
import { observeContainers } from './observe.ts';

const { signal } = new AbortController();

it('looks closely at who shares a namespace and at whose it is, and leaves out what is gone by then', async () => {
  const host = new SimHost();
  const owner = host.make('owner');
  host.start(owner);
  for (const name of ['app', 'going']) host.start(host.make(name, { mode: 'container:owner' }));
  host.start(host.make('loner'));
  const { containers } = host.door();
  const asked: string[] = [];
  const inspect: typeof containers.inspect = async (ref, call) => {
    const found = host.find(ref);
    asked.push(found.name);
    if (found.name === 'going') host.remove(found);
    return await containers.inspect(ref, call);
  };
  const seen = await observeContainers({ ...containers, inspect }, signal);
  expect(asked.sort()).toEqual(['app', 'going', 'owner']);
  expect(seen.map(({ name, look }) => `${name} ${look !== undefined}`)).toEqual([
    'owner true',
    'app true',
    'loner false',
  ]);
  const mute = {
    ...containers,
    inspect: () => Promise.reject(engineErrors.error('ENGINE_TIMEOUT', 'silence')),
  };
  await expect(observeContainers(mute, signal)).rejects.toMatchObject({ code: 'ENGINE_TIMEOUT' });
});

it('does not know since when one runs that Docker is about to start again', async () => {
  const host = new SimHost();
  const owner = host.make('owner');
  host.start(owner);
  host.start(host.make('app', { mode: 'container:owner' }));
  const { containers } = host.door();
  const since = async (restarting: boolean) => {
    const inspect: typeof containers.inspect = async (ref, call) => {
      const details = await containers.inspect(ref, call);
      return { ...details, state: { ...details.state, restarting } };
    };
    const [seen] = await observeContainers({ ...containers, inspect }, signal);
    return seen?.runningSince;
  };
  expect(await since(false)).toBe(owner.startedAt);
  expect(await since(true)).toBeUndefined();
});
