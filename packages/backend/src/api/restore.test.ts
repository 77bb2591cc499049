import { describe, expect, it } from 'vitest';
import type { VolumeName } from '../names/index.ts';
import type { RetentionRecord } from '../stores/index.ts';
import { ApiBench } from '../testing/api-bench.ts';

const closed = '0190f5fb-0000-7000-8000-000000000001';
const fresh = '0190f5fb-0000-7000-8000-000000000002';
const third = '0190f5fb-0000-7000-8000-000000000003';
const kept = `fred-retained-${closed}-db-0` as VolumeName;
const adopted = `fred-${fresh}-db-0` as VolumeName;
const callbackUrl = 'http://127.0.0.1:9/callback';
const mib = 1024 * 1024;

const record: RetentionRecord = {
  original_lease_uuid: closed,
  tenant: 't',
  provider_uuid: 'p',
  items: [{ sku: 'disk', quantity: 1, service_name: 'db', disk_mb: 2 }],
  stack_manifest: { services: { db: { image: 'docker.io/library/db:1' } } },
  callback_url: callbackUrl,
  retained_volume_names: [kept],
  status: 'active',
  generation: 0,
  created_at: '2026-01-01T00:00:00Z',
};

const request = {
  lease_uuid: fresh,
  from_lease_uuid: closed,
  tenant: 't',
  provider_uuid: 'p',
  items: [{ sku: 'disk', quantity: 1, service_name: 'db' }],
  callback_url: callbackUrl,
};

async function bench(more: Partial<RetentionRecord> = {}): Promise<ApiBench> {
  const made = await ApiBench.start();
  await made.disk.create(kept, 2);
  made.disk.write(kept, 'precious');
  made.retention.adopt(closed, { ...record, ...more });
  made.kept.accounting.refresh();
  return made;
}

const ask = async (on: ApiBench, more: object = {}) => {
  const { status, body } = await on.call('POST', '/restore', { ...request, ...more });
  return [status, body];
};

