import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyedSerial, Serial } from './index.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('Serial', () => {
  it('runs one task at a time, in the order in which they came, and gives each its own outcome', async () => {
    const outcomes = fc.array(fc.constantFrom('ok', 'fails', 'aborts'), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(outcomes, async (wanted) => {
        const serial = new Serial();
        const ran: number[] = [];
        let atOnce = 0;
        const results = wanted.map((outcome, index) => {
          const controller = new AbortController();
          const task = async () => {
            atOnce += 1;
            expect(atOnce).toBe(1);
            ran.push(index);
            await settle();
            atOnce -= 1;
            if (outcome === 'fails') throw new Error(`failure ${index}`);
            return index;
          };
          const result = serial.run(task, controller.signal).catch((error) => error.message);
          if (outcome === 'aborts') controller.abort(new Error(`left ${index}`));
          return result;
        });
        const said: Record<string, (index: number) => unknown> = {
          ok: (n) => n,
          fails: (n) => `failure ${n}`,
          aborts: (n) => `left ${n}`,
        };
        expect(await Promise.all(results)).toEqual(wanted.map((outcome, index) => said[outcome]?.(index)));
        expect(ran).toEqual(wanted.flatMap((outcome, index) => (outcome === 'aborts' ? [] : [index])));
        expect(serial.size).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('keeps the order behind somebody who left the queue', async () => {
    const serial = new Serial();
    const gate = Promise.withResolvers<void>();
    const ran: string[] = [];
    const first = serial.run(() => gate.promise);
    const controller = new AbortController();
    const second = serial.run(async () => void ran.push('second'), controller.signal);
    const third = serial.run(async () => void ran.push('third'));
    controller.abort(new Error('left'));
    await expect(second).rejects.toThrow('left');
    await settle();
    expect(ran).toEqual([]);
    gate.resolve();
    await Promise.all([first, third]);
    expect(ran).toEqual(['third']);
  });
});

describe('KeyedSerial', () => {
  it('lets different keys run side by side, the same key one after another, and forgets idle keys', async () => {
    const serial = new KeyedSerial<string>();
    const gate = Promise.withResolvers<void>();
    const ran: string[] = [];
    const blocked = serial.run('a', () => gate.promise);
    const behind = serial.run('a', async () => void ran.push('a'));
    await serial.run('b', async () => void ran.push('b'));
    expect(ran).toEqual(['b']);
    expect(serial.keys).toBe(1);
    gate.resolve();
    await Promise.all([blocked, behind]);
    expect(ran).toEqual(['b', 'a']);
    expect(serial.keys).toBe(0);
  });
});
