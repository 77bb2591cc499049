import { describe, expect, it } from 'vitest';
import type { Death } from '../lease/index.ts';
import { ApiBench } from '../testing/api-bench.ts';
import { callbackUrl, payload, provision, ready, sku, uuid } from '../testing/api-requests.ts';
import { failure, item, leaseId } from '../testing/leases.ts';

describe('POST /restart and /update', () => {
  it('are accepted with the status visible, and only in ready and failed', async () => {
    await using bench = await ApiBench.start();
    const { host } = bench;
    const restart = { lease_uuid: uuid, callback_url: callbackUrl };
    const unknown = await bench.call('POST', '/restart', restart);
    expect([unknown.status, unknown.body]).toEqual([404, { error: 'not provisioned' }]);
    await bench.call('POST', '/provision', provision());
    const early = await bench.call('POST', '/restart', restart);
    expect([early.status, early.body]).toEqual([409, { error: 'invalid state for restart' }]);
    await host.until('the work runs', () => host.work.running.has(uuid));
    host.work.running.get(uuid)?.end({ kind: 'provisioned', items: [item({ sku })] });
    await host.until('it is ready', () => host.book.get(uuid)?.status === 'ready');
    await host.settled();
    const accepted = await bench.call('POST', '/restart', {
      ...restart,
      callback_url: 'http://127.0.0.1/other',
    });
    expect([accepted.status, accepted.body]).toEqual([202, { status: 'restarting' }]);
    expect((await bench.call('GET', `/provisions/${uuid}`)).body).toMatchObject({ status: 'restarting' });
    expect(host.book.get(uuid)?.callbackUrl).toBe('http://127.0.0.1/other');
    expect((await bench.call('POST', '/restart', restart)).status).toBe(409);
    expect((await bench.call('POST', '/update', { ...restart, payload: payload() })).body).toEqual({
      error: 'invalid state for update',
    });
  });

  it('an update is checked like a new manifest against the items that there are, and shown in the releases', async () => {
    await using bench = await ApiBench.start();
    const { host } = bench;
    await ready(bench);
    const update = (document: unknown) =>
      bench.call('POST', '/update', {
        lease_uuid: uuid,
        callback_url: callbackUrl,
        payload: payload(document),
      });
    expect(
      (await bench.call('POST', '/update', { lease_uuid: uuid, callback_url: callbackUrl })).body,
    ).toEqual({
      error: 'payload is required',
    });
    expect((await update({ services: { other: { image: 'nginx' } } })).body).toMatchObject({
      validation_code: 'invalid_manifest',
    });
    expect((await update({ services: { web: { image: 'quay.io/x' } } })).body).toMatchObject({
      validation_code: 'image_not_allowed',
    });
    const next = { services: { web: { image: 'nginx:2' } } };
    expect((await update(next)).body).toEqual({ status: 'updating' });
    await host.until('the work runs', () => host.work.running.has(uuid));
    host.work.running.get(uuid)?.end({ kind: 'replaced', images: { web: 'nginx:2' } });
    await host.until('it is ready', () => host.book.get(uuid)?.status === 'ready');
    expect((await bench.call('GET', `/releases/${uuid}`)).body).toMatchObject([
      { version: 1, image: 'stack', status: 'superseded', manifest: payload() },
      { version: 2, image: 'stack', status: 'active', manifest: payload(next) },
    ]);
    expect((await bench.call('GET', `/provisions/${uuid}`)).body).toMatchObject({
      service_images: { web: 'nginx:2' },
    });
    expect((await bench.call('GET', '/releases/unknown')).body).toEqual({ error: 'not provisioned' });
  });
});

describe('a lease whose manifest nobody knows', () => {
  it('is not restarted and gets no other domain, but can be updated', async () => {
    await using bench = await ApiBench.start();
    const { host } = bench;
    await ready(bench);
    const lease = host.book.get(uuid);
    if (lease === undefined) throw new Error('there is no lease');
    await host.book.commit({ uuid, lease: { ...lease, release: undefined }, nowMs: 0 });
    const request = { lease_uuid: uuid, callback_url: callbackUrl };
    const restart = await bench.call('POST', '/restart', request);
    expect([restart.status, restart.body]).toEqual([409, { error: 'invalid state for restart' }]);
    const items = [{ sku, quantity: 1, service_name: 'web', custom_domain: 'www.acme.example' }];
    const domain = await bench.call('POST', '/reconcile_custom_domain', { lease_uuid: uuid, items });
    expect([domain.status, domain.body]).toEqual([409, { error: 'invalid state for reconcile' }]);
    expect((await bench.call('POST', '/update', { ...request, payload: payload() })).status).toBe(202);
  });
});

