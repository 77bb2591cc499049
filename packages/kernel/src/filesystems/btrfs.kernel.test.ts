import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoopFilesystem, makeBtrfs } from '../testing/loop-filesystem.ts';
import { referencedBytes, subvolumeIdOf, subvolumes } from './btrfs-tree.ts';
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
    const id = subvolumeIdOf(path);
    await filesystem.destroyer.destroy('fred-f');
    await filesystem.destroyer.destroy('fred-f');
    expect(await filesystem.volumes.list()).not.toContain('fred-f');
    await filesystem.volumes.escaping();
    // The kernel takes the subvolume apart in the background, and only then lets the group go.
    spawnSync('btrfs', ['subvolume', 'sync', disk.root, String(id)]);
    await filesystem.destroyer.destroy('fred-f');
    await filesystem.volumes.validate();
    expect(referencedBytes(disk.root, id)).toBeUndefined();
  });

  it('destroys what a tenant made inside as subvolumes of its own, and counts it as used', async () => {
    const { path } = await filesystem.volumes.create('fred-n', 200);
    chownSync(path, 1000, 1000);
    chmodSync(dirname(disk.root), 0o711);
    const asTenant = (...argv: readonly string[]): void => {
      const drop = ['--reuid', '1000', '--regid', '1000', '--clear-groups', '--bounding-set=-all'];
      const { status, stderr } = spawnSync('setpriv', [...drop, '--no-new-privs', ...argv], {
        encoding: 'utf8',
      });
      if (status !== 0) throw new Error(stderr);
    };
    // The name tries to pass for a line of a listing that names the subvolume of somebody else.
    const { path: other } = await filesystem.volumes.create('fred-other', 20);
    const victim = subvolumeIdOf(other);
    const nested = join(path, `x\nID ${victim} gen 9 top level ${subvolumeIdOf(path)} path y`);
    asTenant('btrfs', 'subvolume', 'create', nested);
    asTenant('btrfs', 'subvolume', 'create', join(nested, 'deeper'));
    asTenant('dd', 'if=/dev/zero', `of=${join(nested, 'deeper', 'big')}`, 'bs=1M', 'count=30');
    expect(errnoOfWriting(join(path, 'before'), 5)).toBe(0);
    expect(await filesystem.volumes.usage('fred-n')).toBeGreaterThanOrEqual(35 * mib);
    expect(await filesystem.volumes.escaping()).toEqual(['fred-n']);
    // From now on they cannot grow, and no more of them can be made than there is room for.
    await filesystem.volumes.ensureQuota('fred-n', 20);
    expect(() =>
      asTenant('dd', 'if=/dev/zero', `of=${join(nested, 'deeper', 'more')}`, 'bs=1M', 'count=2'),
    ).toThrow(/quota/i);
    expect(errnoOfWriting(join(path, 'own'), 3)).toBe(overQuota);
    expect(await filesystem.volumes.usage('fred-n')).toBeLessThanOrEqual(38 * mib);
    // It is beyond its size now, which must not keep it from being given another, or the same again.
    await filesystem.volumes.ensureQuota('fred-n', 20);
    await filesystem.volumes.ensureQuota('fred-n', 40);
    await filesystem.destroyer.destroy('fred-n');
    expect(await filesystem.volumes.list()).not.toContain('fred-n');
    expect(await filesystem.volumes.list()).toContain('fred-other');
    expect(subvolumes(disk.root).filter(({ parent }) => parent !== 5n)).toEqual([]);
  });

  it('stops empty files at the quota, too: what describes them counts', async () => {
    const { path } = await filesystem.volumes.create('fred-inodes', 2);
    let made = 0;
    const makeMany = (): void => {
      for (; made < 200_000; made++) closeSync(openSync(join(path, `f${made}`), 'wx'));
    };
    expect(makeMany).toThrow(expect.objectContaining({ errno: -overQuota }));
    expect(made).toBeGreaterThan(500);
    await filesystem.destroyer.destroy('fred-inodes');
  });

  it('carries a label from its making on, through renames, for a full volume and out of reach of a tenant', async () => {
    const label = JSON.stringify({ lease: 'a', words: 'ünï "quoted"' });
    const { path } = await filesystem.volumes.create('fred-l', 20, label);
    expect(await filesystem.volumes.create('fred-l', 20, 'other')).toMatchObject({ created: false });
    await filesystem.volumes.rename('fred-l', 'fred-retained-l');
    expect(await filesystem.volumes.label('fred-retained-l')).toBe(label);
    const moved = filesystem.volumes.hostPath('fred-retained-l');
    expect(errnoOfWriting(join(moved, 'big'), 40)).toBe(overQuota);
    await filesystem.volumes.setLabel('fred-retained-l', `${label} `, 20);
    expect(await filesystem.volumes.label('fred-retained-l')).toBe(`${label} `);
    expect(errnoOfWriting(join(moved, 'more'), 40)).toBe(overQuota);
    expect(path).not.toBe(moved);
    expect(await filesystem.volumes.label('fred-a')).toBeUndefined();
  });

  it('clears what a crash left of a volume in the making, before it has ever been one', async () => {
    spawnSync('btrfs', ['subvolume', 'create', join(disk.root, '.making-fred-half')]);
    writeFileSync(join(disk.root, '.making-fred-half', 'rest'), '');
    expect(await filesystem.volumes.list()).not.toContain('.making-fred-half');
    expect(await filesystem.volumes.create('fred-half', 20)).toMatchObject({ created: true });
    spawnSync('btrfs', ['subvolume', 'create', join(disk.root, '.making-fred-gone')]);
    await filesystem.volumes.validate();
    expect(existsSync(join(disk.root, '.making-fred-gone'))).toBe(false);
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
