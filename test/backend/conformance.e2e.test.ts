/**
 * A provider daemon that knows nothing but the contract, against the whole program on a real engine: every answer has exactly the
 * fields that it may have, every callback is signed and comes once, and the tenants' pages are really there.
 */
import { accepted, type Callback, type NewLease, Provider, pageOf, refused } from '@berth/lab/provider';
import { lab, waitFor } from '@berth/lab/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

let provider: Provider;
beforeAll(async () => {
  const host = (await lab()).host();
  // Some of these containers end at once; on a busy machine that takes its time to be told.
  const config = { reconcile_interval: '2s', startup_verify_duration: '2s' };
  provider = await Provider.open(host, { config });
});
afterAll(() => provider[Symbol.asyncDispose]());

/** Whatever a test is about: nobody was told anything that the contract does not have, or that the test did not expect. */
afterEach(() => {
  expect(provider.desk.violations).toEqual([]);
  expect(provider.desk.untaken).toEqual([]);
});

const success = (lease: NewLease): Callback => ({
  lease_uuid: lease.lease_uuid,
  status: 'success',
  backend: provider.id,
});
const failed = (lease: NewLease, error: string): Callback => ({
  ...success(lease),
  status: 'failed',
  error,
});

async function closed(lease: NewLease): Promise<void> {
  const { client, desk } = provider;
  accepted(await client.deprovision(lease.lease_uuid));
  expect(await desk.next(lease.lease_uuid)).toEqual({ ...success(lease), status: 'deprovisioned' });
  expect(accepted(await client.lookup(lease.lease_uuid))).toEqual({ provisions: [] });
}

/** Names of the containers of a lease that the engine has, whatever their state. */
async function containersOf({ lease_uuid: uuid }: NewLease): Promise<readonly string[]> {
  const filter = ['--filter', `label=fred.lease_uuid=${uuid}`];
  const names = await provider.host.docker('ps', '--all', ...filter, '--format', '{{.Names}}');
  return names.split('\n').filter(Boolean).sort();
}

/** The pages of all instances, as a client on the LAN sees them. */
async function pagesOf({ lease_uuid: uuid }: NewLease): Promise<readonly string[]> {
  const { host, instances } = accepted(await provider.client.info(uuid));
  await using client = (await lab()).client('client1');
  const pages: string[] = [];
  for (const instance of instances)
    pages.push(
      await waitFor('a page', () => pageOf(client, host, instance).catch(() => undefined), {
        timeoutMs: 60_000,
      }),
    );
  return pages;
}

const wholeStack = [
  { sku: 'small', quantity: 2, service_name: 'web' },
  { sku: 'small', quantity: 1, service_name: 'db' },
];

