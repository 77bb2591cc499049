import { describe, expect, it } from 'vitest';
import type { Lease } from '../lease/index.ts';
import { LeaseHost } from '../testing/lease-host.ts';
import { death, failure, item, newLease, opening, replace } from '../testing/leases.ts';

const uuid = newLease().uuid;
const provisionOf = (id: string) => (operationId: string) =>
  opening('ProvisionRequested', operationId, newLease({ uuid: id }));
const provision = provisionOf(uuid);
const restart = (operationId: string) => replace('RestartRequested', operationId);
const update = (operationId: string) => replace('UpdateRequested', operationId);
const logs = { 'web/0': 'boom' };

describe('a lease', () => {
  it('is provisioned, found dead, diagnosed, restarted and closed, and its caller is told each time once', async () => {
    await using host = new LeaseHost();
    await host.ready(uuid);
    expect(host.diagnostics).toEqual([`drop ${uuid}`]);
    host.work.dead.set(uuid, death);
    host.post(uuid, { kind: 'death', suspect: death });
    await host.until('it is being diagnosed', () => host.work.running.get(uuid)?.method === 'diagnose');
    expect(host.book.get(uuid)).toMatchObject({ status: 'failing', failCount: 1 });
    host.work.running.get(uuid)?.end({ detail: 'exit_code=1', logs });
    await host.until('it has failed', () => host.book.get(uuid)?.status === 'failed');
    await host.settled();
    host.work.dead.clear();
    await host.ask(uuid, restart);
    expect(host.book.get(uuid)?.status).toBe('restarting');
    await host.settled();
    host.work.running.get(uuid)?.end({ kind: 'replaced', images: { web: 'nginx' } });
    await host.until('it is ready', () => host.book.get(uuid)?.status === 'ready');
    const closing = host.close(uuid);
    await host.until('the close runs', () => host.work.running.get(uuid)?.method === 'deprovision');
    host.work.running.get(uuid)?.end({ kind: 'closed', retained: false });
    await closing;
    await host.settled();
    expect(host.told).toEqual([
      `${uuid} success`,
      `${uuid} failed container exited unexpectedly`,
      `${uuid} success`,
      `${uuid} deprovisioned`,
    ]);
    expect(host.diagnostics.slice(1)).toEqual([`keep ${uuid} ContainerExited web/0`]);
    expect(host.book.size).toBe(0);
    expect(host.pool.usage.allocations).toBe(0);
    expect(host.registry.snapshot()).toEqual([]);
    expect([...host.store.leases.all()]).toEqual([]);
  });

  it('can be provisioned again under the same id after its close', async () => {
    await using host = new LeaseHost();
    await host.ready(uuid);
    const closing = host.close(uuid);
    const again = expect(host.ask(uuid, provision)).rejects.toThrow('refused in deprovisioning');
    await host.until('the close runs', () => host.work.running.get(uuid)?.method === 'deprovision');
    await again;
    host.work.running.get(uuid)?.end({ kind: 'closed', retained: false });
    await closing;
    await host.settled();
    await host.ready(uuid);
    expect(host.counts.created).toBe(2);
  });

  it('that does not exist is closed at once, and its caller is told nothing', async () => {
    await using host = new LeaseHost();
    await host.close(uuid);
    expect(host.told).toEqual([]);
    expect(host.registry.snapshot()).toEqual([]);
  });

  it('gives its reservation back when provisioning fails, and takes it again for a restart', async () => {
    await using host = new LeaseHost();
    await host.ask(uuid, provision);
    expect(host.pool.usage.allocations).toBe(1);
    host.work.running.get(uuid)?.end({ kind: 'failed', failure: failure(), logs });
    await host.until('it has failed', () => host.book.get(uuid)?.status === 'failed');
    await host.settled();
    expect(host.pool.usage.allocations).toBe(0);
    await host.ask(uuid, restart);
    expect(host.pool.usage.allocations).toBe(1);
  });
});

