import { VirtualClock } from '@berth/service';
import { describe, expect, it } from 'vitest';
import { ImagePulls } from './pulls.ts';

function bench(parallel = 2) {
  const clock = new VirtualClock();
  const started: string[] = [];
  const ends = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();
  const aborted: string[] = [];
  const observed: number[] = [];
  const pulls = new ImagePulls({
    clock,
    timeoutMs: 60_000,
    parallel,
    observe: (seconds) => void observed.push(seconds),
    images: {
      pull: (image, options) => {
        started.push(image);
        return new Promise((resolve, reject) => {
          ends.set(image, { resolve, reject });
          options?.signal?.addEventListener('abort', () => {
            aborted.push(image);
            reject(options.signal?.reason);
          });
        });
      },
    },
  });
  return { clock, pulls, started, ends, aborted, observed };
}

const never = new AbortController().signal;

describe('pulls', () => {
  it('of one image are one, and all who asked get its result; the next asks the registry again', async () => {
    const { pulls, started, ends, observed, clock } = bench();
    const all = [1, 2, 3].map(() => pulls.pull('nginx', never));
    await clock.advance(3000);
    ends.get('nginx')?.resolve();
    await Promise.all(all);
    expect([started, observed]).toEqual([['nginx'], [3]]);
    const failing = [1, 2].map(() => pulls.pull('nginx', never));
    await clock.advance(0);
    ends.get('nginx')?.reject(new Error('manifest unknown'));
    expect((await Promise.allSettled(failing)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(started).toEqual(['nginx', 'nginx']);
    expect(observed).toHaveLength(1);
  });

  it('are not more than so many at a time', async () => {
    const { pulls, started, ends, clock } = bench(2);
    const all = ['a', 'b', 'c'].map((image) => pulls.pull(image, never));
    await clock.advance(0);
    expect(started).toEqual(['a', 'b']);
    ends.get('a')?.resolve();
    await clock.advance(0);
    expect(started).toEqual(['a', 'b', 'c']);
    for (const image of ['b', 'c']) ends.get(image)?.resolve();
    await Promise.all(all);
  });

  it('go on for those who still wait when one gives up, and are called off when nobody does', async () => {
    const { pulls, started, ends, aborted, clock } = bench();
    const first = new AbortController();
    const second = new AbortController();
    const asked = [pulls.pull('nginx', first.signal), pulls.pull('nginx', second.signal)];
    await clock.advance(0);
    first.abort(new Error('preempted'));
    await expect(asked[0]).rejects.toThrow('preempted');
    expect(aborted).toEqual([]);
    second.abort(new Error('preempted'));
    await expect(asked[1]).rejects.toThrow('preempted');
    expect(aborted).toEqual(['nginx']);
    const again = pulls.pull('nginx', never);
    await clock.advance(0);
    ends.get('nginx')?.resolve();
    await again;
    expect(started).toEqual(['nginx', 'nginx']);
  });

  it('that take too long fail', async () => {
    const { pulls, clock, aborted } = bench();
    const asked = expect(pulls.pull('nginx', never)).rejects.toThrow(
      'the pull of nginx took longer than 60000 ms',
    );
    await clock.advance(60_000);
    await asked;
    expect(aborted).toEqual(['nginx']);
  });
});
