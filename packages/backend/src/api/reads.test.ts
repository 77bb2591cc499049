import { describe, expect, it } from 'vitest';
import { ApiBench } from '../testing/api-bench.ts';
import { callbackUrl, ready, sku, uuid } from '../testing/api-requests.ts';
import { leaseId } from '../testing/leases.ts';

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
    const info = () => bench.call('GET', `/info/${uuid}`);
    expect((await info()).body).toEqual({
      host: '203.0.113.10',
      instances: [instance],
      services: { web: { instances: [instance] } },
    });
    const restart = { lease_uuid: uuid, callback_url: callbackUrl };
    expect((await bench.call('POST', '/restart', restart)).status).toBe(202);
    const early = await info();
    expect([early.status, early.body]).toEqual([404, { error: 'not provisioned' }]);
    await bench.host.until('the work runs', () => bench.host.work.running.has(uuid));
    bench.host.work.running.get(uuid)?.end({ kind: 'replaced', images: { web: 'nginx' } });
    await bench.host.until('it is ready', () => bench.host.book.get(uuid)?.status === 'ready');
    bench.instances = new Error('inspect failed');
    expect((await info()).status).toBe(500);
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
    const overwrite = (value: string) =>
      bench.retention.file.prepare('UPDATE retention SET value = ?').run(value);
    overwrite(JSON.stringify({ ...record, status: 'restoring' }));
    expect((await read()).body, 'until the restore has succeeded').toMatchObject({ status: 'retained' });
    overwrite(JSON.stringify({ ...record, status: 'reaping' }));
    expect((await read()).body, 'what is being destroyed is not kept').toEqual(gone.body);
    overwrite('{"status":"act');
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
    await ready(bench);
    expect((await lookup([uuid.toUpperCase()])).body).toMatchObject({ provisions: [{ lease_uuid: uuid }] });
  });

  it('of kept data are empty when there is none', async () => {
    await using bench = await ApiBench.start();
    expect((await bench.call('GET', '/retentions')).body).toEqual({ retentions: [] });
  });
});
