/** What a volume costs beside the bare operations of its file system: the tools for making and removing, rename and sync. */
import { spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, openSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { adoptedForm, canonicalVolume, retainedForm, type VolumeName } from '@berth/backend';
import { openVolumes } from '@berth/backend/volumes';
import { makeBtrfs } from '@berth/kernel/testing/loop-filesystem';
import { Scope } from '@berth/service';
import { createLog, textFormat } from '@berth/service/log';
import { type BenchCase, timingRow } from '../harness/bench-case.ts';
import { measureInTurns } from '../harness/measure.ts';

function tool(...[command = '', ...args]: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

/** What makes a rename durable. */
function renameAndSync(root: string, from: string, to: string): void {
  renameSync(join(root, from), join(root, to));
  const folder = openSync(root, 'r');
  fsyncSync(folder);
  closeSync(folder);
}

const uuid = (round: number): string => `0190aaaa-0000-7000-8000-${String(round).padStart(12, '0')}`;
const volume = (round: number): VolumeName =>
  canonicalVolume({ lease: uuid(round), service: 'db', index: 0 });
const sizeMb = 64;
/** The numbers of the leases whose volumes are made without us, and of those that take ours over. */
const [bareFrom, takenFrom] = [200_000, 100_000];

export const volumes: BenchCase = {
  name: 'volumes',
  about: 'A volume is made, kept under its other name, taken over by another lease, and destroyed, on btrfs.',
  unit: 'ms; the last rows: times the bare operations, at the median',
  needsRoot: true,
  async run({ quick }) {
    using disk = makeBtrfs(1024);
    await using scope = new Scope('volumes', () => undefined);
    const quiet = createLog({
      sink: { write: () => undefined, flush: () => undefined, takeDropped: () => 0 },
      format: textFormat,
    });
    const { volumes, door } = await openVolumes({
      root: disk.root,
      filesystem: 'btrfs',
      minAvgFileBytes: 0,
      totalDiskMb: 512,
      backendName: 'bench',
      claims: [],
      log: quiet,
      scope,
      meter: { refused: () => undefined, clearFailed: () => undefined },
    });
    const options = { rounds: quick ? 3 : 60, withinMs: 120_000 };
    const kept = (round: number): VolumeName => retainedForm(volume(round));
    const taken = (round: number): VolumeName => adoptedForm(kept(round), uuid(takenFrom + round));
    const path = (name: string): string => join(disk.root, name);

    const create = await measureInTurns(
      options,
      async (round) => {
        await volumes.obtain({
          backend: 'bench',
          lease: uuid(round),
          tenant: 'tenant',
          provider: 'provider',
          service: 'db',
          index: 0,
          sku: 'small',
          sizeMb,
          createdAtMs: 0,
        });
      },
      (round) => {
        tool('btrfs', 'subvolume', 'create', path(volume(bareFrom + round)));
        tool('btrfs', 'qgroup', 'limit', `${sizeMb}m`, path(volume(bareFrom + round)));
      },
    );
    const retain = await measureInTurns(
      options,
      (round) => volumes.rename(volume(round), kept(round)),
      (round) => renameAndSync(disk.root, volume(bareFrom + round), kept(bareFrom + round)),
    );
    const restore = await measureInTurns(
      options,
      (round) => volumes.rename(kept(round), taken(round)),
      (round) => renameAndSync(disk.root, kept(bareFrom + round), taken(bareFrom + round)),
    );
    const destroy = await measureInTurns(
      options,
      async (round) => {
        const { leftOnDisk } = await door.operation(undefined).destroy('orphan_gc', [taken(round)]);
        if (leftOnDisk) throw new Error(`${taken(round)} was not destroyed`);
      },
      (round) => tool('btrfs', 'subvolume', 'delete', '--commit-after', path(taken(bareFrom + round))),
    );

    const works = { create, retain, restore, destroy };
    return [
      ...Object.entries(works).flatMap(([work, { ours, bare }]) => [
        timingRow(work, 'berth', ours),
        timingRow(work, work === 'retain' || work === 'restore' ? 'rename and sync' : 'btrfs tools', bare),
      ]),
      ...Object.entries(works).map(([work, { ours, bare }]) => ({
        work,
        by: 'berth / bare',
        figures: { p50: ours.p50 / bare.p50 },
      })),
    ];
  },
};
