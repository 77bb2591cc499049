import type { StorageWorld } from './storage-world.ts';

/** Gives a world time to bring to an end whatever is left of what went wrong. */
export async function settle(world: StorageWorld, rounds = 4): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await world.idle();
    // Longer than any pause between two attempts at a close.
    await world.clock.advance(660_000);
    await world.idle();
    await world.retention.passes.sweep().catch(() => undefined);
    await world.sweepOrphans().catch(() => undefined);
    await world.idle();
  }
}
