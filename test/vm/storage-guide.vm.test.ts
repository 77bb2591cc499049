/** The guide to disks, where the kernel has what xfs and zfs need: followed command by command, with volumes at the end. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openQuotaFilesystem, type QuotaKind } from '@berth/kernel/filesystems';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandsOf } from '../src/guide.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-guide-'));
  for (const name of ['sdc', 'sdd']) {
    writeFileSync(join(folder, name), '');
    truncateSync(join(folder, name), 400 * 2 ** 20);
  }
});

function tool(...[command = '', ...args]: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Where the guide has a disk, there is a file; and its folders are ours. */
const ours = (word: string): string =>
  word.replace(/^\/dev\/(sd[cd])$/, join(folder, '$1')).replace(/\/srv\b/, join(folder, 'srv'));

/** Runs the commands of the page that match, in order; what each wrote. */
async function follow(pattern: RegExp): Promise<readonly string[]> {
  const commands = (await commandsOf('docker-backend-storage.md')).filter(({ text }) => pattern.test(text));
  return commands.map(({ argv: [program, ...args] }) => {
    const onLoop = program === 'mount' ? args.map((word) => word.replace(/^pquota$/, 'loop,pquota')) : args;
    return tool(program, ...onLoop.map(ours));
  });
}

/** A volume is made there, and its quota is where the guide says that it can be seen. */
async function volumeIn(kind: QuotaKind, root: string): Promise<void> {
  const { volumes } = await openQuotaFilesystem({
    root,
    wanted: kind,
    isManaged: () => true,
    warn: (message) => expect.fail(message),
    onClearFailed: () => undefined,
    minAvgFileBytes: 0,
  });
  await volumes.validate();
  expect((await volumes.create('fred-guide', 24)).created).toBe(true);
}

const hasZfs = existsSync('/sys/module/zfs') || spawnSync('modprobe', ['--quiet', 'zfs']).status === 0;

describe('the guide to disks', () => {
  afterAll(() => tool('umount', ours('/srv/xfs-volumes')));

  it('leads to an xfs with volumes', async () => {
    await follow(/^mkfs\.xfs|^mkdir .*xfs|^mount .*pquota/);
    await volumeIn('xfs', ours('/srv/xfs-volumes'));
    const [report] = await follow(/^xfs_quota/);
    expect(report).toMatch(new RegExp(` ${24 * 1024} `));
  });

  it.skipIf(!hasZfs)('leads to a pool with volumes [needs kernel: zfs]', async () => {
    await follow(/^zpool create|^zfs create/);
    await volumeIn('zfs', ours('/srv/zfs-volumes'));
    const [list] = await follow(/^zfs list/);
    expect(list).toMatch(/fred-guide\s+24M/);
    tool('zpool', 'destroy', 'tank');
  });
});
