import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ScriptedTool, scriptedTool } from '../testing/scripted-tool.ts';
import type { QuotaFilesystem } from './quota-volumes.ts';
import { zfsFilesystem } from './zfs.ts';

const missing = { code: 1, stdout: "cannot open 'tank/v/fred-a': dataset does not exist" };

describe('zfs volumes at their command seam', () => {
  let root: string;
  let tool: ScriptedTool;
  let filesystem: QuotaFilesystem;
  const warnings: string[] = [];

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'berth-zfs-'));
    tool = scriptedTool();
    tool.answer(`zfs list -H -o name ${root}`, { stdout: 'tank/v\n' });
    filesystem = zfsFilesystem({
      root,
      run: tool.run,
      isManaged: (name) => name.startsWith('fred-'),
      warn: (message) => warnings.push(message),
    });
    await filesystem.volumes.validate();
    tool.asked.length = 0;
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('makes a dataset with its quota in one step, and looks whether it is mounted where it should be', async () => {
    tool.answer('zfs list -H -o mounted', missing, { stdout: 'yes\n' });
    tool.answer('zfs create', { effect: () => mkdirSync(join(root, 'fred-a')) });
    expect((await filesystem.volumes.create('fred-a', 64)).created).toBe(true);
    expect(tool.asked).toContain('zfs create -o refquota=64M tank/v/fred-a');
  });

  it('takes a dataset back that mounts elsewhere, where no quota would hold', async () => {
    tool.answer('zfs list -H -o mounted', missing, { stdout: 'no\n' });
    await expect(filesystem.volumes.create('fred-a', 64)).rejects.toMatchObject({ code: 'NOT_A_VOLUME' });
    expect(tool.asked.at(-1)).toBe('zfs destroy -f tank/v/fred-a');
  });

  it('mounts a dataset that is there but not mounted, and sets both quotas in one call', async () => {
    tool.answer('zfs list -H -o mounted', { stdout: 'no\n' });
    expect((await filesystem.volumes.create('fred-a', 64)).created).toBe(false);
    expect(tool.asked.slice(1)).toEqual([
      'zfs mount tank/v/fred-a',
      'zfs set refquota=64M quota=none tank/v/fred-a',
    ]);
  });

  it('sets no quota of a dataset that is not there, and makes none', async () => {
    tool.answer('zfs list -H -o mounted', missing);
    await filesystem.volumes.ensureQuota('fred-a', 64);
    expect(tool.asked).toEqual(['zfs list -H -o mounted tank/v/fred-a']);
  });

  it('lists datasets: the empty directory of one that is not mounted is no volume', async () => {
    mkdirSync(join(root, 'fred-ghost'));
    tool.answer('zfs list -H -r -d 1', { stdout: 'tank/v\ntank/v/fred-a\ntank/v/other\ntank/vv/fred-b\n' });
    expect(await filesystem.volumes.list()).toEqual(['fred-a']);
  });

  it('takes an answer that it does not understand for an error and never for an absent volume', async () => {
    tool.answer('zfs list -H -o mounted', { code: 1, stdout: 'internal error: I/O' });
    await expect(filesystem.volumes.ensureQuota('fred-a', 64)).rejects.toMatchObject({ code: 'TOOL_FAILED' });
    await expect(filesystem.volumes.rename('fred-a', 'fred-b')).rejects.toMatchObject({
      code: 'TOOL_FAILED',
    });
  });

  it('reports a dataset destroyed only when it is gone', async () => {
    tool.answer('zfs list -H -o mounted', { stdout: 'yes\n' });
    await expect(filesystem.destroyer.destroy('fred-a')).rejects.toMatchObject({ code: 'STILL_THERE' });
    tool.answer('zfs list -H -o mounted', missing);
    tool.answer('zfs destroy', { code: 1, stdout: 'dataset does not exist' });
    await filesystem.destroyer.destroy('fred-a');
    tool.answer('zfs destroy', { code: 1, stdout: 'dataset is busy' });
    await expect(filesystem.destroyer.destroy('fred-a')).rejects.toMatchObject({ code: 'TOOL_FAILED' });
  });

  it('reads the bytes that the refquota counts', async () => {
    tool.answer('zfs get', { stdout: '1048576\n' });
    expect(await filesystem.volumes.usage('fred-a')).toBe(1048576);
    tool.answer('zfs get', { stdout: '-\n' });
    await expect(filesystem.volumes.usage('fred-a')).rejects.toMatchObject({ code: 'USAGE_UNKNOWN' });
  });
});
