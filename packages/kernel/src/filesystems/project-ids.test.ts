import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeCapability } from './capability.ts';
import { ProjectIds } from './project-ids.ts';

describe('ProjectIds', () => {
  it('never gives one id to two volumes, never 0, and lets a volume keep its own', () => {
    const step = fc.tuple(fc.constantFrom('allocate', 'forget', 'rename'), fc.nat(30), fc.nat(30));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const ids = new ProjectIds(32);
        const held = new Map<string, number>();
        for (const [what, a, b] of steps) {
          const [from, to] = [`fred-${a}`, `fred-${b}`];
          if (what === 'allocate') {
            const id = ids.allocate(from);
            expect(id).not.toBe(0);
            expect(held.get(from) ?? id).toBe(id);
            held.set(from, id);
          } else if (what === 'forget') {
            ids.forget(from);
            held.delete(from);
          } else if (from !== to && !held.has(to)) {
            ids.rename(from, to);
            const id = held.get(from);
            held.delete(from);
            if (id !== undefined) held.set(to, id);
          }
          expect(new Set(held.values()).size).toBe(held.size);
        }
      }),
    );
  });

  it('says so when the ids are used up', () => {
    const ids = new ProjectIds(3);
    ids.allocate('a');
    ids.allocate('b');
    expect(() => ids.allocate('c')).toThrow(/no xfs project id is free/);
  });
});

describe('judgeCapability', () => {
  const status = (bounding: string, ambient: string): string =>
    `Name:\tnode\nCapBnd:\t${bounding}\nCapAmb:\t${ambient}\n`;

  it('asks the bounding set for root and the ambient set for everybody else', () => {
    expect(judgeCapability(status('000001ffffffffff', '0000000000000000'), 0)).toBe('held');
    expect(judgeCapability(status('000001ffffdfffff', '0000000000200000'), 0)).toBe('missing');
    expect(judgeCapability(status('000001ffffffffff', '0000000000000000'), 1000)).toBe('missing');
    expect(judgeCapability(status('0000000000000000', '0000000000200000'), 1000)).toBe('held');
  });

  it('does not pretend to know what it cannot read', () => {
    expect(judgeCapability('', 0)).toBe('unknown');
  });
});
