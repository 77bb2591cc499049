import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OrderedIds } from './ordered-ids.ts';

describe('ordered ids', () => {
  it('show what comes after an id, whether it is there or not, in whatever order they came and went', () => {
    const id = fc.stringMatching(/^[0-9a-f]{1,2}$/);
    const steps = fc.array(fc.record({ add: fc.boolean(), id }));
    fc.assert(
      fc.property(steps, id, fc.nat(10), (made, cursor, limit) => {
        const ids = new OrderedIds();
        const reference = new Set<string>();
        for (const step of made) {
          if (step.add) {
            ids.add(step.id);
            reference.add(step.id);
          } else {
            ids.delete(step.id);
            reference.delete(step.id);
          }
        }
        const after = [...reference].filter((one) => one > cursor).sort();
        expect(ids.size).toBe(reference.size);
        expect(ids.after(cursor, limit)).toEqual(after.slice(0, limit));
      }),
    );
  });
});
