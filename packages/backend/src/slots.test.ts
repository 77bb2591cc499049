import { describe, expect, it } from 'vitest';
import { Slots } from './slots.ts';

describe('slots', () => {
  it('run so many tasks at a time and the others in turn, also after failures and those who left', async () => {
    const slots = new Slots(2);
    const order: number[] = [];
    let running = 0;
    let most = 0;
    const task = (n: number) => async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(n);
      running--;
      if (n === 1) throw new Error('one failed');
      return n;
    };
    const leaving = new AbortController();
    const all = [0, 1, 2, 3, 4].map((n) => slots.run(task(n), n === 3 ? leaving.signal : undefined));
    leaving.abort(new Error('left'));
    const results = await Promise.allSettled(all);
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(order).toEqual([0, 1, 2, 4]);
    expect(most).toBe(2);
    expect(await slots.run(task(9))).toBe(9);
  });
});
