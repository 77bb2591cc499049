/** Power cuts on a real xfs, as on btrfs (power-cut.kernel.test.ts), where the kernel has its project quotas; and on a real zfs. */
import { expect, it } from 'vitest';
import { cutEverywhere } from '../testing/power/cuts.ts';

const seed = Number(process.env['BERTH_SEED'] || 7);
/** Each step on zfs is a tool, and each takes long in a machine of software: only for those who ask for it. */
const zfsCuts = Number(process.env['BERTH_ZFS_CUTS'] || 0);
const onXfs = { kind: 'xfs', most: 5 } as const;
const onZfs = { kind: 'zfs', most: zfsCuts } as const;
const kinds = zfsCuts > 0 ? [onXfs, onZfs] : [onXfs];

it.each(
  kinds,
)('a cut of the power at any moment loses nothing that was promised, and leaks nothing: $kind', async ({
  kind,
  most,
}) => {
  const options = { kind, stores: 'xfs', diskMb: 320, seed, most } as const;
  const { records, moments, cuts, failures } = await cutEverywhere(options);
  process.stdout.write(
    `power cuts on ${kind}: ${cuts}, at ${moments} moments of ${records} records of the disks\n`,
  );
  expect(failures).toEqual([]);
  expect(cuts).toBeGreaterThan(0);
}, 840_000);
