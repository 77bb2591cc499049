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
});
