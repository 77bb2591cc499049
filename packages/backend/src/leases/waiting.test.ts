/** What has changed when a message has its turn: the process may be ending, the lease may be another one. */
import { describe, expect, it } from 'vitest';
import type { Death } from '../lease/index.ts';
import { LeaseHost } from '../testing/lease-host.ts';
import { death, failure, item, newLease, opening, replace } from '../testing/leases.ts';

const { uuid } = newLease();

/** Has the lease look at a container until the returned function is called. */
function look(host: LeaseHost): () => void {
  const looking = Promise.withResolvers<Death | undefined>();
  host.work.confirmDeath = () => looking.promise;
  host.post(uuid, { kind: 'death', suspect: death });
  return () => looking.resolve(undefined);
}

describe('when the process ends', () => {
  it('a request that waits for its turn is refused, and nothing begins', async () => {
    await using host = new LeaseHost();
    await host.ready(uuid);
    const before = host.book.get(uuid);
    const started = host.work.started.length;
    const seen = look(host);
    const asked = host.ask(uuid, (id) => replace('RestartRequested', id));
    const refused = expect(asked).rejects.toThrow('test');
    const ended = host.scope.close();
    seen();
    await refused;
    await ended;
    expect(host.book.get(uuid)).toBe(before);
    expect(host.work.started).toHaveLength(started);
  });
});

describe('a close that did not succeed', () => {
  it('is not tried again when something else has been asked of the lease since', async () => {
    await using host = new LeaseHost();
    await host.ready(uuid);
    await host.closeInVain(uuid);
    await host.ask(uuid, (id) => replace('RestartRequested', id));
    await host.until('the restart runs', () => host.work.running.get(uuid)?.method === 'replace');
    host.work.running.get(uuid)?.end({ kind: 'failed', failure: failure(), logs: {} });
    await host.until('it has failed', () => host.book.get(uuid)?.status === 'failed');
    await host.settled();
    const started = host.work.started.length;
    await host.clock.advance(3_600_000);
    await host.settled();
    expect(host.work.started).toHaveLength(started);
    await host.crash();
    expect([host.work.started, host.book.get(uuid)?.status]).toEqual([[], 'failed']);
  });
});

describe('a finding', () => {
  it('of the look that follows on `ready` is a death like any other, although nothing was heard of it', async () => {
    await using host = new LeaseHost();
    await host.ask(uuid, (id) => opening('ProvisionRequested', id));
    await host.until('the work runs', () => host.work.running.has(uuid));
    host.work.dead.set(uuid, death);
    host.work.running.get(uuid)?.end({ kind: 'provisioned', items: [item()] });
    await host.until('it is being diagnosed', () => host.work.running.get(uuid)?.method === 'diagnose');
    expect(host.transitions.slice(-2)).toEqual([
      'provisioning ProvisionCompleted ready',
      'ready ContainerDied failing',
    ]);
  });

  it('about a lease that has changed since is void', async () => {
    await using host = new LeaseHost();
    await host.ready(uuid);
    const basis = host.book.get(uuid);
    if (basis === undefined) throw new Error('there is no lease');
    await host.ask(uuid, (id) => replace('RestartRequested', id));
    await host.until('the work runs', () => host.work.running.has(uuid));
    host.work.running.get(uuid)?.end({ kind: 'replaced', images: {} });
    await host.until('it is ready again', () => host.book.get(uuid)?.status === 'ready');
    host.post(uuid, { kind: 'fact', event: { name: 'ContainersRemoved' }, basis, logs: {} });
    await host.settled();
    expect(host.book.get(uuid)?.status).toBe('ready');
  });
});
