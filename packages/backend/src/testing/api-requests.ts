/** Requests of a daemon for tests of the API: one lease of one service, and its way to `ready`. */
import { expect } from 'vitest';
import type { ApiBench } from './api-bench.ts';
import { item, newLease } from './leases.ts';

export const { uuid } = newLease();
export const sku = '019c1ee7-816c-7001-8c26-a61d57e7403e';
export const callbackUrl = 'http://127.0.0.1/callbacks/provision';

export const payload = (document: unknown = { services: { web: { image: 'nginx' } } }): string =>
  Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)).toString('base64');

export const provision = (more: Record<string, unknown> = {}) => ({
  lease_uuid: uuid,
  tenant: 'manifest1abc',
  provider_uuid: '0190aaaa-0000-7000-8000-000000000001',
  items: [{ sku, quantity: 1, service_name: 'web' }],
  callback_url: callbackUrl,
  payload: payload(),
  ...more,
});

export async function ready(bench: ApiBench, id = uuid): Promise<void> {
  expect((await bench.call('POST', '/provision', provision({ lease_uuid: id }))).status).toBe(202);
  const { host } = bench;
  await host.until('the work runs', () => host.work.running.has(id));
  host.work.running.get(id)?.end({ kind: 'provisioned', items: [item({ sku })] });
  await host.until('it is ready', () => host.book.get(id)?.status === 'ready');
  await host.settled();
}
