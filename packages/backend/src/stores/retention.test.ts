import { describe, expect, it } from 'vitest';
import { leaseId } from '../testing/leases.ts';
import { storeFolder } from '../testing/store-folder.ts';
import { RetentionStore } from './retention.ts';
import type { RetentionRecord } from './retention-record.ts';

const day = 86_400_000;
const start = Date.UTC(2026, 0, 1);

const record = (lease: string, more: Partial<RetentionRecord> = {}): RetentionRecord => ({
  original_lease_uuid: lease,
  tenant: 't',
  provider_uuid: 'p',
  items: [{ sku: 's', quantity: 2, service_name: 'db', disk_mb: 100 }],
  stack_manifest: { services: {} },
  callback_url: 'http://127.0.0.1/',
  retained_volume_names: [`fred-retained-${lease}-db-0`],
  status: 'active',
  generation: 0,
  created_at: new Date(start).toISOString(),
  ...more,
});

class Bench implements Disposable {
  readonly folder = storeFolder();
  store = new RetentionStore(this.folder.path('retention.db'));

  reopen(): RetentionStore {
    this.store.file.close();
    this.store = new RetentionStore(this.folder.path('retention.db'));
    return this.store;
  }

  spoil(key: string, value: string): void {
    this.store.file.prepare('UPDATE retention SET value = ? WHERE key = ?').run(value, key);
  }

  [Symbol.dispose](): void {
    this.store.file.close();
    this.folder[Symbol.dispose]();
  }
}

