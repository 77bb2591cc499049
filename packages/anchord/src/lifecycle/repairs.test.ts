import { describe, expect, it } from 'vitest';
import { testParts } from '../testing/program.ts';
import { type SimContainer, SimHost } from '../testing/sim-host.ts';
import { observeContainers } from './observe.ts';
import { MovedOn, Repairs } from './repairs.ts';

const { signal } = new AbortController();

/** A dependent that was looked at, and has to get to another owner. */
async function stage() {
  const host = new SimHost();
  const run = (name: string, more: Partial<SimContainer> = {}): SimContainer => {
    const made = host.make(name, more);
    host.start(made);
    return made;
  };
  const owner = run('owner');
  const next = run('next');
  const app = run('app', { mode: 'container:owner' });
  const parts = testParts();
  const repairs = new Repairs({ ...parts, door: host.door(), actor: 'edge', settleMs: 0 });
  const seen = (await observeContainers(host.door().containers, signal)).find(({ name }) => name === 'app');
  if (seen === undefined) throw new Error('it is not seen');
  const rebinding = { networkMode: `container:${next.id}`, starts: false };
  const deeds = {
    restart: () => repairs.restart(seen),
    rebind: () => repairs.rebind(seen, rebinding, signal),
  };
  return { host, owner, app, parts, repairs, deeds };
}

const changes: readonly (readonly [string, (host: SimHost, app: SimContainer) => void])[] = [
  ['is gone', (host, app) => host.remove(app)],
  ['has another name', (host, app) => host.rename(app, 'mine')],
  ['was stopped', (host, app) => host.stop(app)],
  ['was restarted', (host, app) => host.restart(app)],
];

describe('a repair', () => {
  it.each(changes)('is left undone where the container %s since it was looked at', async (_, change) => {
    for (const what of ['restart', 'rebind'] as const) {
      const { host, app, deeds, parts } = await stage();
      change(host, app);
      const before = [...host.all.values()].map((one) => ({ ...one }));
      await expect(deeds[what]()).rejects.toBeInstanceOf(MovedOn);
      expect([...host.all.values()]).toEqual(before);
      expect(parts.registry.expose()).not.toMatch(/anchord_lifecycle_actions_total\{.*\} [1-9]/);
    }
  });

  it('that is stuck after a crash is told once, until something changes about it', async () => {
    const { host, app, parts, repairs } = await stage();
    host.rename(app, 'app.berth-0123456789abcdef.up');
    host.stop(app);
    host.onCall = (call) => (call === 'rename' ? 'lost request' : 'done');
    for (let look = 0; look < 3; look++) expect(await repairs.recover(() => true)).toBe(true);
    const stuck = 'cannot end what an interrupted re-creation had left';
    expect(parts.recording.messages()).toEqual([stuck]);
    host.onCall = () => 'done';
    await repairs.recover(() => true);
    expect(parts.recording.messages()).toEqual([stuck, 'ended what an interrupted re-creation had left']);
    expect(host.find('app')).toMatchObject({ id: app.id, status: 'running' });
    expect(await repairs.recover(() => true)).toBe(false);
  });
});
