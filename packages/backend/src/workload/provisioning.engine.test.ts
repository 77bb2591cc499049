/** From the request to running containers, and what is left when that fails: nothing. */
import { waitFor } from '@berth/lab/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { imageOf } from '../testing/rig/images.ts';
import { type ProvisionOptions, Rig, type Services, script, service, stays } from '../testing/rig/rig.ts';

let rig: Rig;
/** Looks at a start for longer: for containers that end at once, which takes its time to be told on a busy machine. */
let patient: Rig;
beforeAll(async () => {
  const config = { total_cpu_cores: 4, total_memory_mb: 512 };
  rig = await Rig.open({ proxy: true, config });
  patient = await Rig.open({ proxy: true, config: { ...config, startup_verify_duration: '3s' } });
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
  await patient?.[Symbol.asyncDispose]();
});
afterEach(() => {
  rig.proxy.clear();
  patient.proxy.clear();
});

interface Stats {
  readonly allocated_cpu_cores: number;
  readonly allocated_memory_mb: number;
}
const stats = async (of = rig): Promise<Stats> => (await of.ask(200, 'GET', '/stats')) as Stats;

/** Asks for a lease that cannot succeed; what its caller is told. Nothing of it may be left. */
async function fails(services: Services, options: ProvisionOptions = {}, of = rig) {
  const before = await stats(of);
  const uuid = await of.provision(services, options);
  const { status, error } = await of.receiver.wait(uuid);
  expect(status).toBe('failed');
  of.proxy.clear();
  expect(await of.containers(uuid)).toEqual([]);
  expect(await stats(of), 'what it held is given back').toMatchObject(before);
  const info = await of.info(uuid);
  expect(info).toMatchObject({ status: 'failed', fail_count: 1, message: error });
  return { uuid, error, reason: info?.reason };
}

describe('a lease', () => {
  it('goes from the request to the running container and back', async () => {
    const uuid = await rig.running();
    expect(rig.receiver.of(uuid)).toMatchObject([
      { lease_uuid: uuid, status: 'success', backend: rig.name, signed: true },
    ]);
    expect(await rig.info(uuid)).toMatchObject({
      status: 'ready',
      quantity: 1,
      fail_count: 0,
      service_images: { web: imageOf('plain') },
    });
    expect((await rig.container(uuid)).state.status).toBe('running');
    await rig.deprovision(uuid);
    expect(await rig.containers(uuid)).toEqual([]);
    expect(await rig.networks()).toEqual([]);
    expect((await rig.receiver.wait(uuid, 2)).status).toBe('deprovisioned');
  });

  it('of a flat manifest is the service "app"', async () => {
    const body = {
      ...rig.provisionBody({}, { items: [{}] }),
      payload: Buffer.from(JSON.stringify(service())).toString('base64'),
    };
    await rig.ask(202, 'POST', '/provision', body);
    const uuid = String((body as { lease_uuid?: unknown }).lease_uuid);
    expect((await rig.receiver.wait(uuid)).status).toBe('success');
    expect((await rig.container(uuid)).name).toBe(`fred-${uuid}-app-0`);
    await rig.deprovision(uuid);
  });

  it('takes what its SKUs say, and is refused when that is not there; closing it gives all back', async () => {
    const before = await stats();
    const items = [{ service_name: 'web', sku: 'large', quantity: 2 }];
    const uuid = await rig.running({ web: service() }, { items });
    expect(await stats()).toMatchObject({
      allocated_cpu_cores: before.allocated_cpu_cores + 2,
      allocated_memory_mb: before.allocated_memory_mb + 256,
    });
    const tooMuch = [{ service_name: 'web', sku: 'large', quantity: 3 }];
    const body = rig.provisionBody({ web: service() }, { items: tooMuch });
    expect(await rig.ask(503, 'POST', '/provision', body)).toMatchObject({
      error: expect.stringMatching(/^insufficient resources/),
    });
    expect(await rig.info(String(body['lease_uuid']))).toBeUndefined();
    expect((await rig.containers(uuid)).map(({ name }) => name.slice(-5))).toEqual(['web-0', 'web-1']);
    await rig.deprovision(uuid);
    expect(await stats()).toMatchObject(before);
  });

  it('is accepted once of two that ask at the same time', async () => {
    const body = rig.provisionBody({ web: service() });
    const replies = await Promise.all([1, 2, 3].map(() => rig.call('POST', '/provision', body)));
    expect(replies.map(({ status }) => status).sort()).toEqual([202, 409, 409]);
    const uuid = String(body['lease_uuid']);
    await rig.receiver.wait(uuid);
    await rig.ask(409, 'POST', '/provision', body);
    expect(await rig.containers(uuid)).toHaveLength(1);
    await rig.deprovision(uuid);
  });
});

