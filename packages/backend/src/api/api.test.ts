import { connect } from 'node:net';
import { VirtualClock } from '@berth/service';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sign } from '../signature/index.ts';
import { ApiBench, apiSecret } from '../testing/api-bench.ts';
import { failure, item, leaseId, newLease } from '../testing/leases.ts';

const uuid = newLease().uuid;
const sku = '019c1ee7-816c-7001-8c26-a61d57e7403e';
const callbackUrl = 'http://127.0.0.1/callbacks/provision';
const payload = (document: unknown = { services: { web: { image: 'nginx' } } }): string =>
  Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)).toString('base64');

const provision = (more: Record<string, unknown> = {}) => ({
  lease_uuid: uuid,
  tenant: 'manifest1abc',
  provider_uuid: '0190aaaa-0000-7000-8000-000000000001',
  items: [{ sku, quantity: 1, service_name: 'web' }],
  callback_url: callbackUrl,
  payload: payload(),
  ...more,
});

async function ready(bench: ApiBench, id = uuid): Promise<void> {
  expect((await bench.call('POST', '/provision', provision({ lease_uuid: id }))).status).toBe(202);
  const { host } = bench;
  await host.until('the work runs', () => host.work.running.has(id));
  host.work.running.get(id)?.end({ kind: 'provisioned', items: [item({ sku })] });
  await host.until('it is ready', () => host.book.get(id)?.status === 'ready');
  await host.settled();
}

describe('a signed route', () => {
  it('asks for the signature before the body, and for a good one before anything else', async () => {
    await using bench = await ApiBench.start({ maxBodyBytes: 1000 });
    const big = Buffer.alloc(2000, 'x');
    const unsigned = await bench.send('POST', '/provision', big);
    expect([unsigned.status, unsigned.body]).toEqual([401, { error: 'missing signature' }]);
    const tooLarge = await bench.call('POST', '/provision', 'x'.repeat(1001));
    expect([tooLarge.status, tooLarge.body]).toEqual([413, { error: 'request body too large' }]);
    const wrong = await bench.send('POST', '/provision', Buffer.from('{}'), {
      headers: { 'X-Fred-Signature': 't=1,sha256=00' },
    });
    expect([wrong.status, wrong.body]).toEqual([401, { error: 'invalid signature' }]);
    expect(bench.host.logs.attrsOf('signature rejected')).toEqual([
      { remote: '127.0.0.1', path: '/provision' },
    ]);
    const exact = await bench.call('POST', '/provision', 'x'.repeat(1000));
    expect([exact.status, exact.body]).toEqual([400, { error: 'invalid request body' }]);
  });

  it('does not take a signature for another target, or an old one', async () => {
    await using bench = await ApiBench.start();
    const headers = (target: string, at: number) => ({
      headers: { 'X-Fred-Signature': sign(apiSecret, { method: 'GET', target, body: Buffer.alloc(0) }, at) },
    });
    const now = Date.now();
    const get = async (target: string, signed: string, at: number) =>
      (await bench.send('GET', target, Buffer.alloc(0), headers(signed, at))).status;
    expect(await get('/provisions?limit=1', '/provisions?limit=1', now)).toBe(200);
    expect(await get('/provisions?limit=2', '/provisions?limit=1', now)).toBe(401);
    expect(await get('/retentions?limit=1', '/provisions?limit=1', now)).toBe(401);
    expect(await get('/provisions', '/provisions', now - 301_000)).toBe(401);
    expect(await get('/provisions', '/provisions', now + 62_000)).toBe(401);
  });

  it('answers a body that was too large although it is sent to the end, and the connection goes on', async () => {
    await using bench = await ApiBench.start({ maxBodyBytes: 1000 });
    const reply = await bench.call('POST', '/provision', 'x'.repeat(3_000_000));
    expect(reply.status).toBe(413);
  });
});

