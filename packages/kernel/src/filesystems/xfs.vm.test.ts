import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoopFilesystem, makeXfs } from '../testing/loop-filesystem.ts';
import { openQuotaFilesystem, probeRoot, type QuotaFilesystem } from './index.ts';

const mib = 2 ** 20;
const noSpace = 28;

/** Writes a file and says with which errno that ended. */
function errnoOfWriting(path: string, sizeMb: number): number {
  try {
    writeFileSync(path, Buffer.alloc(sizeMb * mib, 1), { flush: true });
    return 0;
  } catch (error) {
    return error instanceof Error && 'errno' in error ? Math.abs(Number(error.errno)) : Number.NaN;
  }
}

describe('xfs volumes on a real file system with project quotas', () => {
  let disk: LoopFilesystem;
  let filesystem: QuotaFilesystem;
  const warnings: string[] = [];

  beforeAll(async () => {
    disk = makeXfs();
    filesystem = await openQuotaFilesystem({
      root: disk.root,
      wanted: 'xfs',
      isManaged: (name) => name.startsWith('fred-'),
      warn: (message) => warnings.push(message),
      onClearFailed: () => warnings.push('clear failed'),
      minAvgFileBytes: 0,
    });
    await filesystem.volumes.validate();
  });
  afterAll(() => disk?.[Symbol.dispose]());

  it('are what the probe finds on the disk', async () => {
    expect((await probeRoot(disk.root)).kind).toBe('xfs');
  });

  it('stop a real write at the quota, and let more through when the quota grows', async () => {
    const { path, created } = await filesystem.volumes.create('fred-a', 20);
    expect(created).toBe(true);
    expect(errnoOfWriting(join(path, 'big'), 50)).toBe(noSpace);
    expect(statSync(join(path, 'big')).size).toBeLessThanOrEqual(20 * mib);
    await filesystem.volumes.ensureQuota('fred-a', 80);
    expect(errnoOfWriting(join(path, 'big'), 50)).toBe(0);
    expect(await filesystem.volumes.usage('fred-a')).toBeGreaterThanOrEqual(50 * mib);
  });

  it('stop a write in a folder that was made inside', async () => {
    const { path } = await filesystem.volumes.create('fred-deep', 20);
    mkdirSync(join(path, 'a/b'), { recursive: true });
    expect(errnoOfWriting(join(path, 'a/b/big'), 50)).toBe(noSpace);
  });

  it('are found again with what is in them', async () => {
    const { path } = await filesystem.volumes.create('fred-b', 20);
    writeFileSync(join(path, 'kept'), 'precious');
    expect(await filesystem.volumes.create('fred-b', 30)).toEqual({ path, created: false });
    expect(readFileSync(join(path, 'kept'), 'utf8')).toBe('precious');
  });

  it('are destroyed with their limit', async () => {
    const { path } = await filesystem.volumes.create('fred-c', 20);
    writeFileSync(join(path, 'some'), 'thing');
    await filesystem.destroyer.destroy('fred-c');
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
    expect(warnings).toEqual([]);
  });
});
