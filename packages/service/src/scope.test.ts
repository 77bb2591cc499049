import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Scope } from './scope.ts';

const noFailure = (error: unknown): never => {
  throw error;
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

describe('Scope', () => {
  it('releases in reverse order, once, however often it is closed', async () => {
    const scope = new Scope('test', noFailure);
    const released: string[] = [];
    scope.defer(() => void released.push('first'));
    scope.defer(async () => void released.push('second'));
    await Promise.all([scope.close(), scope.close()]);
    expect(released).toEqual(['second', 'first']);
  });

  it('waits for its tasks and takes their end by abort for no failure', async () => {
    const scope = new Scope('test', noFailure);
    let ended = false;
    scope.spawn('waiter', async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      ended = true;
      throw signal.reason;
    });
    await scope.close();
    expect(ended).toBe(true);
  });

  it('reports a task that fails, and goes on', async () => {
    const failures: string[] = [];
    const scope = new Scope('test', (error, task) => failures.push(`${task}: ${(error as Error).message}`));
    scope.spawn('broken', async () => {
      throw new Error('boom');
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(failures).toEqual(['test: broken: boom']);
    expect(scope.closed).toBe(false);
    await scope.close();
  });

  it('closes its children with it, and forgets those that ended before', async () => {
    const scope = new Scope('parent', noFailure);
    const released: string[] = [];
    const early = scope.child('early');
    early.defer(() => void released.push('early'));
    await early.close();
    scope.child('late').defer(() => void released.push('late'));
    await scope.close();
    expect(released).toEqual(['early', 'late']);
  });

  it('runs every release even if one of them fails', async () => {
    const failures: unknown[] = [];
    const released: string[] = [];
    const scope = new Scope('test', (error) => failures.push(error));
    scope.defer(() => void released.push('reached'));
    scope.defer(() => {
      throw new Error('boom');
    });
    await scope.close();
    expect(released).toEqual(['reached']);
    expect(failures).toHaveLength(1);
  });

  it('releases at once what is registered after the end', async () => {
    const scope = new Scope('test', noFailure);
    await scope.close();
    let released = false;
    scope.defer(() => {
      released = true;
    });
    expect(released).toBe(true);
  });

  it('hears of a task that fails for a reason of its own while closing', async () => {
    const failures: string[] = [];
    const scope = new Scope('test', (error, task) => failures.push(`${task}: ${(error as Error).message}`));
    scope.spawn('stopper', async (signal) => {
      await aborted(signal);
      throw new Error('table not deleted');
    });
    scope.spawn('wrapped', async (signal) => {
      await aborted(signal);
      throw new Error('request failed', { cause: signal.reason });
    });
    await scope.close();
    expect(failures).toEqual(['test: stopper: table not deleted']);
  });

  it('takes a task that throws before its first await like any other', async () => {
    const failures: unknown[] = [];
    const scope = new Scope('test', (error) => failures.push(error));
    scope.spawn('hasty', () => {
      throw new Error('boom');
    });
    await scope.close();
    expect(failures).toHaveLength(1);
  });

  it('starts nothing once it is closing', async () => {
    const scope = new Scope('test', noFailure);
    const started: string[] = [];
    scope.defer(() => scope.spawn('late', async () => void started.push('late')));
    await scope.close();
    scope.spawn('later', async () => void started.push('later'));
    expect(started).toEqual([]);
  });

  it('waits for releases that are registered while it closes, also by those', async () => {
    const scope = new Scope('test', noFailure);
    const released: string[] = [];
    const nested = (depth: number) => async () => {
      await new Promise((resolve) => setImmediate(resolve));
      released.push(`depth ${depth}`);
      if (depth < 5) scope.defer(nested(depth + 1));
    };
    scope.spawn('opener', async (signal) => {
      await aborted(signal);
      scope.defer(nested(1));
    });
    await scope.close();
    expect(released).toEqual(['depth 1', 'depth 2', 'depth 3', 'depth 4', 'depth 5']);
  });

  it('does not release what a release before it took away', async () => {
    const scope = new Scope('test', noFailure);
    const released: string[] = [];
    const forget = scope.defer(() => void released.push('inner'));
    scope.defer(() => forget());
    await scope.close();
    expect(released).toEqual([]);
  });

  it('waits for a child that is already on its way down', async () => {
    const scope = new Scope('parent', noFailure);
    const child = scope.child('child');
    let released = false;
    child.defer(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      released = true;
    });
    child.stop();
    await scope.close();
    expect(released).toBe(true);
  });

  it('closes a child that is born too late at once', async () => {
    const scope = new Scope('parent', noFailure);
    await scope.close();
    const child = scope.child('late');
    expect(child.closed).toBe(true);
    await child.close();
  });

  it('hands its reason down to its children', async () => {
    const scope = new Scope('parent', noFailure);
    const child = scope.child('child');
    await scope.close(new Error('enough'));
    expect(child.signal.reason).toBe(scope.signal.reason);
  });

  it('can be stopped from inside one of its tasks', async () => {
    const scope = new Scope('test', noFailure);
    scope.spawn('supervisor', async () => {
      await Promise.resolve();
      scope.stop(new Error('discovery ended'));
    });
    await aborted(scope.signal);
    await scope.close();
    expect(scope.signal.reason).toEqual(new Error('discovery ended'));
  });

  it('names what its end is waiting for', async () => {
    const scope = new Scope('test', noFailure);
    const { promise, resolve } = Promise.withResolvers<void>();
    scope.defer(() => promise, 'nat teardown');
    scope.spawn('dhcp', () => promise);
    scope.stop();
    expect(scope.running).toEqual(['test: dhcp']);
    resolve();
    await scope.close();
    expect(scope.running).toEqual([]);
  });

  it('keeps nothing of what has ended: ten thousand children, tasks and releases later it is as it was', async () => {
    const scope = new Scope('test', noFailure);
    for (let round = 0; round < 10_000; round++) {
      const child = scope.child('lease');
      child.spawn('worker', async () => undefined);
      await child.close();
      scope.defer(() => undefined)();
    }
    expect(scope.running).toEqual([]);
    await scope.close();
  });

  it('aborts linked controllers with its reason, until they part', async () => {
    const scope = new Scope('test', noFailure);
    const [linked, parted, late] = [new AbortController(), new AbortController(), new AbortController()];
    scope.link(linked);
    scope.link(parted)();
    const reason = new Error('enough');
    let abortedBeforeRelease = false;
    scope.defer(() => {
      abortedBeforeRelease = linked.signal.aborted;
    });
    await scope.close(reason);
    scope.link(late);
    expect(abortedBeforeRelease).toBe(true);
    expect([linked, parted, late].map(({ signal }) => signal.reason)).toEqual([reason, undefined, reason]);
  });

  it('owns disposables, and lets a failing one not keep the others', async () => {
    const failures: unknown[] = [];
    const scope = new Scope('test', (error) => failures.push(error));
    const disposed: string[] = [];
    scope.own({ [Symbol.dispose]: () => void disposed.push('sync') });
    scope.own({ [Symbol.asyncDispose]: async () => void disposed.push('async') });
    scope.own({ [Symbol.asyncDispose]: () => Promise.reject(new Error('boom')) });
    await scope.close();
    expect(disposed).toEqual(['async', 'sync']);
    expect(failures).toHaveLength(1);
  });

  it('keeps its promises under any sequence: everything ends, every release runs once, the last one first', async () => {
    const steps = fc.array(fc.tuple(fc.constantFrom(...moves), fc.nat()), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const failures: unknown[] = [];
        const run: Run = {
          scopes: [],
          released: new Map(),
          registered: new Map(),
          begun: 0,
          ended: 0,
          failed: 0,
          next: 0,
        };
        const root = new Scope('root', (error) => failures.push(error));
        run.scopes.push(root);
        for (const [move, which] of taken) await move(run, run.scopes[which % run.scopes.length]!);
        await root.close();
        expect(run.scopes.every((scope) => scope.closed)).toBe(true);
        expect(root.running).toEqual([]);
        expect(run.ended).toBe(run.begun);
        expect(failures).toHaveLength(run.failed);
        for (const [scope, registered] of run.registered) {
          expect(run.released.get(scope)).toEqual(registered.toReversed());
        }
      }),
    );
  });
});

