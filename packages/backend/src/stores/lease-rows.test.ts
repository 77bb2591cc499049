import { describe, expect, it } from 'vitest';
import { storeFolder } from '../testing/store-folder.ts';
import { ReleaseStore } from './releases.ts';

function opened() {
  const folder = storeFolder();
  const store = new ReleaseStore(folder.path('releases.db'));
  return {
    store,
    rows: store.leases,
    all: () => [...store.leases.all()],
    [Symbol.dispose]() {
      store.file.close();
      folder[Symbol.dispose]();
    },
  };
}

describe('the rows of leases', () => {
  it('come in the order of their ids, each part as it was written last', () => {
    using at = opened();
    at.rows.putTerms('b', 'terms of b');
    at.rows.putState('b', 'provisioning', undefined);
    at.rows.putTerms('a', 'terms of a');
    at.rows.putState('a', 'provisioning', undefined);
    at.rows.putState('b', 'ready', 'success');
    at.rows.putTerms('a', 'new terms of a');
    expect(at.all()).toEqual([
      { uuid: 'a', terms: 'new terms of a', state: 'provisioning' },
      { uuid: 'b', terms: 'terms of b', state: 'ready', owed: 'success' },
    ]);
  });

  it('outlive their lease with what its caller is owed, until he has been told', () => {
    using at = opened();
    for (const uuid of ['owed', 'lives', 'not owed']) {
      at.rows.putTerms(uuid, 'terms');
      at.rows.putState(uuid, 'ready', 'success');
    }
    at.rows.end('owed', 'deprovisioned');
    at.rows.end('not owed', undefined);
    expect(at.all()).toEqual([
      { uuid: 'lives', terms: 'terms', state: 'ready', owed: 'success' },
      { uuid: 'owed', owed: 'deprovisioned' },
    ]);
    for (const uuid of ['owed', 'lives', 'not owed']) at.rows.settle(uuid);
    expect(at.all()).toEqual([{ uuid: 'lives', terms: 'terms', state: 'ready' }]);
  });

  it('that have lost a part are shown as they are', () => {
    using at = opened();
    at.rows.putTerms('a', 'terms');
    at.rows.putState('b', 'ready', undefined);
    expect(at.all()).toEqual([
      { uuid: 'a', terms: 'terms' },
      { uuid: 'b', state: 'ready' },
    ]);
  });

  it('that cannot be read are put aside whole, each time', () => {
    using at = opened();
    at.rows.putTerms('a', 'terms');
    at.rows.putAside('a', 1);
    at.rows.putState('a', 'torn', 'success');
    at.rows.putAside('a', 2);
    const aside = at.store.file.prepare('SELECT * FROM unreadable_leases ORDER BY put_aside_at').all();
    expect(aside.map((row) => ({ ...row }))).toEqual([
      { uuid: 'a', put_aside_at: 1, terms: 'terms', state: null, owed: null },
      { uuid: 'a', put_aside_at: 2, terms: 'terms', state: 'torn', owed: 'success' },
    ]);
  });

  it('that were dropped are remembered until they are forgotten, also by another process', () => {
    using folder = storeFolder();
    const first = new ReleaseStore(folder.path('releases.db'));
    first.leases.remember('a', { terms: 'terms', state: 'ready' }, 1);
    first.file.close();
    const second = new ReleaseStore(folder.path('releases.db'));
    expect(second.leases.dropped('a')).toEqual({ terms: 'terms', state: 'ready' });
    second.leases.forgetDropped('a');
    expect(second.leases.dropped('a')).toBeUndefined();
    second.file.close();
  });
});
