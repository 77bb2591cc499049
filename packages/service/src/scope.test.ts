import { describe, expect, it } from 'vitest';
import { Scope } from './scope.ts';

const noFailure = (error: unknown): never => {
  throw error;
};

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
});
