import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { liveThroughAll, stepsOfOneWorld } from '../testing/storage-lives.ts';

/** `npm test` asks for a hundred thousand; while one works, unit tests take seconds. */
const steps = Number(process.env['BERTH_MODEL_STEPS'] ?? 3000);

describe('the storage life', () => {
  it('loses nothing, leaks nothing and counts right, whatever happens', async () => {
    const seed = fc.readConfigureGlobal().seed ?? 0;
    const began = performance.now();
    const did = await liveThroughAll(seed, Math.ceil(steps / stepsOfOneWorld));
    const counts = [...did].map(([what, count]) => `${count} ${what}`).join(', ');
    process.stdout.write(
      `storage model: ${steps} steps in ${Math.round((performance.now() - began) / 1000)} s (${counts})\n`,
    );
    for (const what of ['provision', 'close', 'restore', 'drop', 'start again', 'fault kill', 'fault power'])
      expect(did.get(what), what).toBeGreaterThan(0);
  }, 1_800_000);
});
