/** Power cuts on a real btrfs: what was never flushed is lost, all of it or in parts, on one disk or on two. */
import { expect, it } from 'vitest';
import { cutEverywhere } from '../testing/power/cuts.ts';

const seed = Number(process.env['BERTH_SEED'] ?? 7);
/** Some thousand are possible in each layout, at about half a second. */
const most = Number(process.env['BERTH_CUTS'] ?? 40);

it.each([
  { name: 'volumes and stores on one disk' },
  { name: 'the stores on a disk of their own', stores: 'ext4' },
] as const)('a cut of the power at any moment loses nothing that was promised, and leaks nothing: $name', async ({
  name,
  ...stores
}) => {
  const { records, moments, cuts, failures } = await cutEverywhere({
    kind: 'btrfs',
    diskMb: 300,
    seed,
    most,
    ...stores,
  });
  process.stdout.write(
    `power cuts on btrfs, ${name}: ${cuts}, at ${moments} moments of ${records} records of the disks\n`,
  );
  expect(failures).toEqual([]);
  expect(cuts).toBeGreaterThan(0);
}, 3_600_000);