describe('a stack', () => {
  it('starts each service after those that it depends on, and when they are healthy if it says so', async () => {
    const healthy = { test: ['CMD', 'test', '-e', '/tmp/healthy'], interval: '1s', retries: 30 };
    const services = {
      db: script(`sleep 1; touch /tmp/healthy; ${stays}`, { health_check: healthy }),
      api: script(stays, { depends_on: { db: { condition: 'service_healthy' } } }),
      web: script(stays, { depends_on: { api: { condition: 'service_started' } } }),
    };
    const items = [{ service_name: 'web' }, { service_name: 'api', quantity: 2 }, { service_name: 'db' }];
    const uuid = await rig.running(services, { items });
    const all = await rig.containers(uuid);
    expect(all.map(({ name }) => name.replace(`fred-${uuid}-`, ''))).toEqual([
      'api-0',
      'api-1',
      'db-0',
      'web-0',
    ]);
    const startedAt = (service: string): number[] =>
      all
        .filter(({ labels }) => labels['fred.service_name'] === service)
        .map(({ state }) => Date.parse(state.startedAt ?? ''));
    const [db, api, web] = [startedAt('db'), startedAt('api'), startedAt('web')];
    expect(Math.min(...api) - Math.max(...db), 'a second until it is healthy').toBeGreaterThan(900);
    expect(Math.min(...web)).toBeGreaterThan(Math.max(...api));
    const { out } = await rig.inside(all[3]?.id ?? '', 'sh', '-c', 'nslookup api.  | grep -c ^Address');
    expect(Number(out), 'replicas share one name').toBeGreaterThan(2);
    await rig.deprovision(uuid);
  });

  it('fails as a whole when what is waited for never becomes healthy', async () => {
    const sick = { test: ['CMD', 'false'], interval: '1s', retries: 1 };
    const services = {
      db: script(stays, { health_check: sick }),
      web: script(stays, { depends_on: { db: { condition: 'service_healthy' } } }),
    };
    expect(await fails(services)).toMatchObject({ error: 'container reported unhealthy' });
  });
});

describe('a start', () => {
  it.each([
    ['ends at once', script('echo tenant secret; exit 3'), 'container exited during startup'],
    [
      'turns unhealthy',
      script(stays, { health_check: { test: ['CMD', 'false'], interval: '1s', retries: 1 } }),
      'container reported unhealthy',
    ],
    [
      'ends while its health is waited for',
      script('sleep 0.5; exit 1', { health_check: { test: ['CMD', 'true'], interval: '5s' } }),
      'container exited during health check',
    ],
    [
      'names a program that is not there',
      service({ command: ['/no/such/program'] }),
      'container creation failed',
    ],
  ])('that %s fails the lease in curated words', async (_, web, error) => {
    const { uuid, error: told, reason } = await fails({ web }, {}, patient);
    expect([told, reason]).toEqual([error, 'ContainerExited']);
    expect(JSON.stringify(patient.receiver.of(uuid))).not.toContain('secret');
    expect(JSON.stringify(await patient.info(uuid))).not.toContain('secret');
  });

  it('that ends before it counts as started fails the lease as well', async () => {
    await using thorough = await Rig.open({ config: { startup_verify_duration: '1m' } });
    const uuid = await thorough.provision({ web: script('sleep 0.1; exit 0') });
    expect(await thorough.receiver.wait(uuid)).toMatchObject({
      status: 'failed',
      error: 'container exited during startup',
    });
  });

  it('is heard of at once, not at the next look', async () => {
    const slow = { test: ['CMD', 'test', '-e', '/tmp/healthy'], interval: '100ms', retries: 100 };
    const uuid = await rig.running({ web: script(`touch /tmp/healthy; ${stays}`, { health_check: slow }) });
    const { id } = await rig.container(uuid);
    const log = await rig.host.docker('inspect', '--format', '{{json .State.Health.Log}}', id);
    const checks = JSON.parse(log) as readonly { readonly ExitCode: number; readonly End: string }[];
    const healthyAtMs = Date.parse(checks.find(({ ExitCode: code }) => code === 0)?.End ?? '');
    // Time is what this is about: without having heard of it we look again after ten seconds.
    expect((rig.receiver.of(uuid)[0]?.atMs ?? 0) - healthyAtMs).toBeLessThan(8000);
    const streams = rig.proxy.exchanges.filter(
      ({ url }) => url.includes('/events') && !url.includes('until'),
    );
    expect(streams).toHaveLength(1);
    await rig.deprovision(uuid);
  });

  it('that takes longer than everything may take fails and is cleaned up', async () => {
    await using hasty = await Rig.open({ config: { provision_timeout: '2s' } });
    const never = { test: ['CMD', 'false'], interval: '1s', retries: 100 };
    const uuid = await hasty.provision({ web: script(stays, { health_check: never }) });
    expect(await hasty.receiver.wait(uuid)).toMatchObject({ status: 'failed' });
    expect(await hasty.containers(uuid)).toEqual([]);
  });

  it('takes other host ports when one was taken meanwhile, three times, and then gives up', async () => {
    const message =
      'driver failed programming external connectivity: Bind for 0.0.0.0:49153 failed: port is already allocated';
    const taken = { kind: 'fail', status: 500, message } as const;
    rig.proxy.add({ on: 'POST /containers/*/start', fault: taken, times: 2 });
    const uuid = await rig.running({ web: service({ ports: { '80/tcp': {} } }) });
    expect((await rig.container(uuid)).ports.length).toBeGreaterThan(0);
    await rig.deprovision(uuid);
    const rule = rig.proxy.add({ on: 'POST /containers/*/start', fault: taken });
    expect(await fails({ web: service({ ports: { '80/tcp': {} } }) })).toMatchObject({
      error: 'container creation failed',
    });
    expect(rule.hits).toBe(3);
  });
});

