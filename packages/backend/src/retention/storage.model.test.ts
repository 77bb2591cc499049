import fc from 'fast-check';
import { describe, it } from 'vitest';
import { StorageHistory } from '../testing/storage-history.ts';

/** `npm test` asks for a hundred thousand; while one works, unit tests take seconds. */
const steps = Number(process.env['BERTH_MODEL_STEPS'] ?? 3000);
const stepsOfOneWorld = 1000;

describe('the storage life', () => {
  it('loses nothing, leaks nothing and counts right, whatever happens', async () => {
    const seed = fc.readConfigureGlobal().seed ?? 0;
    const did = new Map<string, number>();
    const began = performance.now();
    for (let world = 0; world * stepsOfOneWorld < steps; world++) {
      await using history = new StorageHistory(seed + world);
      for (let step = 0; step < stepsOfOneWorld; step++)
        try {
          await history.step();
        } catch (error) {
          throw new Error(`BERTH_SEED=${seed}: world ${world}, step ${step}: ${String(error)}`, {
            cause: error,
          });
        }
      for (const [what, count] of history.did) did.set(what, (did.get(what) ?? 0) + count);
    }
    const counts = [...did].map(([what, count]) => `${count} ${what}`).join(', ');
    process.stdout.write(
      `storage model: ${steps} steps in ${Math.round((performance.now() - began) / 1000)} s (${counts})\n`,
    );
  }, 1_800_000);
});
