/** The engine restarts while leases run, are made and are updated: every one comes to an end that is told, and none is lost. */
import { restartEngine } from '@berth/lab';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rig, service } from './testing/rig/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.open();
});
afterAll(() => rig?.[Symbol.asyncDispose]());

const web = (version: string) => ({ web: service({ env: { VERSION: version } }) });

/** Where a lease is, when nothing is going on with it and that is true of its container, too. */
async function atRest(uuid: string): Promise<'ready' | 'failed' | undefined> {
  const status = (await rig.info(uuid))?.status;
  if (status === 'failed') return status;
  const [container] = await rig.containers(uuid);
  return status === 'ready' && container?.state.status === 'running' ? status : undefined;
}

describe('an engine that restarts under load', () => {
  it('leaves every lease ready or failed, as its caller was told, and each can be started and closed', async () => {
    const idle = await Promise.all([1, 2, 3].map(() => rig.running(web('one'))));
    const updated = await Promise.all([1, 2, 3].map(() => rig.running(web('one'))));
    const begun = await Promise.all([1, 2, 3].map(() => rig.provision(web('one'))));
    await Promise.all(updated.map((uuid) => rig.update(uuid, web('two'))));
    await restartEngine(rig.host);
    const all = [...idle, ...updated, ...begun];
    for (const uuid of all)
      await waitFor(`${uuid} to be at rest`, async () => (await atRest(uuid)) !== undefined, {
        timeoutMs: 90_000,
      });
    const ended = { ready: 'success', failed: 'failed' } as const;
    for (const uuid of all) {
      const status = await atRest(uuid);
      if (status === undefined) throw new Error(`${uuid} has moved on`);
      await waitFor(`${uuid} to be told`, () => rig.receiver.of(uuid).at(-1)?.status === ended[status], {
        timeoutMs: 60_000,
        evidence: () => JSON.stringify(rig.receiver.of(uuid)),
      });
      // One outcome an operation, and one death at most.
      const operations = updated.includes(uuid) ? 2 : 1;
      expect(rig.receiver.of(uuid).length, uuid).toBeLessThanOrEqual(operations + 1);
    }
    // Nobody restarts the containers of tenants but we.
    for (const uuid of idle) expect(await atRest(uuid)).toBe('failed');
    await Promise.all(
      all.map(async (uuid) => {
        if ((await atRest(uuid)) === 'failed')
          expect((await rig.next(uuid, () => rig.restart(uuid))).status).toBe('success');
      }),
    );
    expect((await rig.containers()).map(({ state }) => state.status)).toEqual(all.map(() => 'running'));
    expect(await rig.ask(200, 'GET', '/stats')).toMatchObject({ allocated_cpu_cores: all.length / 2 });
    await Promise.all(all.map((uuid) => rig.deprovision(uuid)));
    expect(await rig.containers()).toEqual([]);
    expect(await rig.networks()).toEqual([]);
    expect(await rig.ask(200, 'GET', '/stats')).toMatchObject({ allocated_cpu_cores: 0 });
  });
});
