/** Power cuts under zfs volumes: what was reported done is done, and what was going on has happened whole or not at all. */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '@berth/service';
import { expect, it } from 'vitest';
import { PowerDisks } from '../testing/power-disk/index.ts';
import { openAgain } from '../testing/volumes-suite.ts';

const run = (...[command = '', ...args]: readonly string[]) => spawnSync(command, args, { encoding: 'utf8' });
const has = existsSync('/sys/module/zfs') || run('modprobe', '--quiet', 'zfs').status === 0;

const sizeMb = 16;
const label = '{"v":1}';
const content = 'precious';

interface Step {
  /** The volumes that there are when it is done. */
  readonly leaves: readonly string[];
  readonly act: () => unknown;
}

/** As a tenant does who cares: written, synced, and the folder after it. */
function write(folder: string): void {
  const file = openSync(join(folder, 'file'), 'w');
  writeSync(file, content);
  for (const opened of [file, openSync(folder, 'r')]) {
    fsyncSync(opened);
    closeSync(opened);
  }
}

it.skipIf(!has)(
  'volumes outlive a cut of the power as they were, and what was destroyed stays so [needs kernel: zfs]',
  async () => {
    await using disks = await PowerDisks.open(['zfs'], 128);
    const root = join(disks.roots[0] ?? '', 'volumes');
    const warnings: string[] = [];
    const { volumes, destroyer } = await openAgain('zfs', root, warnings);
    const steps: readonly Step[] = [
      { leaves: ['fred-a'], act: () => volumes.create('fred-a', sizeMb, label) },
      { leaves: ['fred-a'], act: () => write(volumes.hostPath('fred-a')) },
      { leaves: ['fred-retained-a'], act: () => volumes.rename('fred-a', 'fred-retained-a') },
      { leaves: ['fred-b', 'fred-retained-a'], act: () => volumes.create('fred-b', sizeMb, label) },
      { leaves: ['fred-retained-a'], act: () => destroyer.destroy('fred-b') },
    ];
    for (const { act } of steps) {
      await act();
      disks.mark('done');
    }
    const random = seededRandom(Number(process.env['BERTH_SEED'] || 7));
    const journal = await disks.recorded(random);
    const doneAt = (step: number): number => journal.marks[step]?.at ?? Number.NaN;
    const within = (step: number): number => {
      const moments = journal.moments(doneAt(step - 1)).filter((at) => at < doneAt(step));
      return moments[Math.floor(random() * moments.length)] ?? doneAt(step - 1);
    };
    const found = async (): Promise<readonly string[]> => {
      const again = await openAgain('zfs', root, warnings);
      const names = await again.volumes.list();
      const quotas = run('zfs', 'get', '-Hp', '-d1', '-t', 'filesystem', '-o', 'value', 'refquota', root);
      expect(quotas.stdout.split('\n').filter((value) => value === String(sizeMb * 2 ** 20))).toHaveLength(
        names.length,
      );
      for (const name of names) expect(await again.volumes.label(name), name).toBe(label);
      const [first = ''] = names.filter((name) => name.endsWith('-a'));
      expect(readFileSync(join(root, first, 'file'), 'utf8')).toBe(content);
      return names;
    };
    for (const [at, loss, allowed] of [
      [doneAt(1), 'all', steps.slice(1, 2)],
      [within(2), 'some', steps.slice(1, 3)],
      [doneAt(2), 'all', steps.slice(2, 3)],
      [within(4), 'some', steps.slice(3, 5)],
      [doneAt(4), 'all', steps.slice(4, 5)],
    ] as const) {
      using _mounted = disks.mountCut(journal.cut(at, loss));
      expect(
        allowed.map(({ leaves }) => leaves),
        `cut after record ${at} of ${journal.records.length}`,
      ).toContainEqual(await found());
    }
    expect(warnings).toEqual([]);
  },
  300_000,
);
