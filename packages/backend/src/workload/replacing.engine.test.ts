/** A lease gets new containers: when that succeeds, when it fails and there is a way back, and when there is none. */
import { waitFor } from '@berth/lab/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { imageOf } from '../testing/rig/images.ts';
import { Rig, script, service, stays } from '../testing/rig/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.open({ proxy: true });
});
afterAll(() => rig?.[Symbol.asyncDispose]());
afterEach(() => rig.proxy.clear());

const versioned = (version: string, line = stays) => ({ web: script(line, { env: { VERSION: version } }) });

const versionOf = async (uuid: string, of = rig): Promise<string | undefined> =>
  (await of.container(uuid)).config.Env?.find((line) => line.startsWith('VERSION='))?.slice(8);

interface Release {
  readonly version: number;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}
const releases = async (uuid: string, of = rig): Promise<readonly (readonly unknown[])[]> =>
  ((await of.ask(200, 'GET', `/releases/${uuid}`)) as readonly Release[]).map(
    ({ version, status, reason, message }) => [
      version,
      status,
      ...(reason === undefined ? [] : [reason, message]),
    ],
  );

describe('a restart', () => {
  it('makes every container anew, of the same manifest, and says so at once', async () => {
    const uuid = await rig.running(versioned('one'));
    const before = await rig.container(uuid);
    expect(await rig.next(uuid, () => rig.restart(uuid))).toMatchObject({ status: 'success' });
    const after = await rig.container(uuid);
    expect(after.id).not.toBe(before.id);
    expect([after.name, await versionOf(uuid)]).toEqual([before.name, 'one']);
    expect(await releases(uuid)).toEqual([
      [1, 'superseded'],
      [2, 'active'],
    ]);
    await rig.deprovision(uuid);
  });

  it('shows its state before it is answered, and takes no second one meanwhile', async () => {
    const uuid = await rig.running(versioned('one'));
    const held = rig.proxy.add({ on: 'POST /containers/create', fault: { kind: 'hold' }, times: 1 });
    await rig.restart(uuid);
    expect((await rig.info(uuid))?.status).toBe('restarting');
    const body = { lease_uuid: uuid, callback_url: rig.receiver.url };
    await rig.ask(409, 'POST', '/restart', body);
    await rig.ask(409, 'POST', '/provision', rig.provisionBody(versioned('two'), { uuid }));
    held.release();
    expect((await rig.receiver.wait(uuid, 2)).status).toBe('success');
    await rig.deprovision(uuid);
  });

  it('goes to the callback of its own request', async () => {
    const uuid = await rig.running(versioned('one'));
    const callbackUrl = `${rig.receiver.url}&restart=1`;
    await rig.next(uuid, () =>
      rig.ask(202, 'POST', '/restart', { lease_uuid: uuid, callback_url: callbackUrl }),
    );
    expect((await rig.container(uuid)).labels['fred.callback_url']).toBe(callbackUrl);
    await rig.deprovision(uuid);
  });

  it('that fails brings back the very containers that ran before, and clears the failure again', async () => {
    const uuid = await rig.running(versioned('one'));
    const before = await rig.container(uuid);
    rig.proxy.add({
      on: 'POST /containers/*/start',
      fault: { kind: 'fail', status: 500, message: 'no more room at /srv/secret' },
      times: 1,
    });
    expect(await rig.next(uuid, () => rig.restart(uuid))).toMatchObject({
      status: 'failed',
      error: 'restart failed; rolled back to previous version',
    });
    const after = await rig.container(uuid);
    expect([after.id, after.state.status]).toEqual([before.id, 'running']);
    const info = await rig.info(uuid);
    expect(info).toMatchObject({ status: 'ready', fail_count: 1 });
    expect(info).not.toHaveProperty('reason');
    expect(await releases(uuid)).toEqual([
      [1, 'active'],
      [2, 'failed', 'RestartFailed', 'restart failed'],
    ]);
    await rig.deprovision(uuid);
  });

  it('brings a lease back that had failed', async () => {
    const uuid = await rig.running(versioned('one'));
    const { id } = await rig.container(uuid);
    await rig.next(uuid, () => rig.engine.containers.kill(id));
    expect((await rig.info(uuid))?.status).toBe('failed');
    expect(await rig.next(uuid, () => rig.restart(uuid))).toMatchObject({ status: 'success' });
    expect(await rig.info(uuid)).toMatchObject({ status: 'ready', fail_count: 1 });
    await rig.deprovision(uuid);
  });
});

