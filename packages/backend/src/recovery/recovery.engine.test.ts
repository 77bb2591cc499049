/** What a restart of the program, of the engine, or of nobody brings to light: leases are what their containers are. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { startEngine } from '@berth/lab';
import { waitFor } from '@berth/lab/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { label } from '../names/index.ts';
import { ReleaseStore } from '../stores/index.ts';
import { imageOf } from '../testing/rig/images.ts';
import { Rig, script, service, stays } from '../testing/rig/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.open({
    proxy: true,
    config: { reconcile_interval: '2s', migration_grace_period: '1s', migration_ready_timeout: '20s' },
  });
});
afterAll(() => rig?.[Symbol.asyncDispose]());
afterEach(() => rig.proxy.clear());

const statuses = (uuid: string): readonly string[] => rig.receiver.of(uuid).map(({ status }) => status);
const kill = (id: string) => rig.engine.containers.kill(id);

/** Does something while the program is not running. */
async function asleep(act: () => Promise<unknown>): Promise<void> {
  await rig.stop();
  await act();
  await rig.start();
}

describe('a container that dies', () => {
  it('fails its lease at once, with its last words, and is told once', async () => {
    const uuid = await rig.running({ web: script(`echo last words; ${stays}`), db: service() });
    const [db, web] = await rig.containers(uuid);
    const died = await rig.next(uuid, () => kill(web?.id ?? ''));
    expect(died).toMatchObject({ status: 'failed', error: 'container exited unexpectedly', signed: true });
    expect(await rig.info(uuid)).toMatchObject({
      status: 'failed',
      reason: 'ContainerExited',
      message: 'container exited unexpectedly',
      fail_count: 1,
    });
    const [line] = rig.program.logs
      .attrsOf('lease transition')
      .filter((one) => one['lease_uuid'] === uuid && one['status'] === 'failing');
    expect(line?.['event']).toBe('ContainerDied');
    expect(await rig.ask(200, 'GET', `/logs/${uuid}`)).toMatchObject({ 'web/0': 'last words\n' });
    const left = await rig.engine.containers.inspect(db?.id ?? '');
    expect(left.state.status, 'what did not die runs on').toBe('running');
    await rig.deprovision(uuid);
    await rig.receiver.wait(uuid, 3);
    expect(statuses(uuid)).toEqual(['success', 'failed', 'deprovisioned']);
  });

  it('for want of memory says so to the operator', async () => {
    const wait = (file: string) => `until [ -e /tmp/${file} ]; do sleep 0.1; done`;
    const greedy = `${wait('go')}; dd if=/dev/zero of=/dev/null bs=200M; code=$?; ${wait('end')}; exit $code`;
    const uuid = await rig.running({ web: script(greedy) });
    const { id } = await rig.container(uuid);
    using events = await rig.engine.events.open({ filters: { container: [id], event: ['oom'] } });
    await rig.inside(id, 'touch', '/tmp/go');
    // An engine that hears of the end first does not know any more what it was for.
    for await (const { action } of events) if (action === 'oom') break;
    await rig.inside(id, 'touch', '/tmp/end');
    expect(await rig.receiver.wait(uuid, 2)).toMatchObject({ status: 'failed' });
    const { state } = await rig.container(uuid);
    expect([state.oomKilled, state.exitCode]).toEqual([true, 137]);
    await rig.stop();
    await rig.start();
    expect((await rig.info(uuid))?.status, 'it is still known to have failed').toBe('failed');
    await rig.deprovision(uuid);
  });

  it('one of several of a service fails the lease, and one more death changes nothing', async () => {
    const uuid = await rig.running({ web: service() }, { items: [{ service_name: 'web', quantity: 2 }] });
    const [one, two] = await rig.containers(uuid);
    await rig.next(uuid, () => kill(one?.id ?? ''));
    await kill(two?.id ?? '');
    await rig.until(uuid, 'failed');
    expect(await rig.info(uuid)).toMatchObject({ fail_count: 1 });
    expect(statuses(uuid)).toEqual(['success', 'failed']);
    await rig.deprovision(uuid);
  });

  it('unheard is found by the next comparison, with the same outcome', async () => {
    const uuid = await rig.running();
    const { id } = await rig.container(uuid);
    const rule = rig.proxy.add({ on: 'GET /events', fault: { kind: 'hold' } });
    rig.proxy.cutConnections();
    await waitFor('the stream to be gone', () => rule.holding > 0, { timeoutMs: 60_000 });
    const died = await rig.next(uuid, () => kill(id));
    expect(died).toMatchObject({ status: 'failed', error: 'container exited unexpectedly' });
    rig.proxy.clear();
    await rig.deprovision(uuid);
  });

  it('after somebody has removed it fails the lease if others are left, and ends it if none is', async () => {
    const items = [{ service_name: 'web', quantity: 2 }];
    const uuid = await rig.running({ web: service() }, { items });
    const [one, two] = await rig.containers(uuid);
    const remove = (id = '') => rig.engine.containers.remove(id, { force: true });
    await rig.next(uuid, () => remove(one?.id));
    expect(await rig.info(uuid)).toMatchObject({ status: 'failed', quantity: 2 });
    await rig.next(uuid, () => rig.restart(uuid));
    expect(await rig.containers(uuid), 'the missing one is made again').toHaveLength(2);
    await Promise.all((await rig.containers(uuid)).map(({ id }) => remove(id)));
    expect(two).toBeDefined();
    await waitFor('the lease to end or fail', async () => (await rig.info(uuid))?.status !== 'ready', {
      timeoutMs: 60_000,
    });
    // Whichever was noticed first: the daemon can provision it again in both cases, and is not refused for ever.
    const body = rig.provisionBody({ web: service() }, { uuid, items });
    await waitFor(
      'it to be accepted again',
      async () => (await rig.call('POST', '/provision', body)).status === 202,
      {
        timeoutMs: 60_000,
      },
    );
    await rig.until(uuid, 'ready');
    await rig.deprovision(uuid);
  });
});

