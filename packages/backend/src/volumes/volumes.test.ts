import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RecordingLog } from '@berth/service/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canonicalVolume, retainedForm, type VolumeName } from '../names/index.ts';
import { FolderFilesystem } from '../testing/folder-filesystem.ts';
import { newerLabel } from '../testing/newer-label.ts';
import { backfillQuotas, coverEscapes } from './backfill.ts';
import { liveQuotas } from './live-claims.ts';
import { NameLocks } from './name-locks.ts';
import { decodeOwner, encodeOwner, type VolumeOwner } from './owner.ts';
import { Volumes } from './volumes.ts';

const lease = '0190f5fb-7a4e-7c2e-9d1a-3f2b1c0d4e5f';
const volume = (index: number, service = 'db'): VolumeName => canonicalVolume({ lease, service, index });
const folders = (path: string, ...names: readonly string[]): void => {
  for (const name of names) mkdirSync(join(path, name));
};
const owner: VolumeOwner = {
  backend: 'docker',
  lease,
  tenant: 'tenant',
  provider: 'provider',
  service: 'db',
  index: 0,
  sku: 'small',
  sizeMb: 10,
  createdAtMs: Date.UTC(2026, 0, 1),
};

describe('volumes', () => {
  let filesystem: FolderFilesystem;
  let volumes: Volumes;
  const { log } = new RecordingLog();

  beforeEach(() => {
    filesystem = new FolderFilesystem();
    volumes = new Volumes(filesystem, new NameLocks());
  });
  afterEach(() => filesystem[Symbol.dispose]());
  const make = (...names: readonly VolumeName[]): void => {
    for (const name of names) mkdirSync(filesystem.hostPath(name));
  };

  it('carry what was written of their owner, and say nothing when that was never written', async () => {
    await volumes.obtain(owner);
    expect(await volumes.ownerOf(volume(0))).toEqual(owner);
    make(volume(1));
    expect(await volumes.ownerOf(volume(1))).toBeUndefined();
    filesystem.labels.set(volume(1), '{"v":2}');
    await expect(volumes.ownerOf(volume(1))).rejects.toThrow();
    await expect(volumes.identityOf(volume(1))).rejects.toThrow();
    expect(decodeOwner(encodeOwner(owner))).toEqual(owner);
  });

  it('are not made for a lease whose name could not be read back', async () => {
    await expect(volumes.obtain({ ...owner, lease: 'lease-1' })).rejects.toMatchObject({
      code: 'volume_name',
    });
    expect(await volumes.list()).toEqual([]);
  });

  it('are not given to another tenant, and stay as they are; what says nothing goes by its name', async () => {
    const { path } = await volumes.obtain(owner);
    writeFileSync(join(path, 'file'), 'precious');
    const stranger = { ...owner, tenant: 'stranger', sizeMb: 1 };
    await expect(volumes.obtain(stranger)).rejects.toMatchObject({ code: 'volume_of_another' });
    expect([filesystem.quotas.get(volume(0)), await volumes.ownerOf(volume(0))]).toEqual([10, owner]);
    expect(readFileSync(join(path, 'file'), 'utf8')).toBe('precious');
    expect(await volumes.obtain({ ...owner, sizeMb: 20 })).toMatchObject({ created: false });
    filesystem.labels.set(volume(0), '{"v":2}');
    await expect(volumes.obtain(owner)).rejects.toThrow();
    filesystem.labels.set(volume(0), newerLabel(owner));
    await expect(volumes.obtain(stranger)).rejects.toMatchObject({ code: 'volume_of_another' });
    expect(filesystem.quotas.get(volume(0)), 'as large as it says').toBe(10);
    expect(await volumes.obtain({ ...owner, sizeMb: 20 })).toMatchObject({ created: false });
    expect(filesystem.labels.get(volume(0)), 'it stays as it is').toBe(newerLabel(owner));
    filesystem.labels.delete(volume(0));
    expect(await volumes.obtain(stranger)).toMatchObject({ created: false });
  });

  it('without a root are none, and cannot be made or measured', async () => {
    const none = new Volumes(undefined, new NameLocks());
    expect([none.kind, none.root, await none.list(), await none.escaping()]).toEqual([
      'noop',
      undefined,
      [],
      [],
    ]);
    await none.ensureQuota(volume(0), 10);
    await none.rename(volume(0), volume(1));
    await expect(none.obtain(owner)).rejects.toMatchObject({ code: 'no_volume_root' });
    await expect(none.usage(volume(0))).rejects.toMatchObject({ code: 'usage_unsupported' });
  });

  it('of a lease are told from those of others and from kept ones by their whole names', async () => {
    const other = canonicalVolume({ lease: lease.replace('0190', '1190'), service: 'db', index: 0 });
    make(volume(0), volume(1), retainedForm(volume(2)), other);
    expect(await volumes.ofLease(lease)).toEqual([volume(0), volume(1)]);
    expect(await volumes.retainedOf(lease)).toEqual([retainedForm(volume(2))]);
  });

  it.each<[string, boolean, (path: string) => void]>([
    ['seeded content alone', true, (path) => mkdirSync(join(path, '_wp'))],
    [
      'seeded content, what was put aside of it, and the marker of xfs',
      true,
      (path) => {
        mkdirSync(join(path, '_wp'));
        mkdirSync(join(path, '_wp-before-0f'));
        writeFileSync(join(path, '.fred-project-id'), '7');
      },
    ],
    ['nothing at all', false, () => undefined],
    ['data beside it', false, (path) => folders(path, '_wp', 'data')],
    ['a file in its place', false, (path) => writeFileSync(join(path, '_wp'), '')],
    ['a link in its place', false, (path) => symlinkSync('/tmp', join(path, '_wp'))],
    ['a folder called like the marker', false, (path) => folders(path, '_wp', '.fred-project-id')],
    ['no way to look', false, (path) => rmSync(path, { recursive: true })],
  ])('with %s count as scratch: %s', async (_, scratch, arrange) => {
    make(volume(0));
    arrange(filesystem.hostPath(volume(0)));
    expect(await volumes.scratchOnly(volume(0))).toBe(scratch);
  });

  it('get their quotas again, those that are there and no others, whatever goes wrong with one', async () => {
    make(volume(0), volume(2), volume(0, 'web'));
    const allocation = { sku: 's', cpuCores: 1, memoryMb: 1 };
    const live = {
      uuid: lease,
      items: [
        { sku: 's', quantity: 3, serviceName: 'db', customDomain: '' },
        { sku: 't', quantity: 1, serviceName: 'web', customDomain: '' },
      ],
      allocations: [
        { ...allocation, key: `${lease}-db-0`, diskMb: 20 },
        { ...allocation, key: `${lease}-db-1`, diskMb: 20 },
        { ...allocation, key: `${lease}-web-0`, diskMb: 0 },
      ],
    };
    const outcomes: string[] = [];
    filesystem.before = (step, name) => {
      if (step === 'ensureQuota' && name === volume(0, 'web')) throw new Error('no');
    };
    const broken = (): never => {
      throw new Error('the store is broken');
    };
    await backfillQuotas({ volumes, log, onEach: (outcome) => outcomes.push(outcome) }, [
      broken,
      () => liveQuotas([live], 64),
    ]);
    expect(outcomes).toEqual(['applied', 'failed']);
    // The third instance has no reservation: nobody knows its size.
    expect([...filesystem.quotas]).toEqual([[volume(0), 20]]);
  });

  it('get none when they cannot be listed', async () => {
    filesystem.before = (step) => {
      if (step === 'list') throw new Error('unmounted');
    };
    const outcomes: string[] = [];
    await backfillQuotas({ volumes, log, onEach: (outcome) => outcomes.push(outcome) }, [
      () => [{ name: volume(0), sizeMb: 1 }],
    ]);
    expect(outcomes).toEqual([]);
  });

  it('in which something escapes their quota get it again, and only those', async () => {
    make(volume(0), volume(1));
    filesystem.escaped.add(volume(1));
    await coverEscapes({ volumes, log }, [() => [0, 1].map((index) => ({ name: volume(index), sizeMb: 7 }))]);
    expect([...filesystem.quotas]).toEqual([[volume(1), 7]]);
  });
});
