import { describe, expect, it } from 'vitest';
import { type Break, inThread } from './storage-lives.ts';

describe('a thread of the storage model', () => {
  it.each<[Break, string]>([
    ['throws', 'Error: broken on purpose'],
    ['throws where nobody awaits it', 'Error: broken on purpose'],
    ['rejects where nobody awaits it', 'Error: broken on purpose'],
    ['exits', 'Error: a thread of the model ended with 7'],
  ])('that %s says in which life and at which step', async (how, why) => {
    const share = { seed: 42, first: 1, worlds: 2, every: 2 };
    await expect(inThread({ ...share, breaks: { world: 1, step: 5, how } })).rejects.toThrow(
      `BERTH_SEED=42: world 1, step 5: ${why}`,
    );
  });
});
