import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VirtualClock } from '@berth/service';
import { RecordingLog } from '@berth/service/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canonicalVolume, legacyVolume, type VolumeName } from '../names/index.ts';
import type { Instance } from '../stack/index.ts';
import { FolderFilesystem } from '../testing/folder-filesystem.ts';
import { NameLocks } from '../volumes/name-locks.ts';
import { doorTo } from '../volumes/open.ts';
import { encodeOwner } from '../volumes/owner.ts';
import { Volumes } from '../volumes/volumes.ts';
import type { ImageFiles } from './image-files.ts';
import { InstanceVolumes } from './instance-volumes.ts';

const lease = '0190f5fb-0000-7000-8000-000000000001';
const instance = (index: number): Instance => ({
  lease,
  service: 'app',
  index,
  item: { sku: 'small', quantity: 3, serviceName: 'app', customDomain: '' },
  spec: {} as Instance['spec'],
  profile: { cpuCores: 1, memoryMb: 1, diskMb: 1 },
});
const instances = [instance(0), instance(1), instance(2)];

it('a volume of another tenant is given to no lease: its operator is told whose it is', async () => {
  using disk = new FolderFilesystem();
  const logs = new RecordingLog();
  const locks = new NameLocks();
  const { log } = logs;
  const door = doorTo(disk, { claims: [], backendName: 'docker', locks, log, onRefused: () => undefined });
  const volumes = new InstanceVolumes({
    disk: { volumes: new Volumes(disk, locks), door, entriesIn: () => 0 },
    files: {} as ImageFiles,
    backendName: 'docker',
    scratchMb: 1,
    clock: new VirtualClock(),
    log,
  });
  const facts = { id: 'i', volumes: ['/data'], writable: [], runAs: { uid: 0, gid: 0 } };
  const never = new AbortController().signal;
  const prepare = (tenant: string, { diskMb = 1, created = [] as VolumeName[] } = {}) =>
    volumes.prepare(
      { uuid: lease, tenant, provider: 'p' },
      { ...instance(0), profile: { cpuCores: 1, memoryMb: 1, diskMb } },
      { ...facts, writable: ['/var/lib/app'] },
      { created, replacing: undefined },
      never,
    );
  const name = canonicalVolume(instance(0));
  mkdirSync(disk.hostPath(name));
  const owner = { backend: 'docker', lease, tenant: 'ann', provider: 'p', service: 'app', index: 0 };
  disk.labels.set(name, encodeOwner({ ...owner, sku: 'small', sizeMb: 7, createdAtMs: 0 }));
  const created: VolumeName[] = [];
  for (const diskMb of [1, 0])
    await expect(prepare('eve', { diskMb, created })).rejects.toMatchObject({ code: 'volume_of_another' });
  // What a failed provision made is removed again: this is not of it.
  expect([created, disk.quotas.get(name)]).toEqual([[], 7]);
  const told = logs.attrsOf('a lease does not get a volume that was made for another tenant');
  expect(told).toHaveLength(2);
  expect(told[0]).toMatchObject({ lease_uuid: lease, tenant: 'eve', error: expect.stringContaining('ann') });
});

describe('volumes of before there were services', () => {
  let disk: FolderFilesystem;
  const log = new RecordingLog().log;
  beforeEach(() => {
    disk = new FolderFilesystem();
  });
  afterEach(() => disk[Symbol.dispose]());

  const of = (filesystem: FolderFilesystem | undefined): InstanceVolumes => {
    const locks = new NameLocks();
    const door = doorTo(disk, { claims: [], backendName: 'docker', locks, log, onRefused: () => undefined });
    return new InstanceVolumes({
      disk: { volumes: new Volumes(filesystem, locks), door, entriesIn: () => 0 },
      files: {} as ImageFiles,
      backendName: 'docker',
      scratchMb: 1,
      clock: new VirtualClock(),
      log,
    });
  };
  const put = (name: string): void => {
    mkdirSync(disk.hostPath(name));
    writeFileSync(join(disk.hostPath(name), 'file'), name);
  };
  const content = (name: string): string => readFileSync(join(disk.hostPath(name), 'file'), 'utf8');
  const [old0, old1] = [legacyVolume(instance(0)), legacyVolume(instance(1))];
  const [new0, new1] = [canonicalVolume(instance(0)), canonicalVolume(instance(1))];

  it('get the names of today and keep what is in them, and instances without one get none', async () => {
    put(old0);
    put(old1);
    await of(disk).fromLegacy(instances);
    expect(await disk.list()).toEqual([new0, new1]);
    expect([content(new0), content(new1)]).toEqual([old0, old1]);
  });

  it('are found done when it is done again, also when only half of it was', async () => {
    put(old0);
    put(old1);
    disk.before = (step, name) => {
      if (step === 'rename' && name.startsWith(`${old1} `)) throw new Error('EIO');
    };
    await expect(of(disk).fromLegacy(instances)).rejects.toThrow('EIO');
    expect(await disk.list()).toEqual([old1, new0].sort());
    disk.before = () => undefined;
    await of(disk).fromLegacy(instances);
    await of(disk).fromLegacy(instances);
    expect([content(new0), content(new1)]).toEqual([old0, old1]);
  });

  it('get their old names back, also from half of the way', async () => {
    put(old0);
    put(new1);
    await of(disk).toLegacy(instances);
    expect(await disk.list()).toEqual([old0, old1]);
    expect(content(old1)).toBe(new1);
    await of(disk).toLegacy(instances);
    expect(await disk.list()).toEqual([old0, old1]);
  });

  it('are never merged: with both names there, both stay as they are', async () => {
    put(old0);
    put(new0);
    await expect(of(disk).fromLegacy(instances)).rejects.toThrow('both');
    await expect(of(disk).toLegacy(instances)).rejects.toThrow('both');
    expect([content(old0), content(new0)]).toEqual([old0, new0]);
  });

  it('are left alone when they cannot be listed, and where there is no volume root', async () => {
    put(old0);
    disk.before = (step) => {
      if (step === 'list') throw new Error('unmounted');
    };
    await expect(of(disk).fromLegacy(instances)).rejects.toThrow('unmounted');
    await of(undefined).fromLegacy(instances);
    await of(undefined).toLegacy(instances);
    expect(disk.steps.filter((step) => step.startsWith('rename'))).toEqual([]);
  });
});
