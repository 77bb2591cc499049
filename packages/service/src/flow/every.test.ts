import { describe, expect, it } from 'vitest';
import { Scope } from '../scope.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { every } from './index.ts';

describe('every', () => {
  it('makes its rounds with a pause between them, goes on after one that fails, and ends with its scope', async () => {
    const clock = new VirtualClock();
    const scope = new Scope('test', (error) => {
      throw error;
    });
    const rounds: number[] = [];
    const errors: unknown[] = [];
    every(scope, {
      name: 'poll',
      clock,
      everyMs: 30,
      atOnce: false,
      onError: (error) => errors.push(error),
      run: async () => {
        rounds.push(clock.monotonic());
        await new Promise<void>((resolve) => clock.after(5, resolve));
        if (rounds.length === 2) throw new Error('list failed');
      },
    });
    await clock.advance(110);
    expect(rounds).toEqual([30, 65, 100]);
    expect(errors).toEqual([new Error('list failed')]);
    const closed = scope.close();
    await clock.advance(5);
    await closed;
    expect(clock.pending).toBe(0);
  });

  it('begins at once when it is told to', async () => {
    const clock = new VirtualClock();
    const scope = new Scope('test', () => undefined);
    let rounds = 0;
    const run = async () => {
      rounds += 1;
    };
    every(scope, { name: 'poll', clock, everyMs: 30, atOnce: true, run, onError: () => undefined });
    await clock.advance(0);
    expect(rounds).toBe(1);
    await scope.close();
  });
});
