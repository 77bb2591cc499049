import { connect } from 'node:net';
import { VirtualClock } from '@berth/service';
import { describe, expect, it } from 'vitest';
import { sign } from '../signature/index.ts';
import { ApiBench, apiSecret } from '../testing/api-bench.ts';
import { payload, provision, ready, sku, uuid } from '../testing/api-requests.ts';
import { failure } from '../testing/leases.ts';

describe('POST /provision', () => {
  it('is accepted at once, and the record is there with it', async () => {
    await using bench = await ApiBench.start();
    const reply = await bench.call(
      'POST',
      '/provision',
      provision({ payload_hash: 'whatever', unknown: [1] }),
    );
    expect([reply.status, reply.body]).toEqual([202, { provision_id: uuid }]);
    expect((await bench.call('GET', `/provisions/${uuid}`)).body).toMatchObject({
      lease_uuid: uuid,
      status: 'provisioning',
      fail_count: 0,
      retained_until: '0001-01-01T00:00:00Z',
      quantity: 1,
      items: [{ sku, quantity: 1, service_name: 'web' }],
      service_images: { web: 'nginx' },
    });
  });

  it.each<[string, unknown, string]>([
    ['no JSON', 'nonsense', 'invalid request body'],
    ['a list', [], 'invalid request body'],
    ['a number for the id', { lease_uuid: 5 }, 'invalid request body'],
    ['half a container', provision({ items: [{ sku, quantity: 0.5 }] }), 'invalid request body'],
    ['a payload that is not base64', provision({ payload: 'a b' }), 'invalid request body'],
    ['nothing', {}, 'lease_uuid is required'],
    ['null', { lease_uuid: null }, 'lease_uuid is required'],
    ['no callback', { lease_uuid: uuid }, 'callback_url is required'],
    [
      'a bad callback',
      provision({ callback_url: 'ftp://x' }),
      'invalid callback_url: scheme must be http or https',
    ],
    ['no items', provision({ items: null }), 'items is required'],
    ['an id that names cannot carry', provision({ lease_uuid: '../x' }), 'invalid lease_uuid: it must be'],
    [
      'too many containers',
      provision({ items: [{ sku, quantity: 1025, service_name: 'web' }] }),
      `item 0 (sku "${sku}", service "web"): quantity 1025 is not within 0 and 1024`,
    ],
    ['a negative quantity', provision({ items: [{ sku, quantity: -1 }] }), 'quantity -1 is not within'],
    [
      'too many in total',
      provision({
        items: [
          { sku, quantity: 1024, service_name: 'web' },
          { sku, quantity: 1, service_name: 'db' },
        ],
      }),
      'add up to more than 1024',
    ],
  ])('refuses %s', async (_, body, error) => {
    await using bench = await ApiBench.start();
    const reply = await bench.call('POST', '/provision', body);
    expect(reply.status).toBe(400);
    expect(reply.body).toEqual({ error: expect.stringContaining(error) });
    expect(bench.host.book.size).toBe(0);
    expect(bench.host.pool.usage.allocations).toBe(0);
  });

  it.each<[string, Record<string, unknown>, string, string]>([
    [
      'an unknown SKU',
      { items: [{ sku: 'foo', quantity: 1 }] },
      'unknown_sku',
      'unknown SKU: foo (profile: foo)',
    ],
    ['no payload', { payload: '' }, 'invalid_manifest', 'the manifest is empty'],
    ['a bad manifest', { payload: payload({ services: {} }) }, 'invalid_manifest', 'at least one service'],
    [
      'a service without an item',
      { items: [{ sku, quantity: 1 }] },
      'invalid_manifest',
      'item "app" has no service',
    ],
    [
      'items with and without names',
      {
        items: [
          { sku, quantity: 1, service_name: 'web' },
          { sku, quantity: 1 },
        ],
      },
      'invalid_manifest',
      'item 1 has no service_name',
    ],
    [
      'a service twice',
      {
        items: [
          { sku, quantity: 1, service_name: 'web' },
          { sku, quantity: 1, service_name: 'web' },
        ],
      },
      'invalid_manifest',
      'more than one item',
    ],
    [
      'a service called like an instance of another',
      {
        items: [
          { sku, quantity: 2, service_name: 'web' },
          { sku, quantity: 1, service_name: 'web-1' },
        ],
        payload: payload({ services: { web: { image: 'nginx' }, 'web-1': { image: 'nginx' } } }),
      },
      'invalid_manifest',
      'service "web-1" is called like instance 1 of "web"',
    ],
    [
      'a fixed host port',
      { payload: payload({ services: { web: { image: 'nginx', ports: { '80/tcp': { host_port: 80 } } } } }) },
      'invalid_manifest',
      'fixed host ports are not allowed',
    ],
    [
      'another registry',
      { payload: payload({ services: { web: { image: 'quay.io/x/y' } } }) },
      'image_not_allowed',
      'service "web": registry "quay.io" of image "quay.io/x/y" is not allowed; allowed are docker.io, ghcr.io',
    ],
  ])('refuses %s with its code', async (_, more, code, error) => {
    await using bench = await ApiBench.start();
    const reply = await bench.call('POST', '/provision', provision(more));
    expect(reply.status).toBe(400);
    expect(reply.body).toEqual({ error: expect.stringContaining(error), validation_code: code });
  });

  it('takes a service that has a number which no instance of the other has', async () => {
    await using bench = await ApiBench.start();
    const services = { web: { image: 'nginx' }, 'web-2': { image: 'nginx' } };
    const items = [
      { sku, quantity: 2, service_name: 'web' },
      { sku, quantity: 1, service_name: 'web-2' },
    ];
    const reply = await bench.call(
      'POST',
      '/provision',
      provision({ items, payload: payload({ services }) }),
    );
    expect(reply.status).toBe(202);
  });

  it('refuses a reference that is none without a code', async () => {
    await using bench = await ApiBench.start();
    const bad = provision({ payload: payload({ services: { web: { image: 'Nginx' } } }) });
    const reply = await bench.call('POST', '/provision', bad);
    expect([reply.status, Object.keys(reply.body as object)]).toEqual([400, ['error']]);
  });

  it('refuses what is live, before it looks at anything else, and takes one of two that come at once', async () => {
    await using bench = await ApiBench.start();
    const both = await Promise.all([1, 2].map(() => bench.call('POST', '/provision', provision())));
    expect(both.map(({ status }) => status).sort()).toEqual([202, 409]);
    const again = await bench.call('POST', '/provision', provision({ items: [{ sku: 'foo', quantity: 1 }] }));
    expect([again.status, again.body]).toEqual([409, { error: 'lease already provisioned' }]);
  });

  it('refuses what does not fit, and holds nothing of it', async () => {
    await using bench = await ApiBench.start({ total: { cpuCores: 8, memoryMb: 700, diskMb: 0 } });
    const two = provision({ items: [{ sku, quantity: 2, service_name: 'web' }] });
    const reply = await bench.call('POST', '/provision', two);
    expect([reply.status, reply.body]).toEqual([
      503,
      { error: 'insufficient resources: insufficient memory: need 512 MB, have 188 MB available' },
    ]);
    expect(bench.host.pool.usage.allocations).toBe(0);
    expect(bench.host.book.size).toBe(0);
  });

  it('takes a failed lease again, with its fail count, and keeps it when the new manifest is refused', async () => {
    await using bench = await ApiBench.start();
    const { host } = bench;
    await bench.call('POST', '/provision', provision());
    await host.until('the work runs', () => host.work.running.has(uuid));
    host.work.running.get(uuid)?.end({ kind: 'failed', failure: failure(), logs: {} });
    await host.until('it has failed', () => host.book.get(uuid)?.status === 'failed');
    await host.settled();
    expect((await bench.call('POST', '/provision', provision({ payload: payload('{') }))).status).toBe(400);
    expect((await bench.call('GET', `/provisions/${uuid}`)).body).toMatchObject({
      status: 'failed',
      fail_count: 1,
      reason: 'ContainerExited',
      message: 'container creation failed',
    });
    expect((await bench.call('POST', '/provision', provision())).status).toBe(202);
    expect((await bench.call('GET', `/provisions/${uuid}`)).body).toMatchObject({
      status: 'provisioning',
      fail_count: 1,
    });
  });

  it('warns of the flat manifest form', async () => {
    await using bench = await ApiBench.start();
    const flat = provision({ items: [{ sku, quantity: 1 }], payload: payload({ image: 'nginx' }) });
    expect((await bench.call('POST', '/provision', flat)).status).toBe(202);
    expect(bench.host.logs.attrsOf('the flat manifest form is deprecated, use "services"')).toEqual([
      { lease_uuid: uuid },
    ]);
  });

  it('reads the first JSON value and nothing behind it', async () => {
    await using bench = await ApiBench.start();
    const body = `${JSON.stringify(provision({ tenant: 'a"}b' }))} trailing {`;
    expect((await bench.call('POST', '/provision', body)).status).toBe(202);
  });
});