describe('POST /restore', () => {
  it('gives the data to the new lease, and lets go of its record once that stands', async () => {
    await using on = await bench();
    expect(await ask(on)).toEqual([202, { status: 'restoring' }]);
    expect(on.disk.names).toEqual([adopted]);
    expect(on.host.book.get(fresh)?.status).toBe('restarting');
    expect((await on.call('GET', `/provisions/${closed}`)).body).toMatchObject({ status: 'retained' });
    expect(await ask(on, { lease_uuid: third }), 'a second one').toEqual([
      409,
      { error: 'invalid state for restore' },
    ]);
    expect(on.host.book.get(third), 'nothing is left of it').toBeUndefined();
    expect(await ask(on)).toEqual([409, { error: 'lease already provisioned', code: 'already_provisioned' }]);
    await on.host.until('the work runs', () => on.host.work.running.has(fresh));
    on.host.work.running.get(fresh)?.end({ kind: 'replaced', images: {} });
    await on.host.until('the lease is ready', () => on.host.book.get(fresh)?.status === 'ready');
    await on.host.settled();
    expect(on.retention.page('', 0).keys).toEqual([]);
    expect((await on.call('GET', `/releases/${fresh}`)).body).toMatchObject([
      { version: 1, status: 'active' },
    ]);
    expect(on.disk.volume(adopted)?.content).toBe('precious');
    expect(await ask(on, { lease_uuid: third })).toEqual([422, { error: 'no retained data for lease' }]);
  });

  it.each([
    ['a stranger', { tenant: 'u' }, 422, { error: 'no retained data for lease' }],
    ['an unknown lease', { from_lease_uuid: fresh }, 422, { error: 'no retained data for lease' }],
    ['no items', { items: [] }, 400, { error: 'items is required' }],
    [
      'another shape',
      { items: [{ ...request.items[0], quantity: 2 }] },
      400,
      { error: 'service "db" had 1 instances in the closed lease, 2 are asked for' },
    ],
    [
      'another provider',
      { provider_uuid: 'q' },
      400,
      { error: 'provider_uuid differs from that of the closed lease' },
    ],
    [
      'an unknown SKU',
      { items: [{ ...request.items[0], sku: 'x' }] },
      400,
      { error: 'unknown SKU: x (profile: x)', validation_code: 'unknown_sku' },
    ],
    [
      'a SKU without disk',
      { items: [{ ...request.items[0], sku: 'small' }] },
      422,
      {
        error: 'demote exceeds tier: service "db": the new tier has no disk for its data',
        code: 'demote_exceeds_tier',
      },
    ],
    ['no lease', { lease_uuid: '' }, 400, { error: 'lease_uuid is required' }],
    ['no source', { from_lease_uuid: '' }, 400, { error: 'from_lease_uuid is required' }],
    ['no callback', { callback_url: '' }, 400, { error: 'callback_url is required' }],
  ])('refuses %s, and changes nothing', async (_, more, status, body) => {
    await using on = await bench();
    expect(await ask(on, more)).toEqual([status, body]);
    expect(on.disk.names).toEqual([kept]);
    expect(on.retention.get(closed)).toMatchObject({ status: 'active', generation: 0 });
    expect([...on.host.book.values()]).toEqual([]);
  });

  it('measures what has to fit into less, exactly', async () => {
    await using on = await bench();
    on.disk.write(kept, 'x'.repeat(mib + 1));
    expect(await ask(on)).toEqual([
      422,
      {
        error: `demote exceeds tier: service "db": ${mib + 1} bytes used, tier allows ${mib}`,
        code: 'demote_exceeds_tier',
      },
    ]);
    expect(on.metrics.of('demote refused measured_exceeds')).toBe(1);
    on.disk.write(kept, 'x'.repeat(mib));
    expect((await ask(on))[0]).toBe(202);
  });

  it('does not guess when it cannot measure, and does not show why', async () => {
    await using on = await bench();
    on.disk.usage = async () => {
      throw new Error('btrfs qgroup show /secret/path failed');
    };
    const [status, body] = await ask(on);
    expect([status, body]).toEqual([
      422,
      {
        error: 'demote exceeds tier: service "db": its data could not be measured',
        code: 'demote_exceeds_tier',
      },
    ]);
    expect(on.metrics.of('demote refused unmeasurable_read_error')).toBe(1);
  });

  it('refuses a damaged record, and an image that is not allowed any more', async () => {
    for (const [more, error] of [
      [{ stack_manifest: null }, 'the record of the closed lease is damaged: it has no manifest or no items'],
      [
        { stack_manifest: { services: { db: null } } },
        'the record of the closed lease is damaged: it has no manifest or no items',
      ],
    ] as const) {
      await using on = await bench(more);
      expect(await ask(on)).toEqual([400, { error }]);
    }
    await using on = await bench({ stack_manifest: { services: { db: { image: 'evil.test/db' } } } });
    expect(await ask(on)).toMatchObject([400, { validation_code: 'image_not_allowed' }]);
  });

  it('charges only the disk that goes beyond what is kept', async () => {
    await using on = await bench({ items: [{ sku: 'disk', quantity: 1, service_name: 'db', disk_mb: 0 }] });
    expect(await ask(on), 'a pool without disk').toEqual([
      503,
      { error: 'insufficient resources for restore' },
    ]);
    expect(on.disk.names).toEqual([kept]);
    expect(on.host.pool.usage.allocations).toBe(0);
  });

  it('gives everything back when the data cannot be taken over', async () => {
    await using on = await bench();
    expect((await ask(on, { lease_uuid: closed }))[0], 'an id that has lived').toBe(409);
    on.disk.vanish(kept);
    expect(await ask(on)).toEqual([500, { error: 'internal server error' }]);
    expect(on.retention.get(closed)).toMatchObject({ status: 'active', generation: 2 });
    expect(on.host.book.get(fresh)).toBeUndefined();
    expect(on.host.pool.usage.allocations).toBe(0);
    await on.host.settled();
    expect(on.host.told, 'a refused request has no outcome').toEqual([]);
  });

  it('cannot be started again on empty volumes after it has failed', async () => {
    await using on = await bench();
    await ask(on);
    await on.host.until('the work runs', () => on.host.work.running.has(fresh));
    const failure = { reason: 'RestoreFailed', message: 'restore failed', detail: '' } as const;
    on.host.work.running.get(fresh)?.end({ kind: 'failed', failure, logs: {} });
    await on.host.until('it has failed', () => on.host.book.get(fresh)?.status === 'failed');
    await on.host.settled();
    expect(on.disk.names).toEqual([kept]);
    expect(on.retention.get(closed)?.status).toBe('active');
    const restart = await on.call('POST', '/restart', { lease_uuid: fresh, callback_url: callbackUrl });
    expect(restart.status).toBe(409);
    expect(on.host.told).toEqual([`${fresh} failed restore failed`]);
    expect(await ask(on)).toEqual([409, { error: 'lease already provisioned', code: 'already_provisioned' }]);
  });
});
