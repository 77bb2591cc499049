import type { Networks } from '@berth/engine';
import { RecordingLog } from '@berth/service/testing';
import { describe, expect, it } from 'vitest';
import { MemoryEngine } from '../testing/memory-engine.ts';
import { TenantNetworks } from './networks.ts';

/** Answers in later turns, as engines do, and fails as often as it is told to. */
function networks(failures = 0) {
  const asked: string[] = [];
  let left = failures;
  const { networks: inner } = new MemoryEngine();
  const engine: Networks = {
    ...inner,
    list: async (filters) => {
      asked.push('list');
      await new Promise((resolve) => setImmediate(resolve));
      if (left-- > 0) throw new Error('the engine is busy');
      return await inner.list(filters);
    },
    create: async (request) => {
      asked.push('create');
      return await inner.create(request);
    },
  };
  return { asked, tenants: new TenantNetworks(engine, 'docker-1', new RecordingLog().log) };
}

describe('the network of a tenant', () => {
  it('is looked for once for all who need it at the same time, and again for who comes later', async () => {
    const { asked, tenants } = networks();
    const all = await Promise.all(Array.from({ length: 50 }, () => tenants.ensure('tenant')));
    expect(new Set(all).size).toBe(1);
    expect(asked).toEqual(['list', 'create']);
    await tenants.ensure('tenant');
    expect(asked).toEqual(['list', 'create', 'list']);
  });

  it('that cannot be looked for fails one lease and not those that wait with it', async () => {
    const { tenants } = networks(1);
    const all = await Promise.allSettled([1, 2, 3].map(() => tenants.ensure('tenant')));
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  });
});
