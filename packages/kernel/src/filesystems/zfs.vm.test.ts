import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeZfs } from '../testing/loop-filesystem.ts';
import { openAgain, volumesSuite } from '../testing/volumes-suite.ts';

const overQuota = 122;

const run = (...[command = '', ...args]: readonly string[]) => spawnSync(command, args, { encoding: 'utf8' });
const tool = (...argv: readonly string[]): string => {
  const { status, stdout, stderr } = run(...argv);
  if (status !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
  return stdout.trim();
};

// The module is Debian's only as a source, which not every archive lets be built.
const has = existsSync('/sys/module/zfs') || run('modprobe', '--quiet', 'zfs').status === 0;

if (!has) it.skip('zfs volumes on a real pool [needs kernel: zfs]', () => undefined);
else
  volumesSuite({ kind: 'zfs', make: () => makeZfs(), full: overQuota, slackMb: 8, sizeMb: 8 }, (opened) => {
    const datasetOf = (name: string): string =>
      `${tool('zfs', 'list', '-H', '-o', 'name', opened().disk.root)}/${name}`;

    describe('as datasets', () => {
      it('lose the stale quota of an earlier release', async () => {
        const { volumes } = opened().filesystem;
        await volumes.create('fred-old', 20);
        tool('zfs', 'set', 'quota=10M', datasetOf('fred-old'));
        await volumes.ensureQuota('fred-old', 30);
        const shown = tool('zfs', 'get', '-Hp', '-o', 'value', 'quota,refquota', datasetOf('fred-old'));
        expect(shown.split('\n')).toEqual(['0', String(30 * 2 ** 20)]);
      });

      it('are volumes when they are not mounted, too, and are mounted for the next deployment', async () => {
        const { filesystem, disk, warnings } = opened();
        const { path } = await filesystem.volumes.create('fred-away', 20);
        writeFileSync(join(path, 'kept'), 'precious');
        tool('zfs', 'unmount', datasetOf('fred-away'));
        const again = await openAgain('zfs', disk.root, warnings);
        expect(await again.volumes.list()).toContain('fred-away');
        expect(await again.volumes.create('fred-away', 20)).toEqual({ path, created: false });
        expect(readdirSync(path)).toEqual(['kept']);
      });

      it('are not made where none of them would be mounted', async () => {
        const parent = `${datasetOf('')}legacy`;
        const folder = mkdtempSync(join(tmpdir(), 'berth-legacy-'));
        tool('zfs', 'create', '-o', 'mountpoint=legacy', parent);
        tool('mount', '-t', 'zfs', parent, folder);
        try {
          const { volumes } = await openAgain('zfs', folder, opened().warnings);
          await expect(volumes.create('fred-odd', 20)).rejects.toMatchObject({ code: 'NOT_A_VOLUME' });
          expect(tool('zfs', 'list', '-H', '-r', '-o', 'name', parent)).toBe(parent);
        } finally {
          tool('umount', folder);
          tool('zfs', 'destroy', parent);
        }
      });

      it('with a snapshot that somebody took are not destroyed behind his back', async () => {
        const { volumes, destroyer } = opened().filesystem;
        await volumes.create('fred-snapped', 20);
        tool('zfs', 'snapshot', `${datasetOf('fred-snapped')}@mine`);
        await expect(destroyer.destroy('fred-snapped')).rejects.toMatchObject({ code: 'TOOL_FAILED' });
        expect(await volumes.list()).toContain('fred-snapped');
        tool('zfs', 'destroy', `${datasetOf('fred-snapped')}@mine`);
        await destroyer.destroy('fred-snapped');
        expect(await volumes.list()).not.toContain('fred-snapped');
      });
    });
  });
