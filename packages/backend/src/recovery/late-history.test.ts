import { RecordingLog } from '@berth/service/testing';
import { describe, expect, it } from 'vitest';
import type { Lease, Owed } from '../lease/index.ts';
import { LeaseBook } from '../leases/index.ts';
import { GroupCommit, ReleaseStore } from '../stores/index.ts';
import { storeFolder } from '../testing/store-folder.ts';
import { takeUpHistory } from './late-history.ts';

const id = (n: number): string => `0190f5fb-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
const lease = (n: number, more: Partial<Lease> = {}): Lease => ({
  uuid: id(n),
  tenant: 't',
  provider: 'p',
  status: 'ready',
  createdAtMs: 1,
  failCount: 0,
  callbackUrl: 'http://127.0.0.1/',
  items: [{ sku: 's', quantity: 1, serviceName: 'db', customDomain: '' }],
  images: {},
  allocations: [],
  lastRelease: 0,
  ...more,
});
const manifest = new TextEncoder().encode('{"services":{"db":{"image":"docker.io/library/db:2"}}}');
const owed: Owed = { callbackUrl: 'http://127.0.0.1/', status: 'failed', error: 'x', atMs: 1 };

describe('a history that comes late', () => {
  it('is taken up by leases that have none, and by no others; debts stay', async () => {
    using folder = storeFolder();
    const store = new ReleaseStore(folder.path('releases.db'));
    const { log } = new RecordingLog();
    const book = new LeaseBook(store, new GroupCommit(store.file));
    await book.commit({ uuid: id(1), lease: lease(1), owed, nowMs: 1 });
    await book.commit({ uuid: id(2), lease: lease(2, { release: 1, lastRelease: 1 }), nowMs: 1 });
    await book.commit({ uuid: id(3), lease: lease(3), nowMs: 1 });
    await book.commit({ uuid: id(4), lease: lease(4), nowMs: 1 });
    store.file.transaction(() => {
      for (const n of [1, 2])
        store.importHistory(id(n), [
          { version: 6, status: 'superseded', createdAtMs: 1, manifest: new Uint8Array() },
          { version: 7, status: 'active', createdAtMs: 2, manifest },
        ]);
      store.importUnreadable(id(4), '[{', 1);
    });
    await takeUpHistory({ book, releases: store, log, now: () => 3 }, new Map([[id(1), owed]]));
    const again = new LeaseBook(store, new GroupCommit(store.file));
    expect(again.load().owed).toEqual(new Map([[id(1), owed]]));
    expect(again.get(id(1))).toEqual(
      lease(1, { release: 7, lastRelease: 7, images: { db: 'docker.io/library/db:2' } }),
    );
    expect(again.get(id(2))?.release).toBe(1);
    expect([again.get(id(3))?.release, again.get(id(4))?.release]).toEqual([undefined, undefined]);
    store.file.close();
  });
});