describe('an update', () => {
  it('runs the new manifest, and keeps the old containers until the new ones have proved themselves', async () => {
    const uuid = await rig.running(versioned('one'));
    const before = await rig.container(uuid);
    const two = versioned('two', stays);
    const healthy = { test: ['CMD', 'test', '-e', '/tmp/healthy'], interval: '1s', retries: 100 };
    const done = rig.next(uuid, () => rig.update(uuid, { web: { ...two.web, health_check: healthy } }));
    const both = await waitFor(
      'both to be there',
      async () => {
        const all = await rig.containers(uuid);
        const old = all.find(({ name }) => name.endsWith('-prev'));
        const made = all.find(({ id, state }) => id !== old?.id && state.running);
        return old === undefined || made === undefined ? undefined : { old, made };
      },
      { timeoutMs: 60_000 },
    );
    expect(both.old.id).toBe(before.id);
    await rig.inside(both.made.id, 'touch', '/tmp/healthy');
    expect(await done).toMatchObject({ status: 'success' });
    await waitFor('the old one to go', async () => (await rig.containers(uuid)).length === 1, {
      timeoutMs: 60_000,
    });
    expect(await versionOf(uuid)).toBe('two');
    expect(await releases(uuid)).toEqual([
      [1, 'superseded'],
      [2, 'active'],
    ]);
    await rig.deprovision(uuid);
  });

  it('that does not start is rolled back, and the tenant sees why', async () => {
    // It ends at once; on a busy machine that takes its time to be told.
    await using patient = await Rig.open({ config: { startup_verify_duration: '3s' } });
    const uuid = await patient.running(versioned('one'));
    const before = await patient.container(uuid);
    expect(
      await patient.next(uuid, () => patient.update(uuid, versioned('two', 'echo oh no; exit 4'))),
    ).toMatchObject({
      status: 'failed',
      error: 'container exited during startup; rolled back to previous version',
    });
    expect((await patient.container(uuid)).id).toBe(before.id);
    expect(await patient.info(uuid)).toMatchObject({
      status: 'ready',
      fail_count: 1,
      reason: 'UpdateFailed',
      message: 'container exited during startup; rolled back to previous version',
      service_images: { web: imageOf('plain') },
    });
    expect(await releases(uuid, patient)).toEqual([
      [1, 'active'],
      [2, 'failed', 'UpdateFailed', 'update failed'],
    ]);
    expect(await patient.next(uuid, () => patient.update(uuid, versioned('three')))).toMatchObject({
      status: 'success',
    });
    expect(await versionOf(uuid, patient)).toBe('three');
    expect(await patient.info(uuid)).not.toHaveProperty('reason');
    await patient.deprovision(uuid);
  });

  it('without an image touches nothing, and says that what was wanted is not there', async () => {
    const uuid = await rig.running(versioned('one'));
    const before = await rig.container(uuid);
    const absent = { web: { image: imageOf('plain', 'absent') } };
    expect(await rig.next(uuid, () => rig.update(uuid, absent))).toMatchObject({
      status: 'failed',
      error: 'image pull failed',
    });
    expect(await rig.info(uuid)).toMatchObject({
      status: 'failed',
      reason: 'ImagePullFailed',
      fail_count: 1,
    });
    const after = await rig.container(uuid);
    expect([after.id, after.state.status, after.name]).toEqual([before.id, 'running', before.name]);
    expect(await rig.next(uuid, () => rig.restart(uuid))).toMatchObject({ status: 'success' });
    expect(await versionOf(uuid), 'what ran last is what is restarted').toBe('one');
    await rig.deprovision(uuid);
  });

  it('that fails and whose way back fails, too, says both', async () => {
    const uuid = await rig.running(versioned('one'));
    rig.proxy.add({
      on: 'POST /containers/*/start',
      fault: { kind: 'fail', status: 500, message: 'worn out' },
    });
    expect(await rig.next(uuid, () => rig.update(uuid, versioned('two')))).toMatchObject({
      status: 'failed',
      error: 'update failed; rollback failed',
    });
    rig.proxy.clear();
    expect(await rig.info(uuid)).toMatchObject({ status: 'failed', reason: 'UpdateFailed', fail_count: 1 });
    expect(await rig.next(uuid, () => rig.update(uuid, versioned('three')))).toMatchObject({
      status: 'success',
    });
    expect([await versionOf(uuid), (await rig.containers(uuid)).length]).toEqual(['three', 1]);
    await rig.deprovision(uuid);
  });

  it('gives every service of a stack its turn, and takes away those that are not in it any more', async () => {
    const stack = (version: string) => ({
      db: script(stays, { env: { VERSION: version } }),
      web: script(stays, { env: { VERSION: version }, depends_on: { db: { condition: 'service_started' } } }),
    });
    const items = [{ service_name: 'web', quantity: 2 }, { service_name: 'db' }];
    const uuid = await rig.running(stack('one'), { items });
    expect(await rig.next(uuid, () => rig.update(uuid, stack('two')))).toMatchObject({ status: 'success' });
    const all = await rig.containers(uuid);
    expect(all.map(({ name }) => name.replace(`fred-${uuid}-`, ''))).toEqual(['db-0', 'web-0', 'web-1']);
    for (const { config } of all) expect(config.Env).toContain('VERSION=two');
    await rig.ask(400, 'POST', '/update', {
      lease_uuid: uuid,
      callback_url: rig.receiver.url,
      payload: Buffer.from(JSON.stringify({ services: { web: service() } })).toString('base64'),
    });
    await rig.deprovision(uuid);
  });
});

describe('what cannot be replaced', () => {
  it('is refused: a lease that is not there, and one that is busy', async () => {
    const nobody = '00000000-0000-4000-8000-000000000000';
    await rig.ask(404, 'POST', '/restart', { lease_uuid: nobody, callback_url: rig.receiver.url });
    const held = rig.proxy.add({ on: 'POST /containers/create', fault: { kind: 'hold' }, times: 1 });
    const uuid = await rig.provision(versioned('one'));
    await waitFor('the create', () => held.holding === 1, { timeoutMs: 60_000 });
    await rig.ask(409, 'POST', '/restart', { lease_uuid: uuid, callback_url: rig.receiver.url });
    held.release();
    expect((await rig.receiver.wait(uuid)).status).toBe('success');
    await rig.deprovision(uuid);
  });
});
