import { describe, expect, it } from 'vitest';
import type { Sys } from '../sys/index.ts';
import { startTicksOf } from './process.ts';
import { NamespaceThread } from './thread.ts';

const HOME = 100;
const EPERM = 1;

/** A thread that moves between namespaces by number, and may be refused. */
function fakeThread(refuse: (fd: number) => boolean = () => false) {
  const trail: number[] = [];
  const calls: Pick<Sys, 'open' | 'setns' | 'unshare'> = {
    open: () => HOME,
    unshare: () => 0,
    setns(fd) {
      if (refuse(fd)) return -EPERM;
      trail.push(fd);
      return 0;
    },
  };
  const deaths: string[] = [];
  const thread = new NamespaceThread(calls as Sys, (why) => {
    deaths.push(why);
    throw new Error('died');
  });
  return { thread, trail, deaths };
}

describe('NamespaceThread', () => {
  it('goes there and comes back', () => {
    const { thread, trail } = fakeThread();
    expect(thread.run(7, () => 'answer')).toBe('answer');
    expect(trail).toEqual([7, HOME]);
  });

  it('does not move at all for home', () => {
    const { thread, trail } = fakeThread();
    expect(thread.run(undefined, () => 1)).toBe(1);
    expect(trail).toEqual([]);
  });

  it('comes back when the piece throws', () => {
    const { thread, trail } = fakeThread();
    expect(() =>
      thread.run(7, () => {
        throw new Error('boom');
      }),
    ).toThrow('boom');
    expect(trail).toEqual([7, HOME]);
  });

  it('comes back to the outer namespace from an inner one, also from home inside', () => {
    const { thread, trail } = fakeThread();
    thread.run(7, () => {
      thread.run(8, () => thread.run(undefined, () => trail.push(-1)));
      thread.run(7, () => trail.push(-2));
    });
    expect(trail).toEqual([7, 8, HOME, -1, 8, 7, -2, HOME]);
  });

  it('ends the process when it cannot come back', () => {
    let left = false;
    const { thread, deaths } = fakeThread((fd) => left && fd === HOME);
    expect(() =>
      thread.run(7, () => {
        left = true;
      }),
    ).toThrow('died');
    expect(deaths).toEqual(['setns failed: EPERM']);
  });

  it('says so when it is not let in, and is at home then', () => {
    const { thread, trail } = fakeThread((fd) => fd === 7);
    expect(() => thread.run(7, () => 1)).toThrow(/entering a network namespace failed: EPERM/);
    expect(trail).toEqual([HOME]);
    expect(thread.run(8, () => 1)).toBe(1);
  });

  it('refuses a piece that goes on after it came back', () => {
    const { thread, trail } = fakeThread();
    expect(() => thread.run(7, async () => 1)).toThrow(expect.objectContaining({ code: 'NAMESPACE_ASYNC' }));
    expect(trail).toEqual([7, HOME]);
  });
});

describe('startTicksOf', () => {
  const rest = 'S 1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 987654321 0 0';

  it.each([
    'cat',
    'a b',
    'x) S 1',
    '((',
    ') 1 2 3',
  ])('finds the start time behind the command %j', (command) => {
    expect(startTicksOf(`42 (${command}) ${rest}`)).toBe('987654321');
  });

  it('finds none in a cut line', () => {
    expect(startTicksOf('42 (cat) S 1')).toBeUndefined();
    expect(startTicksOf('')).toBeUndefined();
  });
});
