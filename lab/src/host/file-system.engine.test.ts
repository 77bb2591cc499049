import { readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSpace, waitFor } from '../testing/index.ts';
import { must } from '../tools/run.ts';
import { makeFileSystem } from './file-system.ts';

const loopsOf = async (name: string): Promise<string[]> =>
  (await must(['losetup', '--list', '--noheadings', '--output', 'BACK-FILE']))
    .split('\n')
    .filter((file) => file.includes(name));

describe('a file system on a host', () => {
  it('holds a container’s volume to its btrfs quota', async () => {
    await using space = await openSpace();
    const { host } = space;
    await using disk = await makeFileSystem(host, { name: space.name('disk'), type: 'btrfs', sizeMb: 256 });
    const volume = join(disk.path, 'volume');
    await host.must(['btrfs', 'subvolume', 'create', volume]);
    await host.must(['btrfs', 'qgroup', 'limit', '20M', volume]);
    const { code, stderr } = await host.exec([
      ...([
        'docker',
        'run',
        '--rm',
        ...space.labelled,
        '--volume',
        `${volume}:/data`,
        'berth-lab/busybox',
      ] as const),
      ...['dd', 'if=/dev/zero', 'of=/data/file', 'bs=1M', 'count=50', 'conv=fsync'],
    ]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/quota|space/i);
    const written = statSync(join(disk.pathFromOutside, 'volume/file')).size;
    expect(written).toBeLessThanOrEqual(20 * 1024 * 1024);
  });

  it('is seen by the host alone, and gives its loop device back', async () => {
    await using space = await openSpace();
    const name = space.name('disk');
    {
      await using disk = await makeFileSystem(space.host, { name, type: 'xfs', sizeMb: 320 });
      await writeFile(join(disk.pathFromOutside, 'file'), 'on xfs');
      expect(await space.host.must(['stat', '-f', '-c', '%T', disk.path])).toBe('xfs\n');
      expect(await space.host.must(['cat', join(disk.path, 'file')])).toBe('on xfs');
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(name);
      expect(await loopsOf(name)).toHaveLength(1);
    }
    await waitFor('the loop device is free', async () => (await loopsOf(name)).length === 0, {
      timeoutMs: 60_000,
    });
  });
});
