/** Closing a lease: whatever it is in the middle of, however often it is asked for, and when the engine does not want to. */
import { waitFor } from '@berth/lab/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { label } from '../names/index.ts';
import { imageOf } from '../testing/rig/images.ts';
import { Rig, script, service, stays } from '../testing/rig/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.open({ proxy: true, config: { container_stop_timeout: '1s' } });
});
afterAll(() => rig?.[Symbol.asyncDispose]());
afterEach(() => rig.proxy.clear());

const closed = async (uuid: string): Promise<void> => {
  expect(await rig.containers(uuid)).toEqual([]);
  expect(await rig.info(uuid)).toBeUndefined();
  expect(await rig.ask(200, 'GET', '/stats')).toMatchObject({ allocated_cpu_cores: 0 });
};
const statuses = (uuid: string): readonly string[] => rig.receiver.of(uuid).map(({ status }) => status);

describe('a close', () => {
  it('may be repeated, also at the same time, and is told once', async () => {
    const uuid = await rig.running();
    await Promise.all([1, 2, 3].map(() => rig.deprovision(uuid)));
    await rig.deprovision(uuid);
    await closed(uuid);
    await rig.receiver.wait(uuid, 2);
    expect(statuses(uuid)).toEqual(['success', 'deprovisioned']);
  });

  it('of a lease that nobody knows succeeds, and nobody is told', async () => {
    const nobody = '00000000-0000-4000-8000-000000000001';
    await rig.deprovision(nobody);
    expect(statuses(nobody)).toEqual([]);
  });

  it('gives a container its time, and ends one that does not end', async () => {
    const uuid = await rig.running({
      polite: script(stays),
      deaf: script("trap '' TERM; while true; do sleep 1; done"),
    });
    await rig.deprovision(uuid);
    await closed(uuid);
  });

  it('does not depend on its caller: it goes on when he has hung up', async () => {
    const uuid = await rig.running();
    const held = rig.proxy.add({ on: 'POST /containers/*/stop', fault: { kind: 'hold' } });
    const asked = rig.deprovision(uuid).catch(() => 'gone');
    await waitFor('the stop', () => held.holding > 0, { timeoutMs: 60_000 });
    rig.hangUp();
    expect(await asked).toBe('gone');
    expect((await rig.info(uuid))?.status).toBe('deprovisioning');
    held.release();
    expect((await rig.receiver.wait(uuid, 2)).status).toBe('deprovisioned');
    await closed(uuid);
  });

  it.each([
    ['pulling', 'POST /images/create'],
    ['looking at images', 'GET /images/**/json'],
    ['making its network', 'POST /networks/create'],
    ['making containers', 'POST /containers/create'],
    ['starting containers', 'POST /containers/*/start'],
    ['verifying them', 'GET /containers/*/json'],
  ])('takes precedence over a provision that is %s, which is not told any more', async (_, on) => {
    const held = rig.proxy.add({ on, fault: { kind: 'hold' }, times: 1 });
    const uuid = await rig.provision({ web: service() });
    await waitFor('the provision to get there', () => held.hits === 1, { timeoutMs: 60_000 });
    const closing = rig.deprovision(uuid);
    await rig.until(uuid, 'deprovisioning');
    held.release();
    await closing;
    await rig.receiver.wait(uuid);
    await closed(uuid);
    expect(statuses(uuid)).toEqual(['deprovisioned']);
  });

  it.each(['restart', 'update'] as const)('takes precedence over a %s', async (operation) => {
    const uuid = await rig.running();
    const held = rig.proxy.add({ on: 'POST /containers/*/rename', fault: { kind: 'hold' }, times: 1 });
    await (operation === 'restart' ? rig.restart(uuid) : rig.update(uuid, { web: service() }));
    await waitFor('the replacement to get there', () => held.hits === 1, { timeoutMs: 60_000 });
    const closing = rig.deprovision(uuid);
    await rig.until(uuid, 'deprovisioning');
    held.release();
    await closing;
    await rig.receiver.wait(uuid, 2);
    await closed(uuid);
    expect(statuses(uuid)).toEqual(['success', 'deprovisioned']);
  });

  it('takes precedence over a death: one of both is told, and that is the close', async () => {
    const uuid = await rig.running();
    const { id } = await rig.container(uuid);
    const held = rig.proxy.add({ on: 'GET /containers/*/logs', fault: { kind: 'hold' } });
    await rig.engine.containers.kill(id);
    await rig.until(uuid, 'failing');
    await waitFor('the diagnosis', () => held.hits > 0, { timeoutMs: 60_000 });
    await rig.deprovision(uuid);
    await rig.receiver.wait(uuid, 2);
    expect(statuses(uuid)).toEqual(['success', 'deprovisioned']);
    await closed(uuid);
  });

  it('finds containers that nobody has recorded, and leaves those of others alone', async () => {
    const uuid = await rig.running();
    const other = await rig.running();
    const labels = { [label.managed]: 'true', [label.lease]: uuid, [label.backendName]: rig.name };
    const stray = await rig.engine.containers.create(
      { Image: imageOf('plain'), Labels: { ...labels, [label.instanceIndex]: 'not a number' } },
      { name: `${rig.name}-stray` },
    );
    await rig.deprovision(uuid);
    await expect(rig.engine.containers.inspect(stray.id)).rejects.toThrow('No such container');
    expect((await rig.container(other)).state.status).toBe('running');
    await rig.deprovision(other);
  });

  it('removes one by one what does not go in good order', async () => {
    const uuid = await rig.running();
    rig.proxy.add({ on: 'POST /containers/*/stop', fault: { kind: 'fail', status: 500 }, times: 1 });
    await rig.deprovision(uuid);
    await closed(uuid);
    const metrics = (await rig.call('GET', '/metrics')).text;
    expect(metrics).toContain(
      'fred_docker_backend_teardown_fallback_total{operation="deprovision",outcome="recovered"} 1',
    );
  });

  it('that does not succeed keeps what it holds, says so, and goes on when it is repeated', async () => {
    const uuid = await rig.running();
    const { id } = await rig.container(uuid);
    rig.proxy.add({
      on: 'DELETE /containers/*',
      fault: { kind: 'fail', status: 500, message: 'busy: /srv/secret' },
    });
    const reply = await rig.call('POST', '/deprovision', { lease_uuid: uuid });
    expect(reply.status).toBe(500);
    expect(await rig.info(uuid)).toMatchObject({
      status: 'failed',
      reason: 'CleanupFailed',
      message: 'cleanup failed',
    });
    expect((await rig.container(uuid)).id).toBe(id);
    expect(await rig.ask(200, 'GET', '/stats')).toMatchObject({ allocated_cpu_cores: 0.5 });
    expect(statuses(uuid), 'nobody is told of it').toEqual(['success']);
    rig.proxy.clear();
    await rig.deprovision(uuid);
    expect((await rig.receiver.wait(uuid, 2)).status).toBe('deprovisioned');
    expect(await rig.containers(uuid)).toEqual([]);
    expect(await rig.ask(200, 'GET', '/stats')).toMatchObject({ allocated_cpu_cores: 0 });
    expect(await rig.info(uuid), 'what went wrong is still told').toMatchObject({ quantity: 0 });
  });

  it('lets the id be used again at once', async () => {
    const uuid = await rig.running();
    await rig.deprovision(uuid);
    await rig.running(
      { web: service({ env: { AGAIN: '1' } }) },
      { uuid: uuid.replace(/^./, (c) => (c === 'a' ? 'b' : 'a')) },
    );
    const body = rig.provisionBody({ web: service() }, { uuid });
    await rig.ask(202, 'POST', '/provision', body);
    expect((await rig.receiver.wait(uuid, 3)).status).toBe('success');
    await rig.deprovision(uuid);
  });
});
