import { describe, expect, it } from 'vitest';
import { serviceErrors } from '../service-errors.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { untilAborted, withDeadline } from './index.ts';

describe('withDeadline', () => {
  it('gives the result when it comes in time, and leaves nothing behind', async () => {
    const clock = new VirtualClock();
    const outer = new AbortController();
    expect(await withDeadline({ clock, ms: 10, what: 'it', signal: outer.signal }, async () => 'done')).toBe(
      'done',
    );
    expect(clock.pending).toBe(0);
  });

  it('ends at the deadline, whether or not the task listens', async () => {
    const clock = new VirtualClock();
    let told: unknown;
    const result = withDeadline({ clock, ms: 10, what: 'the image pull' }, async (signal) => {
      await untilAborted(signal);
      told = signal.reason;
      await new Promise(() => undefined);
    });
    const failed = expect(result).rejects.toThrow('the image pull took longer than 10 ms');
    await clock.advance(10);
    await failed;
    expect(serviceErrors.is(told, 'DEADLINE_PASSED')).toBe(true);
  });

  it('ends with the outer signal, with its reason, and does not begin when that has aborted', async () => {
    const clock = new VirtualClock();
    const outer = new AbortController();
    const result = withDeadline(
      { clock, ms: 10, what: 'it', signal: outer.signal },
      () => new Promise(() => undefined),
    );
    outer.abort(new Error('shutdown'));
    await expect(result).rejects.toThrow('shutdown');
    expect(clock.pending).toBe(0);
    let begun = false;
    const late = withDeadline({ clock, ms: 10, what: 'it', signal: outer.signal }, async () => {
      begun = true;
    });
    await expect(late).rejects.toThrow('shutdown');
    expect(begun).toBe(false);
  });

  it('lets a failure through, and does not mind one that comes too late', async () => {
    const clock = new VirtualClock();
    await expect(
      withDeadline({ clock, ms: 10, what: 'it' }, () => Promise.reject(new Error('boom'))),
    ).rejects.toThrow('boom');
    const { promise, reject } = Promise.withResolvers<void>();
    const failed = expect(withDeadline({ clock, ms: 10, what: 'it' }, () => promise)).rejects.toThrow(
      'took longer',
    );
    await clock.advance(10);
    await failed;
    reject(new Error('too late'));
    await clock.advance(1);
  });
});

describe('untilAborted', () => {
  it('resolves with the abort, also when that has been before', async () => {
    const controller = new AbortController();
    const waiting = untilAborted(controller.signal);
    controller.abort();
    await waiting;
    await untilAborted(controller.signal);
  });
});
