/** Data that outlives its lease, as the provider daemon sees it: kept at the close, given to another lease, and to nobody else. */
import { accepted, type NewLease, type Provider, pageOf, refused } from '@berth/lab/provider';
import { lab, waitFor } from '@berth/lab/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { volumeImage } from '../src/volume-images.ts';
import { Warehouse } from '../src/warehouse.ts';

let warehouse: Warehouse;
let provider: Provider;
beforeAll(async () => {
  warehouse = await Warehouse.open('restore', {
    retain_on_close: true,
    sku_profiles: {
      small: { cpu_cores: 0.25, memory_mb: 64, disk_mb: 32 },
      large: { cpu_cores: 0.5, memory_mb: 128, disk_mb: 64 },
      tiny: { cpu_cores: 0.25, memory_mb: 64, disk_mb: 1 },
      none: { cpu_cores: 0.25, memory_mb: 64, disk_mb: 0 },
    },
  });
  ({ provider } = warehouse);
});
afterAll(() => warehouse?.[Symbol.asyncDispose]());
afterEach(() => {
  expect(provider.desk.violations).toEqual([]);
  expect(provider.desk.untaken).toEqual([]);
});

/** Serves what was written first, by whichever container came first. */
const remembering = (text: string, megabytes = 4) => {
  const remember = `[ -f /data/index.html ] || { echo "$TEXT" > /data/index.html; dd if=/dev/zero of=/data/ballast bs=1M count=${megabytes} && sync; }`;
  return {
    services: {
      web: provider.page(text, {
        image: volumeImage('data'),
        command: ['sh', '-c', `${remember}; exec httpd -f -p 8080 -h /data`],
      }),
    },
  };
};

async function pageNow({ lease_uuid: uuid }: NewLease): Promise<string> {
  const { host, instances } = accepted(await provider.client.info(uuid));
  await using client = (await lab()).client('client1');
  return await waitFor('the page', () => pageOf(client, host, instances[0]).catch(() => undefined), {
    timeoutMs: 60_000,
  });
}

const itemsOf = (sku: string) => [{ sku, quantity: 1, service_name: 'web' }];

describe('kept data', () => {
  it('is shown as retained, fits or does not, and comes back in a new lease of its tenant', async () => {
    const { client, desk } = provider;
    const old = await provider.provisioned(provider.lease(itemsOf('small')), remembering('written first'));
    expect(await pageNow(old)).toBe('written first');
    accepted(await client.update(old.lease_uuid, remembering('written later')));
    expect(await desk.next(old.lease_uuid)).toMatchObject({ status: 'success' });
    expect(await pageNow(old)).toBe('written first');
    const before = accepted(await client.stats());

    accepted(await client.deprovision(old.lease_uuid));
    expect(await desk.next(old.lease_uuid)).toEqual({
      lease_uuid: old.lease_uuid,
      status: 'deprovisioned',
      backend: provider.id,
      retained: true,
    });
    expect(accepted(await client.lookup(old.lease_uuid))).toEqual({ provisions: [] });
    const kept = accepted(await client.provisionOf(old.lease_uuid));
    expect(kept).toMatchObject({ status: 'retained', tenant: old.tenant, quantity: 0, items: old.items });
    const keptForHours = (Date.parse(kept.retained_until) - Date.parse(kept.created_at)) / 3_600_000;
    expect(keptForHours).toBe(2160);
    expect(accepted(await client.retentions())).toEqual({ retentions: [{ lease_uuid: old.lease_uuid }] });
    const after = accepted(await client.stats());
    // No lease holds it any more, and nobody else can have it.
    expect(after.allocated_disk_mb).toBe(before.allocated_disk_mb - 32);
    expect(after.available_disk_mb).toBe(before.available_disk_mb);

    const from = old.lease_uuid;
    const restored = provider.lease(itemsOf('large'));
    const refusal = async (more: Partial<NewLease>, source = from) => {
      const { status, code } = refused(await client.restore({ ...restored, ...more }, source));
      return [status, code];
    };
    expect(await refusal({ tenant: 'somebody-else' })).toEqual([422, undefined]);
    expect(await refusal({}, provider.lease().lease_uuid)).toEqual([422, undefined]);
    expect(await refusal({ provider_uuid: 'another-provider' })).toEqual([400, undefined]);
    expect(await refusal({ items: [{ sku: 'large', quantity: 2, service_name: 'web' }] })).toEqual([
      400,
      undefined,
    ]);
    expect(await refusal({ items: itemsOf('tiny') })).toEqual([422, 'demote_exceeds_tier']);
    expect(await refusal({ items: itemsOf('none') })).toEqual([422, 'demote_exceeds_tier']);
    expect(accepted(await client.stats())).toEqual(after);

    expect(accepted(await client.restore(restored, from))).toEqual({ status: 'restoring' });
    expect(refused(await client.restore(restored, from))).toMatchObject({
      status: 409,
      code: 'already_provisioned',
    });
    expect(await desk.next(restored.lease_uuid)).toEqual({
      lease_uuid: restored.lease_uuid,
      status: 'success',
      backend: provider.id,
    });
    expect(await pageNow(restored)).toBe('written first');
    expect(accepted(await client.retentions())).toEqual({ retentions: [] });
    expect(refused(await client.restore(provider.lease(itemsOf('large')), from))).toEqual({
      status: 422,
      error: 'no retained data for lease',
    });
    expect(accepted(await client.releases(restored.lease_uuid))).toMatchObject([{ status: 'active' }]);
    expect(accepted(await client.stats()).allocated_disk_mb).toBe(64);

    // Closed again, it is kept again, under the name of its new lease; and a restart of the backend forgets nothing.
    accepted(await client.deprovision(restored.lease_uuid));
    expect(await desk.next(restored.lease_uuid)).toMatchObject({ status: 'deprovisioned', retained: true });
    expect(await provider.restart()).toBe(0);
    expect(accepted(await provider.client.retentions())).toEqual({
      retentions: [{ lease_uuid: restored.lease_uuid }],
    });
  });

  it('is not kept where there was none', async () => {
    const { client, desk } = provider;
    const before = accepted(await client.retentions());
    const lease = await provider.provisioned(provider.lease(itemsOf('none')), {
      services: { web: provider.page('no data') },
    });
    accepted(await client.deprovision(lease.lease_uuid));
    expect(await desk.next(lease.lease_uuid)).toEqual({
      lease_uuid: lease.lease_uuid,
      status: 'deprovisioned',
      backend: provider.id,
    });
    expect(accepted(await client.retentions())).toEqual(before);
  });
});
