import { describe, expect, it } from 'vitest';
import { canonicalVolume } from './names/index.ts';
import { orphanWitnesses } from './orphan-witnesses.ts';
import { ReleaseStore } from './stores/index.ts';
import { leaseId } from './testing/leases.ts';
import { storeFolder } from './testing/store-folder.ts';

describe('a volume that nobody claims', () => {
  const name = canonicalVolume({ lease: leaseId(1), service: 'db', index: 0 });

  async function reasons(
    standing: { containers?: { lease: string }[]; unreadable?: string[] },
    prepare: (releases: ReleaseStore) => void = () => undefined,
  ): Promise<readonly string[]> {
    using folder = storeFolder();
    const releases = new ReleaseStore(folder.path('releases.db'));
    try {
      prepare(releases);
      const listing = { all: async () => ({ containers: [], unreadable: [], ...standing }) };
      const heard = (await orphanWitnesses({ releases, work: { listing } })).map((witness) => witness(name));
      return (await Promise.all(heard)).filter((reason) => reason !== undefined);
    } finally {
      releases.file.close();
    }
  }

  it('has nobody who speaks for it', async () => {
    expect(await reasons({ containers: [{ lease: leaseId(2) }] })).toEqual([]);
  });

  it('is spoken for by a container of its lease, and by any of which it cannot be told whose it is', async () => {
    expect(await reasons({ containers: [{ lease: leaseId(1) }] })).toEqual([
      'a container of its lease is there',
    ]);
    expect(await reasons({ unreadable: ['0123456789ab'] })).toEqual([
      'there are containers of which it cannot be told whose they are',
    ]);
  });

  it('is spoken for by an active release, and by a history that nobody can read', async () => {
    const manifest = new Uint8Array();
    const active = { version: 1, status: 'active', createdAtMs: 0, manifest } as const;
    expect(await reasons({}, (releases) => releases.importHistory(leaseId(1), [active]))).toEqual([
      'its lease has an active release',
    ]);
    const failed = { ...active, status: 'failed' } as const;
    expect(await reasons({}, (releases) => releases.importHistory(leaseId(1), [failed]))).toEqual([]);
    expect(await reasons({}, (releases) => releases.importUnreadable(leaseId(1), 'garbage', 0))).toEqual([
      expect.stringContaining('the releases of its lease cannot be read'),
    ]);
  });
});