interface Run {
  readonly scopes: Scope[];
  readonly registered: Map<Scope, number[]>;
  readonly released: Map<Scope, number[]>;
  begun: number;
  ended: number;
  failed: number;
  next: number;
}

const noted = (list: Map<Scope, number[]>, scope: Scope, id: number): void => {
  list.set(scope, [...(list.get(scope) ?? []), id]);
};

async function task(run: Run, work: () => Promise<void>): Promise<void> {
  run.begun += 1;
  try {
    await work();
  } finally {
    run.ended += 1;
  }
}

/** What can happen to scopes, for the property. */
const moves: readonly ((run: Run, scope: Scope) => unknown)[] = [
  (run, scope) => {
    if (scope.closed) return;
    const id = run.next++;
    noted(run.registered, scope, id);
    scope.defer(async () => {
      await Promise.resolve();
      noted(run.released, scope, id);
    });
  },
  (run, scope) =>
    scope.spawn('obedient', (signal) =>
      task(run, async () => {
        await aborted(signal);
        throw signal.reason;
      }),
    ),
  (run, scope) => scope.spawn('short', () => task(run, async () => undefined)),
  (run, scope) => {
    if (scope.closed) return;
    run.failed += 1;
    scope.spawn('failing', () => task(run, () => Promise.reject(new Error('boom'))));
  },
  (run, scope) => run.scopes.push(scope.child('child')),
  (_, scope) => scope.stop(),
  (_, scope) => scope.close(),
  () => new Promise((resolve) => setImmediate(resolve)),
];