describe('a replacement that fails', () => {
  it.each([
    ['/update', { reason: 'ImagePullFailed', message: 'image pull failed' }, 'image pull failed'],
    ['/update', { reason: 'UpdateFailed', message: 'container reported unhealthy' }, 'update failed'],
    ['/restart', { reason: 'RestartFailed', message: 'restart failed; rollback failed' }, 'restart failed'],
    ['/restart', { reason: 'Internal', message: 'internal error' }, 'internal error'],
  ] as const)('by %s as %j is in the releases as "%s"', async (path, why, message) => {
    await using bench = await ApiBench.start();
    const { host } = bench;
    await ready(bench);
    const request = { lease_uuid: uuid, callback_url: callbackUrl, payload: payload() };
    expect((await bench.call('POST', path, request)).status).toBe(202);
    await host.until('the work runs', () => host.work.running.has(uuid));
    host.work.running.get(uuid)?.end({ kind: 'failed', failure: failure(why), logs: {} });
    await host.until('it has failed', () => host.book.get(uuid)?.status === 'failed');
    expect((await bench.call('GET', `/releases/${uuid}`)).body).toMatchObject([
      { version: 1, status: 'active' },
      { version: 2, status: 'failed', reason: why.reason, message },
    ]);
    expect((await bench.call('GET', `/provisions/${uuid}`)).body).toMatchObject({ status: 'failed', ...why });
  });
});

describe('a lease whose provision has failed', () => {
  it.each([
    ['/restart', {}],
    ['/update', { payload: payload() }],
  ])('holds again with %s what it had given back, all or nothing', async (path, more) => {
    await using bench = await ApiBench.start({ total: { cpuCores: 8, memoryMb: 700, diskMb: 10 } });
    const { host } = bench;
    const begin = async (id: string, as: string) => {
      const items = [{ sku: as, quantity: 1, service_name: 'web' }];
      expect((await bench.call('POST', '/provision', provision({ lease_uuid: id, items }))).status).toBe(202);
      await host.until('the work runs', () => host.work.running.has(id));
    };
    const held = () => host.pool.usage.allocated;
    await begin(uuid, 'disk');
    const stays = [`${uuid}-web-0`];
    host.work.running.get(uuid)?.end({ kind: 'failed', failure: failure(), logs: {}, stays });
    await host.until('it has failed', () => host.book.get(uuid)?.status === 'failed');
    await host.settled();
    expect(held(), 'its data is still there').toEqual({ cpuCores: 0, memoryMb: 0, diskMb: 1 });
    await begin(leaseId(2), sku);
    const again = () => bench.call('POST', path, { lease_uuid: uuid, callback_url: callbackUrl, ...more });
    expect((await again()).body).toEqual({ error: `invalid state for ${path.slice(1)}` });
    expect(held()).toEqual({ cpuCores: 0.5, memoryMb: 512, diskMb: 1 });
    host.work.running.get(leaseId(2))?.end({ kind: 'failed', failure: failure(), logs: {} });
    await host.until('there is room', () => held().memoryMb === 0);
    expect((await again()).status).toBe(202);
    expect(held()).toEqual({ cpuCores: 0.5, memoryMb: 512, diskMb: 1 });
  });
});

