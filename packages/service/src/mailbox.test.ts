import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Mailbox } from './mailbox.ts';
import { Scope } from './scope.ts';
import { serviceErrors } from './service-errors.ts';
import { VirtualClock } from './virtual-clock.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A mailbox whose handlers end when the test says so. */
function mailbox(capacity = 2) {
  const clock = new VirtualClock();
  const scope = new Scope('test', (error) => {
    throw error;
  });
  const started: number[] = [];
  const errors: unknown[] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  let atOnce = 0;
  const box = new Mailbox<number>(scope, {
    name: 'lease',
    capacity,
    clock,
    onError: (error) => errors.push(error),
    handle: async (message, signal) => {
      started.push(message);
      atOnce += 1;
      expect(atOnce).toBe(1);
      const gate = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => gate.reject(signal.reason));
      gates.push(gate);
      await gate.promise.finally(() => {
        atOnce -= 1;
      });
    },
  });
  const finish = async () => {
    gates.shift()?.resolve();
    await settle();
  };
  return { box, scope, clock, started, errors, gates, finish };
}

describe('Mailbox', () => {
  it('handles one message at a time, in order', async () => {
    const { box, started, finish } = mailbox();
    expect(box.tryPost(1)).toBe(true);
    expect(box.tryPost(2)).toBe(true);
    await settle();
    expect(started).toEqual([1]);
    await finish();
    expect(started).toEqual([1, 2]);
  });

  it('never handles inside the call of the sender', () => {
    const { box, started } = mailbox();
    box.tryPost(1);
    expect(started).toEqual([]);
  });

  it('refuses at once what does not fit, and lets a patient sender wait for its turn', async () => {
    const { box, started, finish } = mailbox(1);
    box.tryPost(1);
    await settle();
    expect(box.tryPost(2)).toBe(true);
    expect(box.tryPost(3)).toBe(false);
    const third = box.post(3);
    const fourth = box.post(4);
    await finish();
    await third;
    expect(box.tryPost(5)).toBe(false);
    await finish();
    await fourth;
    await finish();
    await finish();
    expect(started).toEqual([1, 2, 3, 4]);
  });

  it('lets a sender give up waiting, without a trace', async () => {
    const { box, started, finish } = mailbox(1);
    box.tryPost(1);
    await settle();
    box.tryPost(2);
    const controller = new AbortController();
    const third = box.post(3, controller.signal);
    controller.abort(new Error('caller left'));
    await expect(third).rejects.toThrow('caller left');
    await expect(box.post(4, controller.signal)).rejects.toThrow('caller left');
    await finish();
    await finish();
    expect(started).toEqual([1, 2]);
  });

  it('is not disturbed by a sender who leaves after its message was taken in', async () => {
    const { box, started, finish } = mailbox(1);
    box.tryPost(1);
    await settle();
    box.tryPost(2);
    const controller = new AbortController();
    const third = box.post(3, controller.signal);
    const fourth = box.post(4);
    await finish();
    await third;
    controller.abort(new Error('too late'));
    await finish();
    await fourth;
    await finish();
    await finish();
    expect(started).toEqual([1, 2, 3, 4]);
  });

  it('goes on after a handler that fails', async () => {
    const { box, started, errors, gates, finish } = mailbox();
    box.tryPost(1);
    box.tryPost(2);
    await settle();
    gates.shift()?.reject(new Error('boom'));
    await settle();
    expect(errors).toEqual([new Error('boom')]);
    expect(started).toEqual([1, 2]);
    await finish();
    await box.close('drain');
  });

  it('drains: handles what it has, refuses what comes and those who still wait outside', async () => {
    const { box, started, finish } = mailbox(1);
    box.tryPost(1);
    await settle();
    box.tryPost(2);
    const outside = box.post(3);
    const closed = box.close('drain');
    await expect(outside).rejects.toSatisfy((error) => serviceErrors.is(error, 'MAILBOX_CLOSED'));
    expect(box.tryPost(4)).toBe(false);
    await expect(box.post(5)).rejects.toThrow('lease takes no more messages');
    await finish();
    await finish();
    await closed;
    expect(started).toEqual([1, 2]);
  });

  it('aborts: tells the running handler, forgets the rest, and can cut a drain short', async () => {
    const { box, started, errors } = mailbox();
    box.tryPost(1);
    box.tryPost(2);
    await settle();
    const draining = box.close('drain');
    await box.close('abort');
    await draining;
    expect(started).toEqual([1]);
    expect(errors).toHaveLength(1);
  });

  it('drains when its scope closes, and leaves nothing in a scope that it left before', async () => {
    const { box, scope, started, finish } = mailbox();
    box.tryPost(1);
    const closed = scope.close();
    await settle();
    expect(box.closed).toBe(true);
    await finish();
    await closed;
    expect(started).toEqual([1]);
  });

  it('takes nothing in when its scope is closed from the start', async () => {
    const scope = new Scope('test', () => undefined);
    await scope.close();
    const options = { name: 'late', capacity: 1, handle: () => undefined, onError: () => undefined };
    const box = new Mailbox(scope, { ...options, clock: new VirtualClock() });
    expect(box.tryPost('x')).toBe(false);
    await box.close('drain');
  });

  it('tells since when it has been busy', async () => {
    const { box, clock, finish } = mailbox();
    expect(box.busySinceMs).toBeUndefined();
    await clock.advance(7);
    box.tryPost(1);
    await settle();
    await clock.advance(100);
    expect(box.busySinceMs).toBe(7);
    await finish();
    expect(box.busySinceMs).toBeUndefined();
  });

  it('keeps its promises under any interleaving: order, one at a time, bounded, nothing taken in is lost', async () => {
    const steps = fc.array(fc.constantFrom(...moves), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), async (taken, capacity) => {
        const run = { ...mailbox(capacity), accepted: [], outcomes: [], next: 0 };
        for (const move of taken) {
          await move(run);
          expect(run.box.depth).toBeLessThanOrEqual(capacity);
        }
        const closed = run.box.close('drain');
        await Promise.all(run.outcomes);
        while (run.started.length < run.accepted.length || run.gates.length > 0) await run.finish();
        await closed;
        expect(run.started).toEqual(run.accepted.toSorted((a, b) => a - b));
      }),
    );
  });
});

interface Run extends ReturnType<typeof mailbox> {
  readonly accepted: number[];
  readonly outcomes: Promise<unknown>[];
  next: number;
}

function post(run: Run, signal?: AbortSignal): void {
  const message = run.next++;
  const accept = () => run.accepted.push(message);
  run.outcomes.push(run.box.post(message, signal).then(accept, () => undefined));
}

/** What can happen to a mailbox, for the property. */
const moves: readonly ((run: Run) => unknown)[] = [
  (run) => run.box.tryPost(run.next) && run.accepted.push(run.next++),
  (run) => post(run),
  (run) => {
    const controller = new AbortController();
    post(run, controller.signal);
    controller.abort();
  },
  ({ gates }) => gates.shift()?.resolve(),
  ({ gates }) => gates.shift()?.reject(new Error('boom')),
  settle,
];