describe('the open routes', () => {
  it('work without a signature, and do not look at one', async () => {
    await using bench = await ApiBench.start();
    const junk = { headers: { 'X-Fred-Signature': 'junk' } };
    for (const path of ['/health', '/stats', '/metrics']) {
      expect((await bench.send('GET', path, Buffer.alloc(0))).status, path).toBe(200);
      expect((await bench.send('GET', path, Buffer.alloc(0), junk)).status, path).toBe(200);
    }
  });

  it('say what is taken and what is left', async () => {
    await using bench = await ApiBench.start({ total: { cpuCores: 8, memoryMb: 16384, diskMb: 102400 } });
    await ready(bench);
    expect((await bench.send('GET', '/stats', Buffer.alloc(0))).body).toEqual({
      total_cpu_cores: 8,
      total_memory_mb: 16384,
      total_disk_mb: 102400,
      allocated_cpu_cores: 0.5,
      allocated_memory_mb: 512,
      allocated_disk_mb: 0,
      available_cpu_cores: 7.5,
      available_memory_mb: 15872,
      available_disk_mb: 102400,
      active_containers: 1,
    });
  });

  it('name what is not healthy: the engine, or a store that cannot be written', async () => {
    await using bench = await ApiBench.start();
    const health = async () => await bench.send('GET', '/health', Buffer.alloc(0));
    expect((await health()).body).toEqual({ status: 'healthy' });
    bench.engineDown = true;
    const down = await health();
    expect([down.status, down.body]).toEqual([503, { error: 'the engine does not answer' }]);
    await using broken = await ApiBench.start();
    broken.diagnostics.file.close();
    const answer = await broken.send('GET', '/health', Buffer.alloc(0));
    expect(answer.status).toBe(503);
    expect(answer.text).toContain('the diagnostics store cannot be used');
  });
});

describe('paths and methods', () => {
  it('that nobody knows answer 404 and 405 before the signature', async () => {
    await using bench = await ApiBench.start();
    const status = async (method: string, path: string) =>
      (await bench.send(method, path, Buffer.alloc(0))).status;
    expect(await status('GET', '/')).toBe(404);
    expect(await status('GET', '/info')).toBe(404);
    expect(await status('GET', '/info/')).toBe(404);
    expect(await status('GET', '/info/a/b')).toBe(404);
    expect(await status('GET', '/info/%zz')).toBe(404);
    const wrong = await bench.send('GET', '/provision', Buffer.alloc(0));
    expect([wrong.status, wrong.headers['allow']]).toEqual([405, 'POST']);
    const read = await bench.send('POST', '/provisions', Buffer.alloc(0));
    expect([read.status, read.headers['allow']]).toEqual([405, 'GET, HEAD']);
  });

  it('may be asked with HEAD where GET is', async () => {
    await using bench = await ApiBench.start();
    const head = await bench.send('HEAD', '/stats', Buffer.alloc(0));
    expect([head.status, head.text]).toEqual([200, '']);
    expect(Number(head.headers['content-length'])).toBeGreaterThan(10);
  });

  it('decode the id in the path', async () => {
    await using bench = await ApiBench.start();
    await ready(bench, 'lifecycle.17');
    expect((await bench.call('GET', '/provisions/lifecycle%2E17')).status).toBe(200);
  });
});

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
    expect(host.book.get(uuid)?.items[0]?.customDomain).toBe('www.acme.example');
    expect(await call(wanted('www.acme.example'))).toBe(204);
    expect(host.book.get(uuid)?.status).toBe('ready');
    expect(await call(wanted(''))).toBe(204);
    expect(host.book.get(uuid)?.status).toBe('restarting');
  });
});

