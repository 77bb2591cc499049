import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RecordingLog } from '@berth/service/testing';
import { expect, it } from 'vitest';
import { LeaseBook } from './leases/index.ts';
import { canonicalVolume, retainedForm, type VolumeName } from './names/index.ts';
import { recordCopies } from './retention/index.ts';
import { GroupCommit, ReleaseStore, RetentionStore, witnessesFact } from './stores/index.ts';
import { FolderFilesystem } from './testing/folder-filesystem.ts';
import { leaseId } from './testing/leases.ts';
import { storeFolder } from './testing/store-folder.ts';
import { NameLocks } from './volumes/name-locks.ts';
import { Volumes } from './volumes/volumes.ts';
import { backfillWitnesses } from './witness-backfill.ts';

const live = (n: number, index = 0): VolumeName =>
  canonicalVolume({ lease: leaseId(n), service: 'db', index });

it('volumes and records of an earlier program get a second witness, once, and what says something keeps saying it', async () => {
  using folder = storeFolder();
  using disk = new FolderFilesystem();
  const { log } = new RecordingLog();
  const volumes = new Volumes(disk, new NameLocks());
  const releases = new ReleaseStore(folder.path('releases.db'));
  const retention = new RetentionStore(folder.path('retention.db'));
  const book = new LeaseBook(releases, new GroupCommit(releases.file));
  const lease = {
    uuid: leaseId(1),
    tenant: 'ann',
    provider: 'p',
    status: 'ready',
    createdAtMs: 7,
    failCount: 0,
    callbackUrl: '',
    items: [{ sku: 'small', quantity: 2, serviceName: 'db', customDomain: '' }],
    images: {},
    allocations: [{ key: `${leaseId(1)}-db-0`, sku: 'small', cpuCores: 1, memoryMb: 1, diskMb: 20 }],
    lastRelease: 0,
  } as const;
  await book.commit({ uuid: leaseId(1), lease, nowMs: 1 });
  retention.adopt(leaseId(2), {
    original_lease_uuid: leaseId(2),
    tenant: 'bob',
    provider_uuid: 'p',
    items: [{ sku: 'large', quantity: 1, service_name: 'db', disk_mb: 40 }],
    stack_manifest: { services: {} },
    callback_url: '',
    retained_volume_names: [retainedForm(live(2))],
    status: 'active',
    generation: 0,
    created_at: '2026-01-01T00:00:00Z',
  });
  for (const name of [live(1), live(1, 1), retainedForm(live(2)), live(3)]) mkdirSync(disk.hostPath(name));
  disk.labels.set(live(1, 1), 'says something');
  const context = {
    config: { name: 'docker', containerTmpfsSizeMb: 64 },
    volumes,
    book,
    releases,
    retention,
    log,
  };
  await backfillWitnesses(context);
  expect(await volumes.ownerOf(live(1))).toMatchObject({
    lease: leaseId(1),
    tenant: 'ann',
    sku: 'small',
    sizeMb: 20,
  });
  expect(await volumes.ownerOf(retainedForm(live(2)))).toMatchObject({
    lease: leaseId(2),
    tenant: 'bob',
    sizeMb: 40,
  });
  expect([disk.labels.get(live(1, 1)), disk.labels.get(live(3))]).toEqual(['says something', undefined]);
  const copies = recordCopies(disk.root);
  expect((await copies.read(leaseId(2)))?.tenant).toBe('bob');
  expect(releases.fact(witnessesFact), 'one could not be read: it is tried again').toBeUndefined();
  disk.labels.delete(live(1, 1));
  await backfillWitnesses(context);
  expect([releases.fact(witnessesFact), disk.labels.has(live(1, 1))]).toEqual(['written', true]);
  rmSync(join(disk.root, '.berth-records'), { recursive: true });
  await backfillWitnesses(context);
  expect(await copies.read(leaseId(2)), 'nothing is looked at any more').toBeUndefined();
  releases.file.close();
  retention.file.close();
});
