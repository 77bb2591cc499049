/** Power cuts on a real xfs, as on btrfs (power-cut.kernel.test.ts), where the kernel has its project quotas. */
import { expect, it } from 'vitest';
import { cutEverywhere } from '../testing/power/cuts.ts';

const seed = Number(process.env['BERTH_SEED'] || 7);

it('a cut of the power at any moment loses nothing that was promised, and leaks nothing: xfs', async () => {
  const options = { kind: 'xfs', stores: 'xfs', diskMb: 320, seed, most: 5 } as const;
  const { records, moments, cuts, failures } = await cutEverywhere(options);
  process.stdout.write(
    `power cuts on xfs: ${cuts}, at ${moments} moments of ${records} records of the disks\n`,
  );
  expect(failures).toEqual([]);
  expect(cuts).toBeGreaterThan(0);
}, 600_000);
