import { closeSync, existsSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '@berth/service';
import { expect, it } from 'vitest';
import { PowerDisks } from './index.ts';

it('what was synced outlives a cut of the power at any moment after, and what was not does not', async () => {
  await using disks = await PowerDisks.open(['btrfs', 'ext4'], 256);
  const write = (disk: number, name: string, sync: boolean): void => {
    const root = disks.roots[disk] ?? '';
    const file = openSync(join(root, name), 'w');
    writeSync(file, 'content');
    const folder = openSync(root, 'r');
    for (const opened of sync ? [file, folder] : []) fsyncSync(opened);
    for (const opened of [file, folder]) closeSync(opened);
    disks.mark(name);
  };
  for (const disk of [0, 1]) write(disk, `synced${disk}`, true);
  disks.mark('end');
  for (const disk of [0, 1]) write(disk, `lost${disk}`, false);
  const journal = await disks.recorded(seededRandom(1));
  const end = journal.marks.find(({ text }) => text === 'end')?.at ?? 0;
  const lost = journal.marks.find(({ text }) => text === 'lost1')?.at ?? 0;
  const there = (name: string): boolean => disks.roots.some((root) => existsSync(join(root, name)));
  for (const [at, loss] of [
    [end, 'all'],
    [end, 'some'],
    [lost, 'all'],
  ] as const) {
    using _mounted = disks.mountCut(journal.cut(at, loss));
    expect(['synced0', 'synced1'].map(there), `cut after record ${at}`).toEqual([true, true]);
    expect(['lost0', 'lost1'].map(there), `cut after record ${at}`).toEqual([false, false]);
  }
  const half = journal.marks.find(({ text }) => text === 'synced0')?.at ?? 0;
  using _mounted = disks.mountCut(journal.cut(half, 'all'));
  expect(['synced0', 'synced1'].map(there)).toEqual([true, false]);
});
