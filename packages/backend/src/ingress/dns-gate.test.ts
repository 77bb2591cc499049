import { VirtualClock } from '@berth/service';
import { describe, expect, it } from 'vitest';
import { domainResolves, quorumOf } from './dns-gate.ts';

const resolvers = (count: number): string[] => Array.from({ length: count }, (_, n) => `10.0.0.${n}:53`);
const never = new AbortController().signal;

describe('the quorum', () => {
  it.each([
    [1, 0, 1],
    [2, 0, 2],
    [3, 0, 2],
    [4, 0, 3],
    [5, 0, 3],
    [3, 9, 3],
    [3, 2, 2],
    [3, -1, 1],
  ])('of %d resolvers, configured %d, is %d', (count, quorum, expected) => {
    expect(quorumOf({ resolvers: resolvers(count), quorum })).toBe(expected);
  });
});

describe('a domain is ready', () => {
  const ask = (answers: Readonly<Record<string, boolean | 'fails' | 'hangs'>>, called: string[] = []) => {
    return async (_: string, resolver: string, signal: AbortSignal): Promise<boolean> => {
      called.push(resolver);
      const answer = answers[resolver];
      if (answer === 'fails') throw new Error('SERVFAIL');
      if (answer === 'hangs')
        return await new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason)),
        );
      return answer ?? false;
    };
  };
  const three = { resolvers: ['a', 'b', 'c'], quorum: 2 };
  const clock = new VirtualClock();

  it('when enough resolvers know it, whatever the others say', async () => {
    expect(await domainResolves('x.y', three, clock, never, ask({ a: true, b: false, c: true }))).toBe(true);
    expect(await domainResolves('x.y', three, clock, never, ask({ a: true, b: 'fails', c: 'fails' }))).toBe(
      false,
    );
    expect(await domainResolves('x.y', { resolvers: [], quorum: 0 }, clock, never, ask({}))).toBe(false);
  });

  it('or not as soon as that is certain, without waiting for the rest', async () => {
    expect(await domainResolves('x.y', three, clock, never, ask({ a: true, b: true, c: 'hangs' }))).toBe(
      true,
    );
    expect(await domainResolves('x.y', three, clock, never, ask({ a: 'hangs', b: false, c: false }))).toBe(
      false,
    );
    expect(clock.pending).toBe(0);
  });

  it('not when nobody answers for 5 seconds', async () => {
    const asked = domainResolves('x.y', three, clock, never, ask({ a: 'hangs', b: 'hangs', c: 'hangs' }));
    await clock.advance(5000);
    expect(await asked).toBe(false);
  });

  it('and whoever asks can stop asking', async () => {
    const controller = new AbortController();
    const asked = domainResolves(
      'x.y',
      three,
      clock,
      controller.signal,
      ask({ a: 'hangs', b: 'hangs', c: 'hangs' }),
    );
    controller.abort(new Error('shutting down'));
    await expect(asked).rejects.toThrow('shutting down');
  });
});
