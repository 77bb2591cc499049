import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoopFilesystem, makeBtrfs } from '../testing/loop-filesystem.ts';
import { openQuotaFilesystem, probeRoot, type QuotaFilesystem } from './index.ts';

const mib = 2 ** 20;

/** Writes a file and says with which errno that ended; libuv has no name for EDQUOT, which is 122. */
function errnoOfWriting(path: string, sizeMb: number): number {
  try {
    writeFileSync(path, Buffer.alloc(sizeMb * mib, 1), { flush: true });
    return 0;
  } catch (error) {
    return error instanceof Error && 'errno' in error ? Math.abs(Number(error.errno)) : Number.NaN;
  }
}
const overQuota = 122;

describe('btrfs volumes on a real file system', () => {
  let disk: LoopFilesystem;
  let filesystem: QuotaFilesystem;
  const warnings: string[] = [];

  const open = (wanted: 'btrfs' | 'xfs' | '' = ''): Promise<QuotaFilesystem> =>
    openQuotaFilesystem({
      root: disk.root,
      wanted,
      isManaged: (name) => name.startsWith('fred-'),
      warn: (message) => warnings.push(message),
      onClearFailed: () => warnings.push('clear failed'),
      minAvgFileBytes: 0,
    });

  beforeAll(async () => {
    disk = makeBtrfs();
    filesystem = await open();
    await filesystem.volumes.validate();
  });
  afterAll(() => disk[Symbol.dispose]());

  it('is what the probe finds on the disk, whatever was configured', async () => {
    expect((await probeRoot(disk.root)).kind).toBe('btrfs');
    await expect(open('xfs')).rejects.toMatchObject({ code: 'ROOT_MISMATCH' });
    await expect(probeRoot('/proc')).rejects.toMatchObject({ code: 'ROOT_UNSUPPORTED' });
    await expect(probeRoot(join(disk.root, 'nowhere'))).rejects.toMatchObject({ code: 'ROOT_UNREADABLE' });
  });

  it('stops a real write at the quota, and lets more through when the quota grows', async () => {
    const { path, created } = await filesystem.volumes.create('fred-a', 20);
    expect(created).toBe(true);
    expect(errnoOfWriting(join(path, 'big'), 50)).toBe(overQuota);
    expect(statSync(join(path, 'big')).size).toBeLessThanOrEqual(20 * mib);
    expect(await filesystem.volumes.usage('fred-a')).toBeLessThanOrEqual(20 * mib);
    await filesystem.volumes.ensureQuota('fred-a', 80);
    expect(errnoOfWriting(join(path, 'big'), 50)).toBe(0);
    expect(await filesystem.volumes.usage('fred-a')).toBeGreaterThanOrEqual(50 * mib);
  });

  it('reuses a volume that is there, with what is in it', async () => {
    const { path } = await filesystem.volumes.create('fred-b', 20);
    writeFileSync(join(path, 'kept'), 'precious');
    expect(await filesystem.volumes.create('fred-b', 30)).toEqual({ path, created: false });
    expect(readFileSync(join(path, 'kept'), 'utf8')).toBe('precious');
  });

  it('keeps the data, the quota and the usage across a rename, and takes a rename that is done for done', async () => {
    const { path } = await filesystem.volumes.create('fred-c', 20);
    writeFileSync(join(path, 'kept'), Buffer.alloc(5 * mib, 1), { flush: true });
    await filesystem.volumes.rename('fred-c', 'fred-retained-c');
    await filesystem.volumes.rename('fred-c', 'fred-retained-c');
    expect(await filesystem.volumes.usage('fred-retained-c')).toBeGreaterThanOrEqual(5 * mib);
    const moved = filesystem.volumes.hostPath('fred-retained-c');
    expect(errnoOfWriting(join(moved, 'more'), 40)).toBe(overQuota);
  });

  it('never merges two volumes and never invents one', async () => {
    await filesystem.volumes.create('fred-d', 20);
    await filesystem.volumes.create('fred-e', 20);
    await expect(filesystem.volumes.rename('fred-d', 'fred-e')).rejects.toMatchObject({
      code: 'VOLUME_EXISTS',
    });
    await expect(filesystem.volumes.rename('fred-x', 'fred-y')).rejects.toMatchObject({
      code: 'VOLUME_MISSING',
    });
    await filesystem.volumes.ensureQuota('fred-x', 20);
    expect(await filesystem.volumes.list()).not.toContain('fred-x');
  });

  it('destroys a volume with all that is in it and its quota group, and takes an absent one for destroyed', async () => {
    const { path } = await filesystem.volumes.create('fred-f', 20);
    mkdirSync(join(path, 'deep', 'down'), { recursive: true });
    writeFileSync(join(path, 'deep', 'down', 'file'), 'gone');
    await filesystem.destroyer.destroy('fred-f');
    await filesystem.destroyer.destroy('fred-f');
    expect(await filesystem.volumes.list()).not.toContain('fred-f');
  });

  it('refuses to take a plain directory for a volume: it would have no quota and survive its destruction', async () => {
    mkdirSync(join(disk.root, 'fred-plain'));
    writeFileSync(join(disk.root, 'fred-plain', 'kept'), 'precious');
    await expect(filesystem.volumes.create('fred-plain', 20)).rejects.toMatchObject({ code: 'NOT_A_VOLUME' });
    await expect(filesystem.destroyer.destroy('fred-plain')).rejects.toMatchObject({ code: 'NOT_A_VOLUME' });
    expect(readFileSync(join(disk.root, 'fred-plain', 'kept'), 'utf8')).toBe('precious');
  });

  it('lists only what is managed, and touches nothing else', async () => {
    mkdirSync(join(disk.root, 'lost+found'));
    expect(await filesystem.volumes.list()).not.toContain('lost+found');
  });

  it.each(['../escape', '.', '..', '', 'a/b', '-rf', 'a\0b'])('refuses %j as a name', async (name) => {
    await expect(filesystem.destroyer.destroy(name)).rejects.toMatchObject({ code: 'BAD_VOLUME_NAME' });
    await expect(filesystem.volumes.create(name, 20)).rejects.toMatchObject({ code: 'BAD_VOLUME_NAME' });
    await expect(filesystem.volumes.rename('fred-a', name)).rejects.toMatchObject({
      code: 'BAD_VOLUME_NAME',
    });
  });

  it('takes an unmounted root for an error and not for an empty one', async () => {
    expect(await filesystem.volumes.list()).not.toHaveLength(0);
    disk.unmount();
    try {
      await expect(filesystem.volumes.list()).rejects.toMatchObject({ code: 'ROOT_UNMOUNTED' });
    } finally {
      disk.mount();
    }
    expect(await filesystem.volumes.list()).not.toHaveLength(0);
  });

  it('holds no descriptor after its work', async () => {
    const before = (await readdir('/proc/self/fd')).length;
    for (let round = 0; round < 50; round++) await filesystem.volumes.list();
    expect((await readdir('/proc/self/fd')).length).toBeLessThanOrEqual(before + 1);
    expect(warnings).toEqual([]);
  });
});