describe('POST /deprovision', () => {
  it('answers when the lease is gone, and 200 for one that nobody knows', async () => {
    await using bench = await ApiBench.start();
    const { host } = bench;
    await ready(bench);
    const closing = bench.call('POST', '/deprovision', { lease_uuid: uuid });
    await host.until('the close runs', () => host.work.running.get(uuid)?.method === 'deprovision');
    expect((await bench.call('GET', `/provisions/${uuid}`)).body).toMatchObject({ status: 'deprovisioning' });
    host.work.running.get(uuid)?.end({ kind: 'closed', retained: false });
    const reply = await closing;
    expect([reply.status, reply.body]).toEqual([200, { status: 'ok' }]);
    expect((await bench.call('POST', '/deprovision', { lease_uuid: uuid })).status).toBe(200);
    expect((await bench.call('POST', '/deprovision', {})).body).toEqual({ error: 'lease_uuid is required' });
    expect(host.told).toHaveLength(2);
  });

  it('answers 500 when it did not succeed, and a repeat goes on', async () => {
    await using bench = await ApiBench.start();
    const { host } = bench;
    await ready(bench);
    const failing = bench.call('POST', '/deprovision', { lease_uuid: uuid });
    await host.until('the close runs', () => host.work.running.get(uuid)?.method === 'deprovision');
    host.work.running
      .get(uuid)
      ?.end({ kind: 'failed', failure: failure({ reason: 'CleanupFailed', message: 'cleanup failed' }) });
    expect((await failing).status).toBe(500);
    expect((await bench.call('GET', `/provisions/${uuid}`)).body).toMatchObject({
      status: 'failed',
      reason: 'CleanupFailed',
    });
    const again = bench.call('POST', '/deprovision', { lease_uuid: uuid });
    await host.until('the close runs', () => host.work.running.get(uuid)?.method === 'deprovision');
    host.work.running.get(uuid)?.end({ kind: 'closed', retained: false });
    expect((await again).status).toBe(200);
  });

  it('that takes too long is answered as unfinished in time for the caller to repeat it', async () => {
    const clock = new VirtualClock();
    await using bench = await ApiBench.start({ clock });
    const { host } = bench;
    await ready(bench);
    const slow = bench.call('POST', '/deprovision', { lease_uuid: uuid });
    await host.until('the close runs', () => host.work.running.get(uuid)?.method === 'deprovision');
    await clock.advance(28_000);
    const reply = await slow;
    expect([reply.status, reply.body]).toEqual([
      500,
      { error: 'not finished yet; it goes on, repeat the request' },
    ]);
    const again = bench.call('POST', '/deprovision', { lease_uuid: uuid });
    host.work.running.get(uuid)?.end({ kind: 'closed', retained: false });
    expect((await again).status).toBe(200);
    expect(clock.pending).toBe(0);
  });

  it('goes on when the caller hangs up', async () => {
    await using bench = await ApiBench.start();
    const { host } = bench;
    await ready(bench);
    const body = Buffer.from(JSON.stringify({ lease_uuid: uuid }));
    const signature = sign(apiSecret, { method: 'POST', target: '/deprovision', body }, Date.now());
    const socket = connect(bench.port, '127.0.0.1');
    socket.write(
      `POST /deprovision HTTP/1.1\r\nHost: x\r\nX-Fred-Signature: ${signature}\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    socket.write(body);
    await host.until('the close runs', () => host.work.running.get(uuid)?.method === 'deprovision');
    socket.destroy();
    await host.settled();
    host.work.running.get(uuid)?.end({ kind: 'closed', retained: false });
    await host.until('it is gone', () => host.book.size === 0);
  });
});
