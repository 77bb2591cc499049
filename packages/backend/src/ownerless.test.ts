import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RecordingLog } from '@berth/service/testing';
import { expect, it } from 'vitest';
import { canonicalVolume, retainedForm, type VolumeName } from './names/index.ts';
import { Ownerless } from './ownerless.ts';
import { ResourcePool } from './placement/index.ts';
import type { Kept, RetentionRecord } from './stores/index.ts';
import { FolderFilesystem } from './testing/folder-filesystem.ts';
import { leaseId } from './testing/leases.ts';
import { newerLabel } from './testing/newer-label.ts';
import { NameLocks } from './volumes/name-locks.ts';
import { encodeOwner } from './volumes/owner.ts';
import { Volumes } from './volumes/volumes.ts';

const live = (n: number): VolumeName => canonicalVolume({ lease: leaseId(n), service: 'db', index: 0 });
const mib = 2 ** 20;
const keptRecord: RetentionRecord = {
  original_lease_uuid: leaseId(6),
  tenant: 't',
  provider_uuid: 'p',
  items: [],
  callback_url: '',
  retained_volume_names: [],
  status: 'active',
  generation: 0,
  created_at: '2026-01-01T00:00:00Z',
};

it('what nobody answers for is counted by its label or by what is in it, once, and never what is counted elsewhere', async () => {
  using disk = new FolderFilesystem();
  const volumes = new Volumes(disk, new NameLocks());
  const logs = new RecordingLog();
  const put = (name: VolumeName, bytes: number): VolumeName => {
    mkdirSync(disk.hostPath(name));
    writeFileSync(join(disk.hostPath(name), 'file'), Buffer.alloc(bytes));
    return name;
  };
  const labelled = put(live(1), 10);
  const place = { backend: 'docker', lease: leaseId(1), tenant: 't', provider: 'p', service: 'db', index: 0 };
  disk.labels.set(labelled, encodeOwner({ ...place, sku: 's', sizeMb: 30, createdAtMs: 0 }));
  const measured = put(live(2), 3 * mib + 1);
  const newer = put(live(7), 1);
  disk.labels.set(newer, newerLabel({ ...place, lease: leaseId(7), sizeMb: 2 }));
  const garbage = put(live(3), mib);
  disk.labels.set(garbage, 'what is this');
  const dropped = put(live(4), mib);
  put(retainedForm(live(5)), 5 * mib);
  put(retainedForm(live(6)), 7 * mib);
  put(retainedForm(live(8)), 9 * mib);
  put(retainedForm(live(9)), 4 * mib);
  const kept = new Map(
    [labelled, measured, newer, garbage, dropped].map((name) => [name, 'a reason'] as const),
  );
  const error = { name: garbage, error: new Error('busy') };
  const outcome = { destroyed: [], claimed: [], unproven: [], errors: [error], leftOnDisk: true };
  const unread = { key: '', status: 'active', newLease: '' } as const;
  const records = new Map<string, Kept>([
    [leaseId(6), { ...unread, diskMb: 0, record: keptRecord }],
    [leaseId(8), { ...unread, diskMb: 9 }],
    [leaseId(9), { ...unread, diskMb: 0 }],
  ]);
  const context = {
    volumes,
    book: { droppedDiskMb: new Map([[leaseId(4), 1]]) },
    retention: { kept: (lease: string) => records.get(lease) },
    log: logs.log,
  };
  const ownerless = new Ownerless(context);
  const counted = (): Promise<ReadonlyMap<string, number>> => ownerless.diskMb({ listed: 7, kept, outcome });
  expect(await counted()).toEqual(
    new Map<string, number>([
      [leaseId(1), 30],
      [leaseId(2), 4],
      [leaseId(7), 2],
      [leaseId(3), 1],
      [retainedForm(live(5)), 5],
      // Its record cannot be read, and was never understood.
      [retainedForm(live(9)), 4],
    ]),
  );
  const pool = new ResourcePool({ cpuCores: 1, memoryMb: 1, diskMb: 100 });
  pool.ownerlessDiskMb = await counted();
  expect(pool.usage.available.diskMb).toBe(54);
  const allocation = { key: `${leaseId(1)}-db-0`, sku: 's', cpuCores: 1, memoryMb: 1, diskMb: 84 };
  pool.reserve(leaseId(1), 't', [allocation]);
  expect(pool.usage.available.diskMb, 'whoever comes back is not in its own way').toBe(0);
  disk.before = (step) => {
    if (step === 'usage') throw new Error('EIO');
  };
  expect([...(await counted()).values()]).toEqual([30, 0, 2, 0, 0, 0]);
  expect(logs.attrsOf('the size of a volume without an owner is not known')).toHaveLength(4);
  expect(logs.attrsOf('a kept volume has no record: nobody can restore it, and nothing destroys it')).toEqual(
    [{ volume: retainedForm(live(5)) }],
  );
});