describe('reads of one lease', () => {
  it('show how to reach it only while it is ready', async () => {
    await using bench = await ApiBench.start();
    expect((await bench.call('GET', `/info/${uuid}`)).body).toEqual({ error: 'not provisioned' });
    await ready(bench);
    bench.instances = [
      {
        service: 'web',
        index: 0,
        containerId: '3f1c0d4e5f6a7b8c9d',
        image: 'nginx:1.27',
        status: 'running',
        fqdn: 'web-b6a9799.apps.example.net',
        ports: new Map([['80/tcp', { hostIp: '0.0.0.0', hostPort: '49153' }]]),
      },
    ];
    const instance = {
      instance_index: 0,
      container_id: '3f1c0d4e5f6a',
      image: 'nginx:1.27',
      status: 'running',
      fqdn: 'web-b6a9799.apps.example.net',
      ports: { '80/tcp': { host_ip: '0.0.0.0', host_port: '49153' } },
    };
    expect((await bench.call('GET', `/info/${uuid}`)).body).toEqual({
      host: '203.0.113.10',
      instances: [instance],
      services: { web: { instances: [instance] } },
    });
    bench.instances = new Error('inspect failed');
    expect((await bench.call('GET', `/info/${uuid}`)).status).toBe(500);
  });

  it('give the lines that are asked for, within limits', async () => {
    await using bench = await ApiBench.start();
    await ready(bench);
    bench.logs = { 'web/0': 'GET /\n' };
    const logs = (query: string) => bench.call('GET', `/logs/${uuid}${query}`);
    expect((await logs('')).body).toEqual({ 'web/0': 'GET /\n' });
    expect((await logs('?tail=10000')).status).toBe(200);
    expect(bench.tailsAsked).toEqual([100, 10000]);
    for (const query of ['?tail=0', '?tail=-1', '?tail=x', '?tail=1.5'])
      expect((await logs(query)).body).toEqual({ error: 'tail must be a positive integer' });
    expect((await logs('?tail=10001')).body).toEqual({ error: 'tail must not exceed 10000' });
  });

  it('fall back to what is kept, then to what is known of the failure', async () => {
    await using bench = await ApiBench.start();
    const read = () => bench.call('GET', `/provisions/${uuid}`);
    expect((await read()).status).toBe(404);
    bench.diagnostics.put({
      lease_uuid: uuid,
      provider_uuid: 'p',
      tenant: 't',
      error: 'secret detail',
      reason: '',
      message: 'image pull failed',
      logs: { 'web/0': 'boom' },
      fail_count: 2,
      created_at: '2026-08-20T10:00:00.000Z',
    });
    const gone = await read();
    expect(gone.body).toEqual({
      lease_uuid: uuid,
      provider_uuid: 'p',
      status: 'failed',
      created_at: '2026-08-20T10:00:00.000Z',
      fail_count: 2,
      reason: 'Unknown',
      message: 'image pull failed',
      retained_until: '0001-01-01T00:00:00Z',
      quantity: 0,
    });
    expect(gone.text).not.toContain('secret detail');
    expect((await bench.call('GET', `/logs/${uuid}`)).body).toEqual({ 'web/0': 'boom' });
    const record = {
      original_lease_uuid: uuid,
      tenant: 'manifest1abc',
      provider_uuid: 'p',
      items: [{ sku, quantity: 1, service_name: 'app' }],
      callback_url: '',
      retained_volume_names: [],
      status: 'active' as const,
      generation: 0,
      created_at: '2026-08-01T00:00:00Z',
    };
    bench.retention.adopt(uuid, record);
    expect((await read()).body).toEqual({
      lease_uuid: uuid,
      provider_uuid: 'p',
      status: 'retained',
      created_at: '2026-08-01T00:00:00Z',
      fail_count: 0,
      retained_until: '2026-10-30T00:00:00.000Z',
      tenant: 'manifest1abc',
      quantity: 0,
      items: [{ sku, quantity: 1, service_name: 'app' }],
    });
    bench.retention.file.prepare('UPDATE retention SET value = ?').run('{"status":"act');
    expect((await read()).status).toBe(500);
  });
});

