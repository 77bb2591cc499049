import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sign } from '../signature/index.ts';
import { ApiBench, apiSecret } from '../testing/api-bench.ts';
import { callbackUrl, payload, provision, ready, sku, uuid } from '../testing/api-requests.ts';

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

describe('the leases at work', () => {
  it('are shown with their queues, to who may sign', async () => {
    await using bench = await ApiBench.start();
    expect((await bench.call('GET', '/debug/actors')).body).toEqual([]);
    await bench.call('POST', '/provision', provision());
    expect((await bench.call('GET', '/debug/actors')).body).toEqual([
      { lease_uuid: uuid, sm_state: 'provisioning', inbox_depth: 0, inbox_cap: 16 },
    ]);
    expect((await bench.send('GET', '/debug/actors', Buffer.alloc(0))).status).toBe(401);
  });
});

describe('what goes wrong inside', () => {
  const items = [{ sku, quantity: 1, service_name: 'web', custom_domain: 'www.acme.example' }];
  const lease = { lease_uuid: uuid, callback_url: callbackUrl };
  const storeIsShut = /database is not open|statement has been finalized/;

  it.each<[string, string, unknown]>([
    ['POST', '/restart', lease],
    ['POST', '/update', { ...lease, payload: payload() }],
    ['POST', '/restore', { ...lease, from_lease_uuid: 'x', items }],
    ['POST', '/reconcile_custom_domain', { lease_uuid: uuid, items }],
    ['GET', `/releases/${uuid}`, undefined],
  ])('is not told by %s %s, which tenants read', async (method, path, body) => {
    await using bench = await ApiBench.start();
    await ready(bench);
    for (const { file } of [bench.host.store, bench.retention]) file.close();
    const reply = await bench.call(method, path, body);
    expect([reply.status, reply.body]).toEqual([500, { error: 'internal server error' }]);
    const [logged] = bench.host.logs.attrsOf('request not served');
    expect(logged?.['error']).toMatch(storeIsShut);
  });

  it('is told to the daemon elsewhere', async () => {
    await using bench = await ApiBench.start();
    bench.host.store.file.close();
    const reply = await bench.call('POST', '/provision', provision());
    expect([reply.status, reply.text]).toEqual([500, expect.stringMatching(storeIsShut)]);
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