describe('one operation at a time', () => {
  it('exactly one of two provisions that come at once is accepted', async () => {
    await using host = new LeaseHost();
    const answers = await Promise.allSettled([host.ask(uuid, provision), host.ask(uuid, provision)]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(host.work.started).toHaveLength(1);
    expect(host.pool.usage.allocations).toBe(1);
  });

  it('the loser of two restarts starts nothing, leaves no release, and does not disturb the winner', async () => {
    await using host = new LeaseHost();
    await host.ready(uuid);
    const answers = await Promise.allSettled([host.ask(uuid, restart), host.ask(uuid, update)]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(host.store.list(uuid).map(({ version, status }) => `${version} ${status}`)).toEqual([
      '1 active',
      '2 deploying',
    ]);
    expect(host.work.running.get(uuid)?.stop.aborted).toBe(false);
    host.work.running.get(uuid)?.end({ kind: 'replaced', images: {} });
    await host.until('the winner is done', () => host.book.get(uuid)?.status === 'ready');
    expect(host.store.list(uuid).map(({ status }) => status)).toEqual(['superseded', 'active']);
  });

  it.each([
    ['provision', async (host: LeaseHost) => host.ask(uuid, provision)],
    [
      'restart',
      async (host: LeaseHost) => {
        await host.ready(uuid);
        await host.ask(uuid, restart);
      },
    ],
    [
      'diagnosis',
      async (host: LeaseHost) => {
        await host.ready(uuid);
        host.work.dead.set(uuid, death);
        host.post(uuid, { kind: 'death', suspect: death });
        await host.until('it is being diagnosed', () => host.work.running.get(uuid)?.method === 'diagnose');
      },
    ],
  ])('a close preempts a %s: stops it, waits for its end, and only its own callback follows', async (_, begin) => {
    await using host = new LeaseHost();
    await begin(host);
    await host.until('the work runs', () => host.work.running.has(uuid));
    const told = host.told.length;
    const preempted = host.work.running.get(uuid);
    const closing = host.close(uuid);
    await host.until('the close runs', () => host.work.running.get(uuid)?.method === 'deprovision');
    expect(preempted?.stop.aborted).toBe(true);
    host.work.running.get(uuid)?.end({ kind: 'closed', retained: false });
    await closing;
    expect(host.told.slice(told)).toEqual([`${uuid} deprovisioned`]);
    expect(host.counts.workPanics, 'work that was told to stop has not crashed').toBe(0);
  });

  it('an outcome that was in the inbox before the close is void', async () => {
    await using host = new LeaseHost();
    await host.ask(uuid, provision);
    await host.until('the work runs', () => host.work.running.has(uuid));
    const closing = host.close(uuid);
    host.work.running.get(uuid)?.end({ kind: 'provisioned', items: [item()] });
    await host.until('the close runs', () => host.work.running.get(uuid)?.method === 'deprovision');
    host.work.running.get(uuid)?.end({ kind: 'closed', retained: false });
    await closing;
    expect(host.told).toEqual([`${uuid} deprovisioned`]);
  });

  it('goes on after its patience with work that does not stop', async () => {
    await using host = new LeaseHost();
    await host.ask(uuid, provision);
    await host.until('the work runs', () => host.work.running.has(uuid));
    host.work.deaf = true;
    const zombie = host.work.running.get(uuid);
    const closing = host.close(uuid);
    await host.until('it is closing', () => host.book.get(uuid)?.status === 'deprovisioning');
    host.work.running.delete(uuid);
    await host.clock.advance(180_000);
    await host.until('the close runs', () => host.work.running.get(uuid)?.method === 'deprovision');
    host.work.running.get(uuid)?.end({ kind: 'closed', retained: false });
    await closing;
    zombie?.end({ kind: 'provisioned', items: [item()] });
    await host.settled();
    expect(host.told).toEqual([`${uuid} deprovisioned`]);
    expect(host.logs.messages('error')).toContain('work did not stop in time, going on without it');
  });

  it('fifty deaths at once are taken in without waiting for one another', async () => {
    await using host = new LeaseHost();
    const ids = Array.from({ length: 50 }, (_, n) => `lease-${n}`);
    for (const id of ids) await host.ready(id);
    for (const id of ids) host.work.dead.set(id, death);
    expect(ids.map((id) => host.post(id, { kind: 'death', suspect: death }))).not.toContain(false);
    await host.until('all are being diagnosed', () => host.work.running.size === 50);
  });

  it('a flood on one lease is refused when its inbox is full, and blocks nobody', async () => {
    await using host = new LeaseHost();
    await host.ready(uuid);
    const taken = Array.from({ length: 50 }, () => host.post(uuid, { kind: 'death', suspect: death }));
    expect(taken.filter(Boolean)).toHaveLength(16);
    await host.settled();
    expect(host.book.get(uuid)?.status).toBe('ready');
  });
});

describe('a caller that gives up', () => {
  it('before its turn comes has asked for nothing', async () => {
    await using host = new LeaseHost();
    const controller = new AbortController();
    const asked = host.ask(uuid, provision, controller.signal);
    controller.abort(new Error('client gone'));
    await expect(asked).rejects.toThrow('client gone');
    await host.settled();
    expect(host.book.size).toBe(0);
    expect(host.pool.usage.allocations).toBe(0);
  });

  it('waiting for a close does not stop the close', async () => {
    await using host = new LeaseHost();
    await host.ready(uuid);
    const controller = new AbortController();
    const closing = host.close(uuid, controller.signal);
    await host.until('the close runs', () => host.work.running.get(uuid)?.method === 'deprovision');
    controller.abort(new Error('client gone'));
    await expect(closing).rejects.toThrow('client gone');
    const repeated = host.close(uuid);
    host.work.running.get(uuid)?.end({ kind: 'closed', retained: false });
    await repeated;
    expect(host.told.at(-1)).toBe(`${uuid} deprovisioned`);
  });
});

describe('what goes wrong', () => {
  it('in the work itself fails the lease as an internal error', async () => {
    await using host = new LeaseHost();
    await host.ask(uuid, provision);
    await host.until('the work runs', () => host.work.running.has(uuid));
    host.work.running.get(uuid)?.crash(new TypeError('undefined is not a function'));
    await host.until('it has failed', () => host.book.get(uuid)?.status === 'failed');
    await host.settled();
    expect(host.told).toEqual([`${uuid} failed internal error`]);
    expect(host.book.get(uuid)?.failure?.reason).toBe('Internal');
    expect(host.counts.workPanics).toBe(1);
  });

  it('while a message is handled answers the one who waits, and the next message is handled', async () => {
    await using host = new LeaseHost();
    await expect(
      host.ask(uuid, () => {
        throw new Error('boom');
      }),
    ).rejects.toThrow('boom');
    await host.ready(uuid);
  });

  it('in a close leaves the lease failed, tells its caller nothing, and is tried again by itself', async () => {
    await using host = new LeaseHost();
    await host.ready(uuid);
    const closing = host.close(uuid);
    await host.until('the close runs', () => host.work.running.get(uuid)?.method === 'deprovision');
    const cleanup = failure({ reason: 'CleanupFailed', message: 'cleanup failed', detail: 'device busy' });
    host.work.running.get(uuid)?.end({ kind: 'failed', failure: cleanup });
    await expect(closing).rejects.toThrow('device busy');
    expect(host.book.get(uuid)).toMatchObject({ status: 'failed', failure: { reason: 'CleanupFailed' } });
    expect(host.pool.usage.allocations).toBe(1);
    const runs = (): boolean => host.work.running.get(uuid)?.method === 'deprovision';
    const againAfter = async (pauseMs: number): Promise<void> => {
      await host.clock.advance(pauseMs - 1);
      await host.settled();
      expect(runs(), `before ${pauseMs} ms`).toBe(false);
      await host.clock.advance(1);
      await host.until('the close runs again', runs);
    };
    await againAfter(30_000);
    host.work.running.get(uuid)?.end({ kind: 'failed', failure: cleanup });
    await host.until('it has failed again', () => host.book.get(uuid)?.status === 'failed');
    await host.settled();
    await againAfter(60_000);
    host.work.running.get(uuid)?.end({ kind: 'closed', retained: false });
    await host.until('it is gone', () => host.book.size === 0);
    await host.settled();
    expect(host.told).toEqual([`${uuid} success`, `${uuid} deprovisioned`]);
  });

  it('when a close is given up is told as a failure, and the lease is gone', async () => {
    await using host = new LeaseHost();
    await host.ready(uuid);
    const closing = host.close(uuid);
    await host.until('the close runs', () => host.work.running.get(uuid)?.method === 'deprovision');
    const exhausted = failure({ reason: 'VolumeCleanupExhausted', message: 'volume cleanup exhausted' });
    host.work.running.get(uuid)?.end({ kind: 'exhausted', failure: exhausted });
    await closing;
    expect(host.told.at(-1)).toBe(`${uuid} failed volume cleanup exhausted`);
    expect(host.diagnostics.at(-1)).toBe(`keep ${uuid} VolumeCleanupExhausted `);
    expect(host.book.size).toBe(0);
  });

  it('with the disk keeps an outcome until it can be written, and a request is answered with the error', async () => {
    await using host = new LeaseHost();
    await host.ask(uuid, provision);
    await host.until('the work runs', () => host.work.running.has(uuid));
    const file = host.store.file;
    const pages = Number(file.prepare('PRAGMA page_count').get()?.['page_count']);
    file.prepare(`PRAGMA max_page_count = ${pages}`).get();
    const fill = file.prepare('INSERT INTO lease_terms (uuid, terms) VALUES (?, ?)');
    expect(() => {
      for (let n = 0; n < 1000; n++) fill.run(`filler-${n}`, 'x'.repeat(500));
    }).toThrow('full');
    const big = newLease({ uuid: 'other', tenant: 't'.repeat(9000) });
    await expect(host.ask('other', (id) => opening('ProvisionRequested', id, big))).rejects.toThrow('full');
    expect(host.book.get('other')).toBeUndefined();
    expect(host.pool.held('other')).toEqual([]);
    const detail = 'y'.repeat(9000);
    host.work.running.get(uuid)?.end({ kind: 'failed', failure: failure({ detail }), logs });
    await host.until('it was tried', () => host.logs.messages('error').length > 0);
    await host.settled();
    expect(host.book.get(uuid)?.status).toBe('provisioning');
    file.prepare('PRAGMA max_page_count = 100000').get();
    await host.clock.advance(5000);
    await host.until('it has failed', () => host.book.get(uuid)?.status === 'failed');
    await host.settled();
    expect(host.told).toEqual([`${uuid} failed container creation failed`]);
  });

  it('with the outbox is told anyway, and again after a restart', async () => {
    await using host = new LeaseHost();
    await host.ask(uuid, provision);
    host.outboxFull = true;
    host.work.running.get(uuid)?.end({ kind: 'provisioned', items: [item()] });
    await host.until('it is ready', () => host.book.get(uuid)?.status === 'ready');
    await host.settled();
    expect(host.told).toEqual([`${uuid} (not stored) success`]);
    host.outboxFull = false;
    await host.crash();
    expect(host.told).toEqual([`${uuid} (not stored) success`, `${uuid} success`]);
  });
});

describe('after a restart of the process', () => {
  const at = (host: LeaseHost): Lease | undefined => host.book.get(uuid);

  it('an interrupted operation is taken up again, with the same identity', async () => {
    await using host = new LeaseHost();
    await host.ask(uuid, provision);
    const operation = at(host)?.operation?.id;
    await host.crash();
    expect(at(host)).toMatchObject({ status: 'provisioning', operation: { id: operation, resumed: 1 } });
    expect(host.work.started).toEqual([`provision ${operation}`]);
    expect(host.pool.usage.allocations).toBe(1);
    host.work.running.get(uuid)?.end({ kind: 'provisioned', items: [item()] });
    await host.until('it is ready', () => at(host)?.status === 'ready');
    await host.settled();
    expect(host.told).toEqual([`${uuid} success`]);
  });

  it('an operation that was interrupted again and again is given up, and the caller told', async () => {
    await using host = new LeaseHost();
    await host.ready(uuid);
    await host.ask(uuid, update);
    for (let times = 0; times < 4; times++) await host.crash();
    expect(at(host)).toMatchObject({ status: 'failed', failure: { reason: 'Internal' } });
    expect(host.told).toEqual([`${uuid} success`, `${uuid} failed internal error`]);
    expect(host.store.list(uuid).at(-1)).toMatchObject({ status: 'failed', reason: 'Internal' });
  });

  it('a close goes on, however often it was interrupted', async () => {
    await using host = new LeaseHost();
    await host.ready(uuid);
    host.close(uuid).catch(() => undefined);
    await host.until('the close runs', () => host.work.running.get(uuid)?.method === 'deprovision');
    for (let times = 0; times < 6; times++) await host.crash();
    host.work.running.get(uuid)?.end({ kind: 'closed', retained: false });
    await host.until('it is gone', () => host.book.size === 0);
    await host.settled();
    expect(host.told.at(-1)).toBe(`${uuid} deprovisioned`);
  });

  it('a close that had failed is tried again at once', async () => {
    await using host = new LeaseHost();
    await host.ready(uuid);
    await host.closeInVain(uuid);
    await host.crash();
    expect(host.work.running.get(uuid)?.method).toBe('deprovision');
  });

  it('a row that cannot be read hides no other, and stays', async () => {
    await using host = new LeaseHost();
    await host.ready(uuid);
    const [{ terms = '', state = '' } = {}] = host.store.leases.all();
    const put = (id: string, ofTerms: string, ofState: string): void => {
      host.store.leases.putTerms(id, ofTerms);
      host.store.leases.putState(id, ofState, undefined);
    };
    put('newer', terms, state.replace('"format":1', '"format":2'));
    put('torn', terms.slice(0, -1), state);
    host.store.leases.putTerms('half', terms);
    await host.crash();
    expect(at(host)?.status).toBe('ready');
    expect([...host.store.leases.all()].map((row) => row.uuid)).toEqual([uuid, 'half', 'newer', 'torn']);
    expect(['half', uuid, 'newer', 'torn'].map((id) => host.book.isUnreadable(id))).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });
});