describe('lists', () => {
  it('go by page, strictly after the cursor, and are complete without a limit', async () => {
    await using bench = await ApiBench.start();
    for (const n of [4, 1, 3, 2, 5]) await ready(bench, leaseId(n));
    const page = async (query: string) => {
      const body = (await bench.call('GET', `/provisions${query}`)).body as {
        provisions: { lease_uuid: string }[];
        continue?: string;
      };
      return [body.provisions.map(({ lease_uuid }) => Number(lease_uuid.slice(-1))), body.continue];
    };
    expect(await page('')).toEqual([[1, 2, 3, 4, 5], undefined]);
    expect(await page('?limit=0')).toEqual([[1, 2, 3, 4, 5], undefined]);
    expect(await page('?limit=2')).toEqual([[1, 2], leaseId(2)]);
    expect(await page(`?continue=${leaseId(2)}&limit=2`)).toEqual([[3, 4], leaseId(4)]);
    expect(await page(`?continue=${leaseId(4).toUpperCase()}&limit=2`)).toEqual([[5], undefined]);
    expect(await page(`?continue={${leaseId(3)}}&limit=2`)).toEqual([[4, 5], undefined]);
    expect(await page(`?continue=${leaseId(2).replaceAll('-', '')}&limit=100000`)).toEqual([
      [3, 4, 5],
      undefined,
    ]);
    expect(await page(`?lease_uuid=${leaseId(5)}&lease_uuid=${leaseId(9)}&lease_uuid=${leaseId(1)}`)).toEqual(
      [[1, 5], undefined],
    );
  });

  it.each([
    ['?limit=x', 'limit "x"'],
    ['?limit=-1', 'limit "-1"'],
    ['?limit=1&continue=nope', 'continue "nope" is not a UUID'],
    [`?continue=${leaseId(1)}`, 'needs a positive limit'],
  ])('refuse %s', async (query, error) => {
    await using bench = await ApiBench.start();
    for (const path of ['/provisions', '/retentions']) {
      const reply = await bench.call('GET', `${path}${query}`);
      expect([reply.status, reply.body]).toEqual([400, { error: expect.stringContaining(error) }]);
    }
  });

  it('look up 1 to 100 ids', async () => {
    await using bench = await ApiBench.start();
    const lookup = (ids: readonly string[]) =>
      bench.call('GET', `/provisions?${ids.map((one) => `lease_uuid=${one}`).join('&')}`);
    expect((await lookup(Array.from({ length: 100 }, (_, n) => leaseId(n)))).body).toEqual({
      provisions: [],
    });
    expect((await lookup(Array.from({ length: 101 }, (_, n) => leaseId(n)))).body).toEqual({
      error: 'lease_uuid count must be between 1 and 100',
    });
    expect((await lookup(['nope'])).body).toEqual({ error: 'invalid lease_uuid' });
  });

  it('of kept data are empty when there is none', async () => {
    await using bench = await ApiBench.start();
    expect((await bench.call('GET', '/retentions')).body).toEqual({ retentions: [] });
  });
});

describe('whatever is sent', () => {
  it('is answered with an envelope and no 500', async () => {
    await using bench = await ApiBench.start();
    const paths = [
      '/provision',
      '/deprovision',
      '/restart',
      '/update',
      '/restore',
      '/reconcile_custom_domain',
    ];
    const field = fc.constantFrom(
      'lease_uuid',
      'callback_url',
      'items',
      'payload',
      'tenant',
      'from_lease_uuid',
    );
    const bodies = fc.oneof(
      fc.string(),
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc
        .dictionary(field, fc.oneof(fc.jsonValue(), fc.constant(callbackUrl)))
        .map((value) => JSON.stringify(value)),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), bodies, async (path, body) => {
        const { status, body: answer } = await bench.call('POST', path, body);
        expect(status === 500, `${path} ${body}`).toBe(false);
        if (status >= 400) expect(answer).toMatchObject({ error: expect.stringMatching(/./) });
      }),
      { numRuns: 300 },
    );
  });
});