describe('a start', () => {
  it('finds living leases as they were, with their manifests, and serves on', async () => {
    const uuid = await rig.running({ web: service({ env: { KEPT: 'yes' } }) });
    const before = await rig.container(uuid);
    await asleep(async () => undefined);
    expect(await rig.info(uuid)).toMatchObject({
      status: 'ready',
      fail_count: 0,
      service_images: { web: imageOf('plain') },
    });
    expect(await rig.ask(200, 'GET', '/stats')).toMatchObject({
      allocated_cpu_cores: 0.5,
      allocated_memory_mb: 64,
    });
    expect((await rig.container(uuid)).id).toBe(before.id);
    await rig.next(uuid, () => rig.restart(uuid));
    expect((await rig.container(uuid)).config.Env).toContain('KEPT=yes');
    await rig.deprovision(uuid);
  });

  it('finds what died meanwhile: failed, counted, its words kept, and nobody is told', async () => {
    const uuid = await rig.running({ web: script(`echo last words; ${stays}`) });
    const { id } = await rig.container(uuid);
    await asleep(() => kill(id));
    expect(await rig.info(uuid)).toMatchObject({
      status: 'failed',
      fail_count: 1,
      reason: 'ContainerExited',
      message: 'container exited unexpectedly',
    });
    expect(statuses(uuid)).toEqual(['success']);
    await asleep(async () => undefined);
    expect(await rig.info(uuid), 'once').toMatchObject({ fail_count: 1, reason: 'ContainerExited' });
    await rig.deprovision(uuid);
    expect(await rig.ask(200, 'GET', `/logs/${uuid}`)).toEqual({ 'web/0': 'last words\n' });
  });

  it('finds one of two missing: failed, and still two', async () => {
    const uuid = await rig.running({ web: service() }, { items: [{ service_name: 'web', quantity: 2 }] });
    const [one] = await rig.containers(uuid);
    await asleep(() => rig.engine.containers.remove(one?.id ?? '', { force: true }));
    expect(await rig.info(uuid)).toMatchObject({ status: 'failed', quantity: 2, fail_count: 1 });
    await rig.deprovision(uuid);
  });

  it('finds a lease without containers gone, and what it held is free', async () => {
    const uuid = await rig.running();
    const { id } = await rig.container(uuid);
    await asleep(() => rig.engine.containers.remove(id, { force: true }));
    expect(await rig.info(uuid)).toBeUndefined();
    expect(await rig.ask(200, 'GET', '/stats')).toMatchObject({ allocated_cpu_cores: 0 });
    await rig.deprovision(uuid);
  });

  it('without its records takes leases from their containers, and tells whoever still waits', async () => {
    const alive = await rig.running({ web: service() }, { items: [{ service_name: 'web', quantity: 2 }] });
    const dead = await rig.running();
    const { id: died } = await rig.container(dead);
    const made = rig.provisionBody({ web: service() });
    const half = String(made['lease_uuid']);
    const held = rig.proxy.add({ on: 'POST /containers/*/start', fault: { kind: 'hold' } });
    await rig.ask(202, 'POST', '/provision', made);
    await waitFor('the start', () => held.holding > 0, { timeoutMs: 60_000 });
    rig.proxy.cutConnections();
    await asleep(async () => {
      for (const ending of ['', '-wal', '-shm'])
        rmSync(join(rig.folder, `releases.db${ending}`), { force: true });
      rig.proxy.clear();
      await kill(died);
    });
    expect(await rig.info(alive)).toMatchObject({ status: 'ready', quantity: 2, fail_count: 0 });
    expect(await rig.info(dead)).toMatchObject({
      status: 'failed',
      fail_count: 1,
      reason: 'ContainerExited',
    });
    expect(await rig.receiver.wait(half)).toMatchObject({
      status: 'failed',
      error: 'container exited unexpectedly',
    });
    expect((await rig.info(half))?.status).toBe('failed');
    expect(statuses(dead)).toEqual(['success']);
    expect(await rig.ask(200, 'GET', '/stats')).toMatchObject({ allocated_cpu_cores: 2 });
    await rig.ask(409, 'POST', '/restart', { lease_uuid: alive, callback_url: rig.receiver.url });
    await Promise.all([alive, dead, half].map((uuid) => rig.deprovision(uuid)));
    expect(await rig.containers()).toEqual([]);
  });

  it('leaves alone what it cannot read, and what it does not offer', async () => {
    const labels = { [label.managed]: 'true', [label.backendName]: rig.name, [label.serviceName]: 'web' };
    const make = async (name: string, more: Readonly<Record<string, string>>): Promise<string> =>
      (
        await rig.engine.containers.create(
          { Image: imageOf('plain'), Labels: { ...labels, ...more } },
          { name: `${rig.name}-${name}` },
        )
      ).id;
    const uuid = '00000000-0000-4000-8000-0000000000aa';
    await rig.stop();
    await make('index', { [label.lease]: uuid, [label.sku]: 'small', [label.instanceIndex]: 'first' });
    await make('sku', { [label.lease]: uuid, [label.sku]: 'huge', [label.instanceIndex]: '0' });
    await make('lease', { [label.sku]: 'small', [label.instanceIndex]: '0' });
    await rig.start();
    expect(await rig.info(uuid)).toBeUndefined();
    expect(await rig.containers()).toHaveLength(3);
    for (const { id } of await rig.containers()) await rig.engine.containers.remove(id, { force: true });
  });
});