describe('POST /reconcile_custom_domain', () => {
  it('redeploys when a domain changes, and does nothing at all otherwise', async () => {
    await using bench = await ApiBench.start();
    const { host } = bench;
    const call = (items: unknown, id = uuid) =>
      bench.call('POST', '/reconcile_custom_domain', { lease_uuid: id, items }).then(({ status }) => status);
    const wanted = (domain: string) => [{ sku, quantity: 1, service_name: 'web', custom_domain: domain }];
    expect(await call(wanted('www.acme.example'))).toBe(204);
    await ready(bench);
    const transitions = host.transitions.length;
    expect(await call(wanted(''))).toBe(204);
    expect(await call(wanted('not a domain'))).toBe(204);
    expect(await call([{ sku, quantity: 1, service_name: 'other', custom_domain: 'www.acme.example' }])).toBe(
      204,
    );
    expect(host.transitions).toHaveLength(transitions);
    expect(host.logs.messages('error')).toEqual(['custom domain refused']);
    expect(await call(wanted('www.acme.example'))).toBe(204);
    expect(host.book.get(uuid)?.status).toBe('restarting');
    expect(host.book.get(uuid)?.items[0]?.customDomain).toBe('');
    expect(await call(wanted('www.acme.example'))).toBe(204);
    await host.until('the work runs', () => host.work.running.has(uuid));
    host.work.running.get(uuid)?.end({ kind: 'replaced', images: { web: 'nginx' } });
    await host.until('it is ready', () => host.book.get(uuid)?.status === 'ready');
    await host.settled();
    expect(host.book.get(uuid)).toMatchObject({ callbackUrl, items: [{ customDomain: 'www.acme.example' }] });
    expect(await call(wanted('www.acme.example'))).toBe(204);
    expect(host.book.get(uuid)?.status).toBe('ready');
    expect(await call(wanted(''))).toBe(204);
    expect(host.book.get(uuid)?.status).toBe('restarting');
  });
});

describe('a request that waits for its turn', () => {
  const death: Death = { service: 'web', index: 0, containerId: 'c' };

  /** The lease is ready and being looked at; what is asked for now has its turn when `look` has an answer. */
  async function busy(bench: ApiBench) {
    await ready(bench);
    const { host } = bench;
    const look = Promise.withResolvers<Death | undefined>();
    host.work.confirmDeath = () => look.promise;
    host.post(uuid, { kind: 'death', suspect: death });
    const waits = async (path: string, more: Record<string, unknown>) => {
      const depth = host.registry.sample().depths[0] ?? 0;
      const reply = bench.call('POST', path, { lease_uuid: uuid, ...more });
      await host.until('it waits', () => (host.registry.sample().depths[0] ?? 0) > depth);
      return { reply };
    };
    return { look, waits };
  }
  const items = [{ sku, quantity: 1, service_name: 'web', custom_domain: 'www.acme.example' }];

  it('to restart is accepted by a lease that has begun to fail meanwhile', async () => {
    await using bench = await ApiBench.start();
    const { look, waits } = await busy(bench);
    const { reply } = await waits('/restart', { callback_url: callbackUrl });
    look.resolve(death);
    const { status, body } = await reply;
    expect([status, body]).toEqual([202, { status: 'restarting' }]);
    expect(bench.host.transitions.slice(-2)).toEqual([
      'ready ContainerDied failing',
      'failing RestartRequested restarting',
    ]);
  });

  it('for other domains is void when the lease is not ready any more', async () => {
    await using bench = await ApiBench.start();
    const { look, waits } = await busy(bench);
    const { reply } = await waits('/reconcile_custom_domain', { items });
    look.resolve(death);
    const { status, body } = await reply;
    expect([status, body]).toEqual([409, { error: 'invalid state for reconcile' }]);
  });

  it('for anything is answered 404 when the lease is gone by then', async () => {
    await using bench = await ApiBench.start();
    const { host } = bench;
    const { look, waits } = await busy(bench);
    const basis = host.book.get(uuid);
    if (basis === undefined) throw new Error('there is no lease');
    host.post(uuid, { kind: 'fact', event: { name: 'ContainersRemoved' }, basis, logs: {} });
    const asked = [
      await waits('/restart', { callback_url: callbackUrl }),
      await waits('/update', { callback_url: callbackUrl, payload: payload() }),
      await waits('/reconcile_custom_domain', { items }),
    ];
    look.resolve(undefined);
    for (const { reply } of asked) {
      const { status, body } = await reply;
      expect([status, body]).toEqual([404, { error: 'not provisioned' }]);
    }
  });
});
