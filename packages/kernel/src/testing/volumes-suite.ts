/** What every file system with volumes has to do on a real disk. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  openQuotaFilesystem,
  probeRoot,
  type QuotaFilesystem,
  type QuotaKind,
} from '../filesystems/index.ts';
import type { LoopFilesystem } from './loop-filesystem.ts';

const mib = 2 ** 20;

/** Writes a file of noise, which nothing can make smaller, and says with which errno that ended. */
export function errnoOfWriting(path: string, sizeMb: number): number {
  try {
    writeFileSync(path, randomBytes(sizeMb * mib), { flush: true });
    return 0;
  } catch (error) {
    return error instanceof Error && 'errno' in error ? Math.abs(Number(error.errno)) : Number.NaN;
  }
}

export interface OpenedDisk {
  readonly disk: LoopFilesystem;
  readonly filesystem: QuotaFilesystem;
  readonly warnings: string[];
}

export interface VolumesSuite {
  readonly kind: QuotaKind;
  readonly make: () => LoopFilesystem;
  /** With which a write ends that meets the quota. */
  readonly full: number;
  /** How far beyond its quota a volume may get. */
  readonly slackMb: number;
  /** Size of the volumes: as small as can be where a write takes long. */
  readonly sizeMb: number;
}

/** The same file system, as a process finds it that starts. */
export async function openAgain(kind: QuotaKind, root: string, warnings: string[]): Promise<QuotaFilesystem> {
  const filesystem = await openQuotaFilesystem({
    root,
    wanted: kind,
    isManaged: (name) => name.startsWith('fred-'),
    warn: (message) => warnings.push(message),
    onClearFailed: () => warnings.push('clear failed'),
    minAvgFileBytes: 0,
  });
  await filesystem.volumes.validate();
  return filesystem;
}

/** Runs them all, and then `more` on the same disk. */
export function volumesSuite(
  { kind, make, full, slackMb, sizeMb }: VolumesSuite,
  more: (opened: () => OpenedDisk) => void,
): void {
  describe(`${kind} volumes on a real file system`, () => {
    let opened: OpenedDisk | undefined;
    const now = (): OpenedDisk => {
      if (opened === undefined) throw new Error('the disk could not be made');
      return opened;
    };
    beforeAll(async () => {
      const disk = make();
      const warnings: string[] = [];
      opened = { disk, filesystem: await openAgain(kind, disk.root, warnings), warnings };
    });
    afterAll(() => opened?.disk[Symbol.dispose]());

    it('are what the probe finds on the disk', async () => {
      expect((await probeRoot(now().disk.root)).kind).toBe(kind);
    });

    it('stop a real write at the quota, also in a folder inside, and let more through when the quota grows', async () => {
      const { volumes } = now().filesystem;
      const { path, created } = await volumes.create('fred-a', sizeMb);
      expect(created).toBe(true);
      mkdirSync(join(path, 'a/b'), { recursive: true });
      expect(errnoOfWriting(join(path, 'a/b/big'), 2 * sizeMb)).toBe(full);
      expect(statSync(join(path, 'a/b/big')).size).toBeLessThanOrEqual((sizeMb + slackMb) * mib);
      await volumes.ensureQuota('fred-a', 4 * sizeMb);
      expect(errnoOfWriting(join(path, 'a/b/big'), 2 * sizeMb)).toBe(0);
      expect(await volumes.usage('fred-a')).toBeGreaterThanOrEqual(2 * sizeMb * mib);
    });

    it('are found again with what is in them, by another process, too', async () => {
      const { filesystem, disk, warnings } = now();
      const { path } = await filesystem.volumes.create('fred-b', 20);
      writeFileSync(join(path, 'kept'), 'precious');
      expect(await filesystem.volumes.create('fred-b', 30)).toEqual({ path, created: false });
      const again = await openAgain(kind, disk.root, warnings);
      expect(await again.volumes.create('fred-b', 30)).toEqual({ path, created: false });
      expect(await again.volumes.list()).toContain('fred-b');
      expect(readFileSync(join(path, 'kept'), 'utf8')).toBe('precious');
    });

    it('keep data, quota, usage and label across a rename, and take a rename that is done for done', async () => {
      const { volumes } = now().filesystem;
      const label = JSON.stringify({ lease: 'c', words: 'ünï "quoted"' });
      const { path } = await volumes.create('fred-c', sizeMb, label);
      expect(errnoOfWriting(join(path, 'kept'), sizeMb / 4)).toBe(0);
      await volumes.rename('fred-c', 'fred-retained-c');
      await volumes.rename('fred-c', 'fred-retained-c');
      expect(await volumes.list()).not.toContain('fred-c');
      expect(await volumes.label('fred-retained-c')).toBe(label);
      expect(await volumes.usage('fred-retained-c')).toBeGreaterThanOrEqual((sizeMb / 4) * mib);
      expect(errnoOfWriting(join(volumes.hostPath('fred-retained-c'), 'more'), 2 * sizeMb)).toBe(full);
      await volumes.setLabel('fred-retained-c', `${label} `, sizeMb);
      expect((await volumes.label('fred-retained-c'))?.trim()).toBe(label);
      expect(await volumes.label('fred-b')).toBeUndefined();
    });

    it('are never merged and never invented', async () => {
      const { volumes } = now().filesystem;
      for (const name of ['fred-d', 'fred-e']) await volumes.create(name, 20);
      await expect(volumes.rename('fred-d', 'fred-e')).rejects.toMatchObject({ code: 'VOLUME_EXISTS' });
      await expect(volumes.rename('fred-x', 'fred-y')).rejects.toMatchObject({ code: 'VOLUME_MISSING' });
      await volumes.ensureQuota('fred-x', 20);
      expect(await volumes.list()).not.toContain('fred-x');
    });

    it('are destroyed with all that is in them, and an absent one is destroyed already', async () => {
      const { volumes, destroyer } = now().filesystem;
      const { path } = await volumes.create('fred-f', 20);
      mkdirSync(join(path, 'deep', 'down'), { recursive: true });
      writeFileSync(join(path, 'deep', 'down', 'file'), 'gone');
      await destroyer.destroy('fred-f');
      await destroyer.destroy('fred-f');
      expect(await volumes.list()).not.toContain('fred-f');
      expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
    });

    more(now);

    it('are not taken for gone when their root is not mounted', async () => {
      const { filesystem, disk, warnings } = now();
      expect(await filesystem.volumes.list()).not.toHaveLength(0);
      disk.unmount();
      try {
        await expect(filesystem.volumes.list()).rejects.toThrow();
      } finally {
        disk.mount();
      }
      expect(await filesystem.volumes.list()).not.toHaveLength(0);
      expect(warnings).toEqual([]);
    });
  });
}