describe('a provider daemon', () => {
  it('sees a lease come, answer, and go', async () => {
    const { client, desk } = provider;
    const before = accepted(await client.stats());
    const lease = provider.lease(wholeStack);
    const { lease_uuid: uuid } = lease;
    const manifest = {
      services: {
        web: provider.page('harbour', { depends_on: { db: { condition: 'service_healthy' } } }),
        db: provider.page('store', {
          health_check: {
            test: ['CMD-SHELL', 'wget -q -O /dev/null http://127.0.0.1:8080/'],
            interval: '200ms',
          },
        }),
      },
    };
    expect(accepted(await client.provision(lease, manifest))).toEqual({ provision_id: uuid });
    expect(refused(await client.provision(lease, manifest))).toEqual({
      status: 409,
      error: 'lease already provisioned',
    });
    expect(await desk.next(uuid)).toEqual(success(lease));

    expect(accepted(await client.provisionOf(uuid))).toMatchObject({
      status: 'ready',
      provider_uuid: provider.uuid,
      fail_count: 0,
      quantity: 3,
      items: wholeStack,
      service_images: { web: provider.image, db: provider.image },
      retained_until: '0001-01-01T00:00:00Z',
    });
    const info = accepted(await client.info(uuid));
    expect(info.host).toBe(provider.host.addresses.v4);
    expect(info.services['web']?.instances.map(({ instance_index: index }) => index)).toEqual([0, 1]);
    expect(info.instances).toEqual([
      ...(info.services['db']?.instances ?? []),
      ...(info.services['web']?.instances ?? []),
    ]);
    expect(new Set(info.instances.map(({ status }) => status))).toEqual(new Set(['running']));
    expect(await containersOf(lease)).toEqual([
      `fred-${uuid}-db-0`,
      `fred-${uuid}-web-0`,
      `fred-${uuid}-web-1`,
    ]);
    expect(await pagesOf(lease)).toEqual(['store', 'harbour', 'harbour']);
    expect(accepted(await client.logs(uuid, 1))).toEqual({
      'db/0': 'serving store\n',
      'web/0': 'serving harbour\n',
      'web/1': 'serving harbour\n',
    });
    const now = accepted(await client.stats());
    expect(now.allocated_cpu_cores - before.allocated_cpu_cores).toBeCloseTo(0.75);
    expect(now.allocated_memory_mb - before.allocated_memory_mb).toBe(192);
    expect(now.active_containers - before.active_containers).toBe(3);
    expect(accepted(await client.releases(uuid))).toMatchObject([{ version: 1, status: 'active' }]);
    expect(accepted(await client.lookup(uuid)).provisions.map(({ lease_uuid: id }) => id)).toEqual([uuid]);
    expect(accepted(await client.retentions())).toEqual({ retentions: [] });

    await closed(lease);
    expect(await containersOf(lease)).toEqual([]);
    expect(accepted(await client.stats())).toEqual(before);
    // Again: nothing to do, and nobody is told.
    expect(accepted(await client.deprovision(uuid))).toEqual({ status: 'ok' });
    expect(refused(await client.provisionOf(uuid))).toEqual({ status: 404, error: 'not provisioned' });
    expect(refused(await client.info(uuid)).error).toBe('not provisioned');
    expect(refused(await client.logs(uuid)).error).toBe('not provisioned');
    expect(refused(await client.releases(uuid)).error).toBe('not provisioned');
  });

  it('updates a lease, and has the old version back when the new one does not come up', async () => {
    const { client, desk } = provider;
    const lease = await provider.provisioned(provider.lease(), { services: { web: provider.page('one') } });
    const { lease_uuid: uuid } = lease;
    expect(await pagesOf(lease)).toEqual(['one']);

    expect(accepted(await client.update(uuid, { services: { web: provider.page('two') } }))).toEqual({
      status: 'updating',
    });
    expect(await desk.next(uuid)).toEqual(success(lease));
    expect(await pagesOf(lease)).toEqual(['two']);

    const broken = { ...provider.page('three'), command: ['false'] };
    accepted(await client.update(uuid, { services: { web: broken } }));
    expect(await desk.next(uuid)).toEqual(
      failed(lease, 'container exited during startup; rolled back to previous version'),
    );
    expect(accepted(await client.provisionOf(uuid))).toMatchObject({ status: 'ready', fail_count: 1 });
    expect(await pagesOf(lease)).toEqual(['two']);
    const releases = accepted(await client.releases(uuid));
    expect(releases.map(({ version, status, reason }) => [version, status, reason])).toEqual([
      [1, 'superseded', undefined],
      [2, 'active', undefined],
      [3, 'failed', 'UpdateFailed'],
    ]);
    expect(await containersOf(lease)).toEqual([`fred-${uuid}-web-0`]);

    // An image that nobody has: the containers are not touched, and the lease has failed all the same.
    const nowhere = { ...provider.page('four'), image: provider.image.replace('tenant', 'nowhere') };
    accepted(await client.update(uuid, { services: { web: nowhere } }));
    expect(await desk.next(uuid)).toEqual(failed(lease, 'image pull failed'));
    expect(accepted(await client.provisionOf(uuid))).toMatchObject({
      status: 'failed',
      reason: 'ImagePullFailed',
      message: 'image pull failed',
      fail_count: 2,
    });
    accepted(await client.restart(uuid));
    expect(await desk.next(uuid)).toEqual(success(lease));
    expect(await pagesOf(lease)).toEqual(['two']);
    await closed(lease);
    // What went wrong is known for longer than the lease.
    expect(accepted(await client.provisionOf(uuid))).toMatchObject({
      status: 'failed',
      reason: 'ImagePullFailed',
      message: 'image pull failed',
      quantity: 0,
    });
  });

  it('hears of a container that died, and of a provision that comes to nothing, and provisions again', async () => {
    const { client, desk, host } = provider;
    const manifest = { services: { web: provider.page('alive') } };
    const lease = await provider.provisioned(provider.lease(), manifest);
    const { lease_uuid: uuid } = lease;
    await host.docker('kill', `fred-${uuid}-web-0`);
    expect(await desk.next(uuid)).toEqual(failed(lease, 'container exited unexpectedly'));
    expect(accepted(await client.provisionOf(uuid))).toMatchObject({
      status: 'failed',
      reason: 'ContainerExited',
      message: 'container exited unexpectedly',
      fail_count: 1,
    });
    expect(refused(await client.info(uuid)).status).toBe(404);
    const broken = {
      services: { web: { ...provider.page('x'), command: ['sh', '-c', 'echo bye; exit 3'] } },
    };
    accepted(await client.provision(lease, broken));
    expect(await desk.next(uuid)).toEqual(failed(lease, 'container exited during startup'));
    expect(accepted(await client.provisionOf(uuid))).toMatchObject({ status: 'failed', fail_count: 2 });
    expect(await containersOf(lease)).toEqual([]);

    await provider.provisioned(lease, manifest);
    expect(accepted(await client.provisionOf(uuid))).toMatchObject({ status: 'ready', fail_count: 2 });
    expect(await pagesOf(lease)).toEqual(['alive']);
    await closed(lease);
  });

  it('reads logs up to the limits of the contract, also of what is not there any more', async () => {
    const { client, desk } = provider;
    const line = 'x'.repeat(999);
    const talk = `for i in $(seq 7000); do echo ${line}; done; echo quiet > /tmp/done; exec sleep infinity`;
    const services = {
      loud: { image: provider.image, command: ['sh', '-c', talk], init: true },
      small: provider.page('small'),
    };
    const items = ['loud', 'small'].map((name) => ({ sku: 'small', quantity: 1, service_name: name }));
    const lease = await provider.provisioned(provider.lease(items), { services });
    const { lease_uuid: uuid } = lease;
    const loud = await waitFor(
      'all that it has to say',
      async () => {
        const text = accepted(await client.logs(uuid, 10_000))['loud/0'] ?? '';
        return text.endsWith('limit]') ? text : undefined;
      },
      { timeoutMs: 60_000, everyMs: 200 },
    );
    const marker = '\n[log truncated: exceeded 5 MiB limit]';
    expect([loud.length, loud.endsWith(marker)]).toEqual([5 * 2 ** 20 + marker.length, true]);
    expect(accepted(await client.logs(uuid, 2))).toEqual({
      'loud/0': `${line}\n${line}\n`,
      'small/0': 'serving small\n',
    });
    for (const tail of ['0', '-1', 'x', '10001'])
      expect((await client.call('GET', `/logs/${uuid}?tail=${tail}`)).status).toBe(400);
    await provider.host.docker('kill', `fred-${uuid}-small-0`);
    expect(await desk.next(uuid)).toEqual(failed(lease, 'container exited unexpectedly'));
    await closed(lease);
    // The last lines before the death are kept for longer than the lease.
    expect(accepted(await client.logs(uuid))['small/0']).toBe('serving small\n');
  });

  it('is refused in the words of the contract, and nothing comes of what was refused', async () => {
    const { client } = provider;
    const manifest = { services: { web: provider.page('never') } };
    const refusal = async (items: NewLease['items'], document: unknown = manifest) => {
      const { status, validation_code: code } = refused(
        await client.provision(provider.lease(items), document),
      );
      return [status, code];
    };
    const before = accepted(await client.stats());
    expect(await refusal([{ sku: 'gold', quantity: 1, service_name: 'web' }])).toEqual([400, 'unknown_sku']);
    expect(await refusal([{ sku: 'small', quantity: 1, service_name: 'api' }])).toEqual([
      400,
      'invalid_manifest',
    ]);
    const items = [{ sku: 'small', quantity: 1, service_name: 'web' }];
    expect(await refusal(items, { services: { web: { image: 'quay.io/x/y' } } })).toEqual([
      400,
      'image_not_allowed',
    ]);
    expect(await refusal(items, { services: { web: { image: 'UPPER' } } })).toEqual([400, undefined]);
    expect(await refusal([{ sku: 'small', quantity: 1025, service_name: 'web' }])).toEqual([400, undefined]);
    expect(await refusal([{ sku: 'large', quantity: 2, service_name: 'web' }])).toEqual([503, undefined]);
    const unknown = provider.lease();
    expect(refused(await client.restart(unknown.lease_uuid))).toEqual({
      status: 404,
      error: 'not provisioned',
    });
    expect(refused(await client.update(unknown.lease_uuid, manifest)).status).toBe(404);
    expect(refused(await client.restore(unknown, provider.lease().lease_uuid))).toEqual({
      status: 422,
      error: 'no retained data for lease',
    });
    expect(await client.reconcileDomains(unknown.lease_uuid, items)).toBeUndefined();
    expect(accepted(await client.stats())).toEqual(before);
    expect(await client.walk()).toEqual([]);
  });

  it('finds in the metrics what has happened, and no tenant', async () => {
    const { text, status } = await provider.client.send('GET', '/metrics', Buffer.alloc(0));
    expect(status).toBe(200);
    expect(text).toMatch(/^fred_docker_backend_provisions_total\{outcome="success"\} [1-9]/m);
    expect(text).toMatch(/^fred_docker_backend_callback_delivery_total\{outcome="success"\} [1-9]/m);
    expect(text).toMatch(
      /^fred_docker_backend_lease_sm_transitions_total\{from="provisioning",to="ready",event="ProvisionCompleted"\} [1-9]/m,
    );
    expect(text).not.toContain(provider.lease().tenant);
  });

  it('finds everything as it was after the backend has been restarted, and after it was killed', async () => {
    const { client, host } = provider;
    const leases = await Promise.all(
      ['a', 'b', 'c'].map((text) =>
        provider.provisioned(provider.lease(), { services: { web: provider.page(text) } }),
      ),
    );
    const ids = leases.map(({ lease_uuid: id }) => id).sort();
    expect((await client.walk(2)).map(({ lease_uuid: id }) => id)).toEqual(ids);
    const before = { list: await client.walk(), stats: accepted(await client.stats()) };
    const running = async () =>
      await host.docker('ps', '--quiet', '--filter', `label=fred.backend_name=${provider.id}`);
    const containers = await running();

    expect(await provider.restart('SIGTERM')).toBe(0);
    expect(await provider.client.walk()).toEqual(before.list);
    expect(await provider.restart('SIGKILL')).toBe(null);
    expect(await provider.client.walk(1)).toEqual(before.list);
    expect(accepted(await provider.client.stats())).toEqual(before.stats);
    expect(await running()).toBe(containers);
    expect(accepted(await provider.client.health())).toEqual({ status: 'healthy' });
    for (const lease of leases) await closed(lease);
  });
});
