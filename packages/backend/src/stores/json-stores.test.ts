import { describe, expect, it } from 'vitest';
import { storeFolder } from '../testing/store-folder.ts';
import { CallbackStore, type PendingCallback } from './callbacks.ts';
import { DiagnosticsStore } from './diagnostics.ts';

const callback = (lease: string, more: Partial<PendingCallback> = {}): PendingCallback => ({
  lease_uuid: lease,
  callback_url: 'http://127.0.0.1/',
  status: 'success',
  backend: 'docker',
  created_at: '2026-01-02T00:00:00.000Z',
  ...more,
});

describe('the outbox', () => {
  it('has one entry a lease, the newest, over a restart', () => {
    using folder = storeFolder();
    const store = new CallbackStore(folder.path('callbacks.db'));
    store.put(callback('b'));
    store.put(callback('a'));
    store.put(callback('b', { status: 'deprovisioned', retained: true }));
    store.file.close();
    const again = new CallbackStore(folder.path('callbacks.db'));
    expect(again.list().entries.map(({ value }) => [value.lease_uuid, value.status, value.retained])).toEqual(
      [
        ['a', 'success', undefined],
        ['b', 'deprovisioned', true],
      ],
    );
    again.deleteExactly(callback('a'));
    again.deleteExactly(callback('a'));
    again.deleteExactly(callback('b'));
    expect(again.list().entries.map(({ key }) => key)).toEqual(['b']);
    expect(again.deleteOlderThan(Date.parse('2026-01-03T00:00:00Z'))).toBe(1);
    again.file.close();
  });

  it('tells of an entry that cannot be read, and hides no other', () => {
    using folder = storeFolder();
    const store = new CallbackStore(folder.path('callbacks.db'));
    for (const lease of ['a', 'b', 'c']) store.put(callback(lease));
    const spoil = store.file.prepare('UPDATE pending_callbacks SET value = ? WHERE key = ?');
    spoil.run('{"lease_uuid":', 'a');
    spoil.run('{"lease_uuid":"b","status":"exploded"}', 'b');
    const { entries, unreadable } = store.list();
    expect(entries.map(({ key }) => key)).toEqual(['c']);
    expect(unreadable).toEqual(['a', 'b']);
    store.file.close();
  });
});

describe('diagnostics', () => {
  it('are kept by lease, and never without one', () => {
    using folder = storeFolder();
    const store = new DiagnosticsStore(folder.path('diagnostics.db'));
    const entry = {
      lease_uuid: 'a',
      provider_uuid: 'p',
      tenant: 't',
      error: 'container exited unexpectedly: exit_code=1',
      reason: 'ContainerExited',
      message: 'container exited unexpectedly',
      logs: { 'web/0': 'boom\n' },
      fail_count: 1,
      created_at: '2026-01-02T00:00:00.000Z',
    };
    store.put(entry);
    store.put({ ...entry, lease_uuid: '' });
    expect(store.get('a')).toEqual(entry);
    expect(store.get('')).toBeUndefined();
    store.delete('a');
    expect(store.get('a')).toBeUndefined();
    store.file.close();
  });
});
