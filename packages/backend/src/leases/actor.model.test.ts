import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LeaseEvent, leaseStates } from '../lease/index.ts';
import { LeaseHost } from '../testing/lease-host.ts';
import { death, failure, item, newLease, opening, replace } from '../testing/leases.ts';
import { ReferenceLease } from '../testing/reference-lease.ts';

const ids = ['lease-a', 'lease-b'] as const;
type Id = (typeof ids)[number];

/** The references of all leases, and what the callers must have been told. */
class World {
  readonly leases = new Map<Id, ReferenceLease>(ids.map((id) => [id, new ReferenceLease()]));
  readonly waiting: Promise<unknown>[] = [];
  resumed = new Map<Id, number>();

  of(id: Id): ReferenceLease {
    const lease = this.leases.get(id);
    if (lease === undefined) throw new Error(id);
    return lease;
  }
}

type Command = fc.AsyncCommand<World, LeaseHost>;
const seen = new Set<string>();

async function agree(world: World, host: LeaseHost, step: string): Promise<void> {
  await host.settled();
  let holding = 0;
  for (const [id, reference] of world.leases) {
    const lease = host.book.get(id);
    expect(lease?.status ?? 'none', `${id} after ${step}`).toBe(reference.status);
    expect(host.told.filter((line) => line.startsWith(id)).map((line) => line.split(' ')[1])).toEqual(
      reference.told,
    );
    expect(host.work.running.has(id)).toBe(reference.operation !== undefined);
    if (lease !== undefined) {
      expect(lease.failCount).toBe(reference.failCount);
      expect(lease.failure?.reason).toBe(reference.reason);
    }
    expect(host.store.list(id).map(({ version, status }) => [version, status])).toEqual(
      [...reference.releases].sort(),
    );
    expect(host.pool.held(id).length > 0).toBe(reference.holding);
    if (reference.holding) holding++;
  }
  expect(host.pool.usage.allocations).toBe(holding);
}

function command(
  name: string,
  id: Id,
  act: (world: World, host: LeaseHost, of: ReferenceLease) => Promise<void>,
): Command {
  return {
    check: () => true,
    run: async (world, host) => {
      seen.add(`${world.of(id).status} ${name}`);
      await act(world, host, world.of(id));
      await agree(world, host, `${name} ${id}`);
    },
    toString: () => `${name}(${id})`,
  };
}

/** A request, and what the reference makes of it; the operation's id is read from the record. */
const request = (name: string, make: (id: Id) => (operationId: string) => LeaseEvent) => (id: Id) =>
  command(name, id, async (world, host, reference) => {
    const event = make(id)('?');
    const accepted = reference.accepts(event);
    const answer = await host.ask(id, make(id)).then(
      () => true,
      () => false,
    );
    expect(answer, `${name} in ${reference.status}`).toBe(accepted);
    if (!accepted) return;
    world.resumed.set(id, 0);
    reference.take({ ...event, operationId: host.book.get(id)?.operation?.id ?? '' } as LeaseEvent);
  });

const provision = request('provision', (uuid) => (operationId) => {
  return opening('ProvisionRequested', operationId, newLease({ uuid }));
});
const restart = request('restart', () => (operationId) => replace('RestartRequested', operationId));
const update = request('update', () => (operationId) => replace('UpdateRequested', operationId));

const close = (id: Id) =>
  command('close', id, async (world, host, reference) => {
    host.close(id).catch(() => undefined);
    await host.settled();
    if (reference.status !== 'deprovisioning') world.resumed.set(id, 0);
    const operationId = host.book.get(id)?.operation?.id ?? '';
    reference.take({ name: 'DeprovisionRequested', operationId });
  });

const die = (id: Id) =>
  command('die', id, async (world, host, reference) => {
    host.work.dead.set(id, death);
    host.post(id, { kind: 'death', suspect: death });
    await host.settled();
    host.work.dead.delete(id);
    const event: LeaseEvent = {
      name: 'ContainerDied',
      operationId: host.book.get(id)?.operation?.id ?? '',
      death,
    };
    if (!reference.accepts(event)) return;
    world.resumed.set(id, 0);
    reference.take(event);
  });

const bad = { kind: 'failed', failure: failure(), logs: {} } as const;
const recovered = { ...bad, kind: 'recovered' } as const;

