import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ScriptedTool, scriptedTool } from '../testing/scripted-tool.ts';
import type { QuotaFilesystem } from './quota-volumes.ts';
import { inodeCeiling, mountPointOf, xfsFilesystem } from './xfs.ts';

/** The file system itself is absent from most kernels that tests run on: here at its command seam. */
describe('xfs volumes at their command seam', () => {
  let root: string;
  let mountPoint: string;
  let tool: ScriptedTool;
  let filesystem: QuotaFilesystem;
  let warnings: string[];
  let clearFailures: number;
  const marker = (name: string): string => join(root, name, '.fred-project-id');
  const quota = (command: string): string => `xfs_quota -x -c ${command} ${mountPoint}`;

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'berth-xfs-'));
    mountPoint = await mountPointOf(root);
    tool = scriptedTool();
    warnings = [];
    clearFailures = 0;
    filesystem = await xfsFilesystem({
      root,
      run: tool.run,
      isManaged: (name) => name.startsWith('fred-'),
      warn: (message) => warnings.push(message),
      onClearFailed: () => clearFailures++,
      minAvgFileBytes: 0,
    });
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('marks, tags and limits a new volume, with the mount point as the last argument', async () => {
    const id = crc32('fred-a');
    expect(await filesystem.volumes.create('fred-a', 30720)).toEqual({
      path: join(root, 'fred-a'),
      created: true,
    });
    expect(readFileSync(marker('fred-a'), 'utf8').trim()).toBe(String(id));
    expect(tool.asked).toEqual([
      quota(`project -s -p ${join(root, '.making-fred-a')} ${id}`),
      quota(`limit -p bhard=30720m ihard=31457280 ${id}`),
    ]);
  });

  it('sets no quota of a volume that is not there, and makes none', async () => {
    await filesystem.volumes.ensureQuota('fred-a', 10);
    expect([tool.asked, existsSync(join(root, 'fred-a'))]).toEqual([[], false]);
  });

  it('undoes a volume whose quota cannot be set', async () => {
    tool.answer('xfs_quota -x -c limit', { code: 1, stdout: 'no such quota' });
    await expect(filesystem.volumes.create('fred-a', 10)).rejects.toMatchObject({ code: 'TOOL_FAILED' });
    expect(existsSync(join(root, 'fred-a'))).toBe(false);
  });

  it('tags a reused volume again, under the id of its marker', async () => {
    await filesystem.volumes.create('fred-a', 10);
    writeFileSync(marker('fred-a'), '4711\n');
    tool.asked.length = 0;
    expect((await filesystem.volumes.create('fred-a', 20)).created).toBe(false);
    expect(tool.asked).toEqual([
      quota(`project -s -p ${join(root, 'fred-a')} 4711`),
      quota('limit -p bhard=20m ihard=262144 4711'),
    ]);
  });

  it('keeps the id across a rename, although the name has another checksum', async () => {
    await filesystem.volumes.create('fred-a', 10);
    await filesystem.volumes.rename('fred-a', 'fred-retained-a');
    tool.asked.length = 0;
    await filesystem.volumes.ensureQuota('fred-retained-a', 10);
    expect(tool.asked[1]).toContain(` ${crc32('fred-a')} `);
  });

  it('reads the usage from the row of its project', async () => {
    await filesystem.volumes.create('fred-a', 10);
    const id = crc32('fred-a');
    tool.answer('xfs_quota -x -c report -p -b -N', {
      stdout: `#0  12 0 0 00\n#${id}   2048   0  10240  00 [------]\n`,
    });
    expect(await filesystem.volumes.usage('fred-a')).toBe(2048 * 1024);
    tool.answer('xfs_quota -x -c report -p -b -N', { stdout: '#0  12 0 0 00\n' });
    await expect(filesystem.volumes.usage('fred-a')).rejects.toMatchObject({ code: 'USAGE_UNKNOWN' });
  });

  it('clears the limit after the files are gone, and only counts it when that fails', async () => {
    await filesystem.volumes.create('fred-a', 10);
    tool.asked.length = 0;
    tool.answer('xfs_quota -x -c limit', { code: 1 });
    await filesystem.destroyer.destroy('fred-a');
    expect(tool.asked).toEqual([quota(`limit -p bhard=0 bsoft=0 ihard=0 isoft=0 ${crc32('fred-a')}`)]);
    expect(existsSync(join(root, 'fred-a'))).toBe(false);
    expect(clearFailures).toBe(1);
  });

  it.each([
    '0',
    'garbage',
    '',
    '99999999999',
    '-3',
  ])('never guesses a project from the marker %j', async (text) => {
    await filesystem.volumes.create('fred-a', 10);
    writeFileSync(marker('fred-a'), text);
    tool.asked.length = 0;
    await expect(filesystem.volumes.ensureQuota('fred-a', 10)).rejects.toMatchObject({
      code: 'MARKER_UNUSABLE',
    });
    await filesystem.destroyer.destroy('fred-a');
    expect(tool.asked).toEqual([]);
    expect(warnings).toHaveLength(1);
  });

  it('follows no link in place of the marker', async () => {
    mkdirSync(join(root, 'fred-a'));
    writeFileSync(join(root, 'elsewhere'), '7');
    symlinkSync(join(root, 'elsewhere'), marker('fred-a'));
    await expect(filesystem.volumes.usage('fred-a')).rejects.toMatchObject({ code: 'MARKER_UNUSABLE' });
  });

  it('leaves a volume alone that has the id of another, or none, and starts with all others', async () => {
    for (const [name, id] of [
      ['fred-a', '5'],
      ['fred-b', '5'],
      ['fred-c', ''],
      ['fred-d', '6'],
    ] as const) {
      mkdirSync(join(root, name));
      writeFileSync(marker(name), id);
    }
    await filesystem.volumes.validate();
    expect(warnings).toEqual([
      expect.stringMatching(/fred-a and fred-b/),
      expect.stringMatching(/volume fred-c/),
    ]);
    tool.asked.length = 0;
    for (const name of ['fred-b', 'fred-c'])
      await expect(filesystem.volumes.ensureQuota(name, 10)).rejects.toMatchObject({
        code: 'MARKER_UNUSABLE',
      });
    expect(tool.asked).toEqual([]);
    await filesystem.volumes.ensureQuota('fred-d', 10);
    expect(tool.asked.at(-1)).toContain(' 6 ');
  });

  it('says so when the file system keeps no project quotas', async () => {
    tool.answer('xfs_quota -x -c report', { code: 1, stdout: 'cannot find mount point' });
    await expect(filesystem.volumes.validate()).rejects.toMatchObject({ code: 'QUOTAS_OFF' });
  });
});

describe('inodeCeiling', () => {
  it.each([
    [30720, 0, 31457280],
    [15360, 0, 15728640],
    [245760, -1, 251658240],
    [30720, 2048, 15728640],
    [64, 0, 262144],
    [0, 0, 262144],
  ])('allows %i MiB with an average of %i bytes %i inodes', (sizeMb, average, inodes) => {
    expect(inodeCeiling(sizeMb, average)).toBe(inodes);
  });
});