describe('a provision that failed', () => {
  it('leaves its diagnosis for the operator, and its last words for the tenant', async () => {
    const { uuid } = await fails({ web: script('echo last words; exit 7') }, {}, patient);
    const [line] = patient.program.logs
      .attrsOf('lease operation failed')
      .filter((one) => one['lease_uuid'] === uuid);
    expect(line?.['detail']).toBe('container exited during startup: exit_code=7; logs:\nlast words\n');
    expect(await patient.ask(200, 'GET', `/logs/${uuid}`)).toEqual({});
    await patient.deprovision(uuid);
    expect(await patient.ask(200, 'GET', `/logs/${uuid}`)).toEqual({ 'web/0': 'last words\n' });
    expect(await patient.info(uuid)).toMatchObject({
      status: 'failed',
      fail_count: 1,
      reason: 'ContainerExited',
      message: 'container exited during startup',
    });
  });

  it('can be repeated: failures are counted on, success clears the reason and not the count', async () => {
    const { uuid } = await fails({ web: script('exit 1') }, {}, patient);
    await patient.next(uuid, () => patient.provision({ web: script('exit 1') }, { uuid }));
    expect(await patient.info(uuid)).toMatchObject({ status: 'failed', fail_count: 2 });
    await patient.next(uuid, () => patient.provision({ web: service() }, { uuid }));
    const info = await patient.info(uuid);
    expect(info).toMatchObject({ status: 'ready', fail_count: 2 });
    expect(info).not.toHaveProperty('reason');
    expect((await patient.container(uuid)).labels['fred.fail_count']).toBe('2');
    const releases = (await patient.ask(200, 'GET', `/releases/${uuid}`)) as {
      version: number;
      status: string;
    }[];
    expect(releases.map(({ version, status }) => [version, status])).toEqual([[1, 'active']]);
    await patient.deprovision(uuid);
  });

  it.each([
    ['the image cannot be looked at', 'GET /images/**/json', 'image inspect failed'],
    ['a container cannot be made', 'POST /containers/create', 'container creation failed'],
    ['the second container cannot be made', 'POST /containers/create', 'container creation failed'],
    ['a container cannot be started', 'POST /containers/*/start', 'container creation failed'],
  ])('because %s leaves nothing', async (what, on, error) => {
    const skip = what.includes('second') ? 1 : 0;
    rig.proxy.add({
      on,
      skip,
      fault: { kind: 'fail', status: 500, message: 'the disk of /srv/secret is full' },
    });
    const items = [{ service_name: 'web', quantity: 2 }];
    const { uuid, error: told } = await fails({ web: service() }, { items });
    expect(told).toBe(error);
    expect(JSON.stringify(await rig.info(uuid))).not.toContain('secret');
  });

  it('refuses a name that a stranger has taken, and leaves the stranger alone', async () => {
    const body = rig.provisionBody({ web: service() });
    const uuid = String(body['lease_uuid']);
    const { id } = await rig.engine.containers.create(
      { Image: imageOf('plain'), Labels: { mine: 'yes' } },
      { name: `fred-${uuid}-web-0` },
    );
    try {
      await rig.ask(202, 'POST', '/provision', body);
      expect(await rig.receiver.wait(uuid)).toMatchObject({ error: 'container creation failed' });
      expect((await rig.engine.containers.inspect(id)).labels).toEqual({ mine: 'yes' });
    } finally {
      await rig.engine.containers.remove(id, { force: true });
    }
  });

  it('is cleaned up later when the engine did not let it be cleaned up at once', async () => {
    patient.proxy.add({
      on: 'DELETE /containers/*',
      fault: { kind: 'fail', status: 500, message: 'device busy' },
    });
    const uuid = await patient.provision({ web: script('exit 1') });
    expect(await patient.receiver.wait(uuid)).toMatchObject({ status: 'failed' });
    expect(await patient.containers(uuid)).toHaveLength(1);
    patient.proxy.clear();
    patient.proxy.cutConnections();
    await waitFor('the container to go', async () => (await patient.containers(uuid)).length === 0, {
      timeoutMs: 60_000,
    });
  });
});