describe('records of kept data', () => {
  it('are paged by key, strictly after the cursor, with a cursor as long as there is more', () => {
    using bench = new Bench();
    const { store } = bench;
    for (let n = 0; n < 5; n++) store.putActiveMerged(record(leaseId(n * 2)));
    store.markReapingIfActive(leaseId(2), start);
    store.claimForRestore(leaseId(4), leaseId(99), 0, start);
    expect(store.page('', 2)).toEqual({ keys: [leaseId(0), leaseId(2)], next: leaseId(2) });
    expect(store.page(leaseId(2), 2)).toEqual({ keys: [leaseId(4), leaseId(6)], next: leaseId(6) });
    expect(store.page(leaseId(6), 2)).toEqual({ keys: [leaseId(8)] });
    expect(store.page(leaseId(4), 2)).toEqual({ keys: [leaseId(6), leaseId(8)] });
    expect(store.page(leaseId(3), 1), 'a cursor that is gone').toEqual({
      keys: [leaseId(4)],
      next: leaseId(4),
    });
    expect(store.page('', 0).keys).toHaveLength(5);
    expect(store.page(leaseId(8), 5)).toEqual({ keys: [] });
  });

  it('keep clock, generation, names and manifest when a close is repeated', () => {
    using bench = new Bench();
    const { store } = bench;
    const a = leaseId(1);
    expect(store.putActiveMerged(record(a, { partition: 'blue' }))).toBe(true);
    store.claimForRestore(a, leaseId(9), 0, start);
    store.revertToActive(a, 1);
    const again = record(a, {
      created_at: new Date(start + day).toISOString(),
      retained_volume_names: [`fred-retained-${a}-db-1`],
      stack_manifest: null,
      partition: '',
      callback_url: 'http://127.0.0.1/new',
    });
    expect(store.putActiveMerged(again)).toBe(true);
    expect(bench.reopen().get(a)).toMatchObject({
      created_at: new Date(start).toISOString(),
      generation: 2,
      retained_volume_names: [`fred-retained-${a}-db-0`, `fred-retained-${a}-db-1`],
      stack_manifest: { services: {} },
      partition: 'blue',
      callback_url: 'http://127.0.0.1/new',
    });
  });

  it('that a restore holds are not touched by a close, and a tombstone gives way to one', () => {
    using bench = new Bench();
    const { store } = bench;
    const [a, b] = [leaseId(1), leaseId(2)];
    store.putActiveMerged(record(a));
    store.claimForRestore(a, leaseId(9), 0, start);
    expect(store.putActiveMerged(record(a, { callback_url: 'other' }))).toBe(false);
    expect(store.get(a)).toMatchObject({ status: 'restoring', callback_url: 'http://127.0.0.1/' });
    expect(store.putReaping(record(a), start), 'counted already').toBe(false);
    store.putReaping(record(b, { retained_volume_names: [] }), start);
    expect(store.putActiveMerged(record(b))).toBe(true);
    expect(store.get(b)).toMatchObject({ status: 'active' });
  });

  it('given up keep what they say of the first time', () => {
    using bench = new Bench();
    const { store } = bench;
    const a = leaseId(1);
    expect(store.putReaping(record(a, { retained_volume_names: [] }), start)).toBe(true);
    const less = record(a, { items: [], retained_volume_names: ['fred-x'] });
    expect(store.putReaping(less, start + day)).toBe(true);
    expect(store.get(a)).toMatchObject({
      items: [{ quantity: 2 }],
      retained_volume_names: ['fred-x'],
      reaping_since: new Date(start).toISOString(),
    });
  });

  it('are claimed once, by age and state, and given back only by whoever claimed them', () => {
    using bench = new Bench();
    const { store } = bench;
    const a = leaseId(1);
    expect(store.claimForRestore(a, leaseId(9), 0, start)).toBe('no_retention');
    store.putActiveMerged(record(a));
    expect(store.claimForRestore(a, leaseId(9), day, start + day), 'expired').toBe('no_retention');
    expect(store.claimForRestore(a, leaseId(9), day, start + day - 1)).toMatchObject({
      status: 'restoring',
      new_lease_uuid: leaseId(9),
      generation: 1,
    });
    expect(store.claimForRestore(a, leaseId(8), 0, start)).toBe('not_restorable');
    expect(store.markReapingIfActive(a, start)).toBe(false);
    expect(store.restoringInto(leaseId(9)).map(({ key }) => key)).toEqual([a]);
    expect(store.revertToActive(a, 0)).toBe(false);
    expect(store.revertToActive(a, 1)).toBe(true);
    const { new_lease_uuid: into, restoring_since: since, generation } = store.get(a)!;
    expect([into, since, generation]).toEqual([undefined, undefined, 2]);
    expect(store.deleteRestored(a, 2)).toBe(false);
  });

  it('never come back from being marked for destruction', () => {
    using bench = new Bench();
    const { store } = bench;
    const a = leaseId(1);
    store.putActiveMerged(record(a));
    expect(store.markReapingIfExpired(a, 0, start + 1000 * day), 'for ever').toBe(false);
    expect(store.markReapingIfExpired(a, day, start + day - 1)).toBe(false);
    expect(store.expired(day, start + day)).toEqual([a]);
    expect(store.markReapingIfExpired(a, day, start + day)).toBe(true);
    expect(store.claimForRestore(a, leaseId(9), 0, start)).toBe('not_restorable');
    expect(store.revertToActive(a, 0)).toBe(false);
    expect(store.deleteIfActive(a)).toBe(false);
    expect(store.deleteReaped(a)).toBe(true);
    expect(store.deleteReaped(a)).toBe(false);
  });

  it('are added up by state, tenant and partition', () => {
    using bench = new Bench();
    const { store } = bench;
    store.putActiveMerged(record(leaseId(1), { partition: 'blue' }));
    store.putActiveMerged(record(leaseId(2), { partition: 'red' }));
    store.putActiveMerged(record(leaseId(3), { tenant: 'u' }));
    store.putActiveMerged(record(leaseId(4), { items: [{ sku: 'gone', quantity: 3 }] }));
    store.putReaping(record(leaseId(5)), start);
    store.claimForRestore(leaseId(2), leaseId(9), 0, start);
    expect(store.totals()).toEqual({
      activeLeases: 3,
      activeMb: 400,
      reapingLeases: 1,
      reapingMb: 200,
      partitions: 2,
      restoringMb: new Map([[leaseId(9), 200]]),
    });
    expect(store.activeMb()).toBe(400);
    expect(store.activeMb({ tenant: 't' })).toBe(200);
    expect(store.activeMb({ tenant: 't', partition: 'red' })).toBe(0);
    expect(store.partitionsOf('t')).toEqual(new Set(['blue', 'red']));
    expect(store.ofTenant('t', 'active').map(({ key }) => key)).toEqual([leaseId(1), leaseId(4)]);
  });

  it('that cannot be read hide no other, stay counted, and are an error and not an absence', () => {
    using bench = new Bench();
    const { store } = bench;
    const [a, b, c] = [leaseId(1), leaseId(2), leaseId(3)];
    for (const lease of [a, b, c]) store.putActiveMerged(record(lease));
    store.claimForRestore(b, leaseId(9), 0, start);
    bench.spoil(a, '{"status":"act');
    bench.spoil(b, '{"status":"melting"}');
    const again = bench.reopen();
    expect(again.withStatus('active').map(({ key, record: one }) => [key, one === undefined])).toEqual([
      [a, true],
      [c, false],
    ]);
    expect(again.restoringInto(leaseId(9))).toMatchObject([{ key: b, status: 'restoring', diskMb: 200 }]);
    expect(again.totals()).toMatchObject({ activeMb: 400, restoringMb: new Map([[leaseId(9), 200]]) });
    expect(() => again.get(a)).toThrow(a);
    expect(() => again.putActiveMerged(record(a))).toThrow();
    expect(again.putReaping(record(a), start), 'never overwritten').toBe(false);
    expect(() => again.markReapingIfExpired(a, day, start + 9 * day)).toThrow();
    expect(again.page('', 0).keys).toEqual([a, b, c]);
  });

  it('have the key under which they are kept, whatever they say', () => {
    using bench = new Bench();
    const [a, b] = [leaseId(1), leaseId(2)];
    bench.store.putActiveMerged(record(a));
    bench.spoil(a, JSON.stringify(record(b)));
    expect(bench.store.get(a)?.original_lease_uuid).toBe(a);
  });

  it('pass on what nobody here understands, and take a zero time of earlier programs', () => {
    using bench = new Bench();
    const a = leaseId(1);
    const zero = '0001-01-01T00:00:00Z';
    bench.store.adopt(a, { ...record(a), restoring_since: zero, lineage: ['x'] });
    expect(bench.store.adopt(a, record(a, { tenant: 'other' })), 'never overwritten').toBe(false);
    bench.store.markReapingIfActive(a, start);
    expect(bench.store.get(a)).toMatchObject({ lineage: ['x'], restoring_since: zero, tenant: 't' });
  });
});

describe('closes under way', () => {
  it('are kept over a restart', () => {
    using bench = new Bench();
    const intent = {
      lease_uuid: leaseId(1),
      lease_created_at_ms: 1,
      tenant: 't',
      provider_uuid: 'p',
      items: [],
      stack_manifest: null,
      callback_url: '',
      retain: true,
      closed_at: new Date(start).toISOString(),
      volume_failures: 0,
    };
    bench.store.putIntent(intent);
    expect(bench.reopen().intent(leaseId(1))).toEqual(intent);
    expect(bench.store.closing()).toEqual([leaseId(1)]);
    bench.store.deleteIntent(leaseId(1));
    expect(bench.store.isClosing(leaseId(1))).toBe(false);
  });
});
