/**
 * Data of containers from before there were stacks, while they get successors: at every step of that the process dies, the power
 * fails, the disk is full or errs. Each instance goes on with its own data, and nothing of it is ever destroyed.
 */
import { describe, expect, it } from 'vitest';
import type { FaultMode } from '../testing/faults.ts';
import { MigrationWorld } from '../testing/migration-world.ts';

const modes: readonly FaultMode[] = ['kill', 'power', 'enospc', 'eio'];

async function run(at?: number, mode?: FaultMode) {
  await using world = await MigrationWorld.open();
  const wrong: string[] = [];
  if (at !== undefined && mode !== undefined) world.faults.arm(at, mode);
  const refused = await world.start().then(
    () => false,
    () => true,
  );
  const { fired, dead } = world.faults;
  const steps = [...world.faults.steps];
  world.faults.disarm();
  // Without a death somebody runs on the data, whether it was done or taken back.
  if (!dead) wrong.push(...world.wrong('either').map((what) => `${refused ? 'refused' : 'done'}: ${what}`));
  if (dead || refused) {
    await world.die(mode === 'power');
    // One that failed once need not fail again.
    await world.start().catch((error: unknown) => wrong.push(`the next start: ${String(error)}`));
  }
  await world.pass();
  // Whether leases that the power has ended run again is not for the migration to say.
  wrong.push(...world.wrong('new', fired === 'power'));
  wrong.push(...world.disk.steps.filter((step) => step.startsWith('destroy')));
  return { wrong, steps, fired };
}

describe('a migration of containers with data', () => {
  it('loses nothing and leaves nothing behind, whatever goes wrong at any step', async () => {
    const clean = await run();
    expect(clean.wrong, 'without a fault').toEqual([]);
    expect(clean.steps.filter((step) => step.startsWith('rename fred-'))).toHaveLength(6);
    const failures: string[] = [];
    let faults = 0;
    for (let at = 0; at < clean.steps.length; at++)
      for (const mode of modes) {
        const { wrong, steps, fired } = await run(at, mode);
        if (fired !== undefined) faults++;
        if (wrong.length > 0)
          failures.push(`${mode} at ${at} "${steps[at]}": ${[...new Set(wrong)].join('; ')}`);
      }
    process.stdout.write(`migration: ${faults} faults at ${clean.steps.length} steps\n`);
    expect(failures).toEqual([]);
    expect(faults).toBeGreaterThan(clean.steps.length);
  }, 240_000);
});