/** What each kind of work may come to, and the event that it then is. */
const ends = {
  provision: [
    [
      { kind: 'provisioned', items: [item()] },
      { name: 'ProvisionCompleted', items: [] },
    ],
    [
      { ...bad, left: false },
      { name: 'ProvisionErrored', failure: failure(), left: false },
    ],
    [
      { ...bad, left: true },
      { name: 'ProvisionErrored', failure: failure(), left: true },
    ],
  ],
  replace: [
    [
      { kind: 'replaced', images: {} },
      { name: 'ReplaceCompleted', images: {} },
    ],
    [recovered, { name: 'ReplaceRecovered', failure: failure(), replaced: true }],
    [bad, { name: 'ReplaceFailed', failure: failure() }],
  ],
  diagnose: [
    [
      { detail: '', logs: {} },
      { name: 'DiagGathered', detail: '' },
    ],
  ],
  deprovision: [
    [
      { kind: 'closed', retained: false },
      { name: 'DeprovisionCompleted', retained: false },
    ],
    [bad, { name: 'DeprovisionErrored', failure: failure() }],
  ],
} as const;

/** Somebody looks at what is left. */
const tidy = (id: Id) =>
  command('tidy', id, async (_, host, reference) => {
    host.post(id, { kind: 'tidy' });
    await host.settled();
    const event: LeaseEvent = { name: 'LeftoverRemoved' };
    if (reference.accepts(event)) reference.take(event);
  });

/** The work that runs comes to one of its ends. */
const finish = (choice: number) => (id: Id) =>
  command(`finish${choice}`, id, async (_, host, reference) => {
    const running = host.work.running.get(id);
    const operationId = host.book.get(id)?.operation?.id;
    if (running === undefined || operationId === undefined) return;
    const possible = ends[running.method];
    const [result, event] = possible[choice % possible.length] ?? possible[0];
    running.end(result);
    reference.take({ ...event, operationId });
    await host.until('the outcome is taken', () => host.book.get(id)?.operation?.id !== operationId);
  });

/** The process is killed and started again: what was under way goes on, three times; then it is given up. */
const crash: Command = {
  check: () => true,
  run: async (world, host) => {
    await host.crash();
    seen.add('crash');
    for (const [id, reference] of world.leases) {
      const { operation, status } = reference;
      if (status === 'failed' && host.book.get(id)?.status === 'deprovisioning') {
        reference.take({ name: 'DeprovisionRequested', operationId: host.book.get(id)?.operation?.id ?? '' });
        continue;
      }
      if (operation === undefined) continue;
      const times = (world.resumed.get(id) ?? 0) + 1;
      world.resumed.set(id, times);
      if (times <= 3 || status === 'deprovisioning') continue;
      const { id: operationId } = operation;
      const internal = failure({ reason: 'Internal' });
      if (status === 'provisioning')
        reference.take({ name: 'ProvisionErrored', operationId, failure: internal, left: true });
      else if (status === 'failing') reference.take({ name: 'DiagGathered', operationId, detail: '' });
      else reference.take({ name: 'ReplaceFailed', operationId, failure: internal });
    }
    await agree(world, host, 'crash');
  },
  toString: () => 'crash()',
};

describe('living leases', () => {
  it('agree with their references after every step, whatever happens in whatever order, crashes included', async () => {
    const id = fc.constantFrom(...ids);
    const commands = [
      id.map(provision),
      id.map(provision),
      id.map(restart),
      id.map(update),
      id.map(close),
      id.map(die),
      id.map(tidy),
      id.map(finish(0)),
      id.map(finish(0)),
      id.map(finish(1)),
      id.map(finish(2)),
      fc.constant(crash),
    ];
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 40, size: '+1' }), async (steps) => {
        await using host = new LeaseHost();
        await fc.asyncModelRun(() => ({ model: new World(), real: host }), steps);
      }),
      { numRuns: 150 },
    );
    console.log(`living leases: ${seen.size} kinds of step in state`);
    // What is `unknown` is so since a start.
    for (const state of leaseStates.filter((one) => one !== 'unknown'))
      expect([...seen].filter((step) => step.startsWith(`${state} `)).length, state).toBeGreaterThan(3);
  }, 60_000);
});