describe('containers from before there were stacks', () => {
  const flat = (more: Readonly<Record<string, unknown>> = {}) =>
    Buffer.from(JSON.stringify({ ...script(stays), env: { FORM: 'flat' }, ...more }));

  /** Leaves a lease as an old version would have: containers by index, a flat manifest in the release history. */
  async function leave(
    uuid: string,
    count: number,
    manifest: Uint8Array | undefined,
  ): Promise<readonly string[]> {
    if (manifest !== undefined) {
      const store = new ReleaseStore(join(rig.folder, 'releases.db'));
      const changes = [
        { kind: 'append', version: 1, manifest } as const,
        { kind: 'activate', version: 1 } as const,
      ];
      store.file.transaction(() => store.apply(uuid, changes, Date.now()));
      store.file.close();
    }
    const ids: string[] = [];
    for (let index = 0; index < count; index++) {
      const { id } = await rig.engine.containers.create(
        {
          Image: imageOf('plain'),
          Labels: {
            [label.managed]: 'true',
            [label.backendName]: rig.name,
            [label.lease]: uuid,
            [label.tenant]: 'manifest1old',
            [label.provider]: 'p',
            [label.sku]: 'small',
            [label.instanceIndex]: String(index),
            [label.failCount]: '2',
            [label.callbackUrl]: rig.receiver.url,
            [label.createdAt]: '2026-01-02T03:04:05Z',
          },
        },
        { name: `fred-${uuid}-${index}` },
      );
      await rig.engine.containers.start(id);
      ids.push(id);
    }
    return ids;
  }
  const uuidOf = (n: number): string => `00000000-0000-4000-8000-00000000010${n}`;

  it('get successors that are like any other, and go after a while', async () => {
    const uuid = uuidOf(1);
    await asleep(() => leave(uuid, 2, flat()));
    expect(await rig.info(uuid)).toMatchObject({ status: 'ready', quantity: 2, fail_count: 2 });
    const successors = (await rig.containers(uuid)).filter(({ name }) => !name.endsWith('-prev'));
    expect(successors.map(({ name }) => name)).toEqual([`fred-${uuid}-app-0`, `fred-${uuid}-app-1`]);
    for (const { config, hostConfig, labels } of successors) {
      expect(config.Env).toContain('FORM=flat');
      expect(hostConfig.CapDrop).toEqual(['ALL']);
      expect(labels).toMatchObject({
        [label.serviceName]: 'app',
        [label.provider]: 'p',
        [label.callbackUrl]: rig.receiver.url,
      });
    }
    await waitFor('the old ones to go', async () => (await rig.containers(uuid)).length === 2, {
      timeoutMs: 60_000,
    });
    expect(statuses(uuid), 'nobody is told').toEqual([]);
    await rig.next(uuid, () => rig.restart(uuid));
    const releases = (await rig.ask(200, 'GET', `/releases/${uuid}`)) as {
      status: string;
      manifest: string;
    }[];
    expect(releases.map(({ status }) => status)).toEqual(['superseded', 'superseded', 'active']);
    expect(JSON.parse(Buffer.from(releases[1]?.manifest ?? '', 'base64').toString())).toHaveProperty(
      'services.app',
    );
    await rig.deprovision(uuid);
  });

  it('that cannot be migrated run on, and the start fails with their names', async () => {
    const unknown = uuidOf(2);
    const broken = uuidOf(3);
    await rig.stop();
    const [one = ''] = await leave(unknown, 1, undefined);
    const [two = ''] = await leave(broken, 1, flat({ command: ['/no/such/program'] }));
    await expect(rig.start()).rejects.toThrow(
      new RegExp(`${unknown}.*no active release says what it runs.*${broken}`, 's'),
    );
    for (const id of [one, two])
      expect((await rig.engine.containers.inspect(id)).state.status).toBe('running');
    for (const id of [one, two]) await rig.engine.containers.remove(id, { force: true });
    await rig.start();
  });
});

describe('an engine that is restarted', () => {
  it('under load leaves every lease told and none half-made', async () => {
    const steady = await Promise.all(Array.from({ length: 3 }, () => rig.running()));
    const begun = await Promise.all(Array.from({ length: 4 }, () => rig.provision({ web: service() })));
    await startEngine(rig.host);
    for (const uuid of steady)
      expect(await rig.receiver.wait(uuid, 2, 90_000)).toMatchObject({
        status: 'failed',
        error: 'container exited unexpectedly',
      });
    for (const uuid of begun) {
      const { status } = await rig.receiver.wait(uuid, 1, 90_000);
      if (status === 'failed') await rig.until(uuid, 'failed');
    }
    for (const uuid of steady)
      expect(await rig.next(uuid, () => rig.restart(uuid))).toMatchObject({ status: 'success' });
    await Promise.all([...steady, ...begun].map((uuid) => rig.deprovision(uuid)));
    expect(await rig.containers()).toEqual([]);
    expect(await rig.networks()).toEqual([]);
    expect(await rig.ask(200, 'GET', '/stats')).toMatchObject({ allocated_cpu_cores: 0 });
  });
});
