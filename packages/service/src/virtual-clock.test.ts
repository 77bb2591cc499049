import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sleep } from './clock.ts';
import { VirtualClock } from './virtual-clock.ts';

describe('VirtualClock', () => {
  it('fires what falls due in order, and nothing before its time', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.after(20, () => seen.push('late'));
    clock.after(10, () => seen.push('early'));
    clock.after(10, () => seen.push('early, asked for second'));
    await clock.advance(9);
    expect(seen).toEqual([]);
    await clock.advance(11);
    expect(seen).toEqual(['early', 'early, asked for second', 'late']);
    expect(clock.pending).toBe(0);
  });

  it('lets a sleeper go on at the time it asked for', async () => {
    const clock = new VirtualClock();
    const woke = sleep(clock, 1000).then(() => clock.monotonic());
    await clock.advance(5000);
    expect(await woke).toBe(1000);
  });

  it('wakes a sleeper at once when its signal aborts, and leaves no timer behind', async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const asleep = sleep(clock, 1000, controller.signal);
    controller.abort(new Error('enough'));
    await expect(asleep).rejects.toThrow('enough');
    expect(clock.pending).toBe(0);
  });

  it('fires exactly what was not called off, by time and then by order, however many there are', async () => {
    const alarms = fc.array(fc.record({ delayMs: fc.nat(50), called: fc.boolean() }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(alarms, async (wanted) => {
        const clock = new VirtualClock();
        const seen: number[] = [];
        const handles = wanted.map(({ delayMs }, index) => clock.after(delayMs, () => seen.push(index)));
        for (const [index, { called }] of wanted.entries()) if (called) handles[index]?.cancel();
        await clock.advance(50);
        const expected = wanted
          .map(({ delayMs, called }, index) => ({ delayMs, called, index }))
          .filter(({ called }) => !called)
          .sort((a, b) => a.delayMs - b.delayMs || a.index - b.index)
          .map(({ index }) => index);
        expect(seen).toEqual(expected);
        expect(clock.pending).toBe(0);
        expect(clock.nextDue).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  });

  it('does not fire what an earlier callback called off, nor count it twice', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const second = clock.after(2, () => seen.push('second'));
    clock.after(1, () => {
      second.cancel();
      second.cancel();
    });
    await clock.advance(5);
    expect(seen).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
