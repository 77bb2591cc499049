import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { death, failure, item, newLease, opening, replace } from '../testing/leases.ts';
import { ReferenceLease } from '../testing/reference-lease.ts';
import { type LeaseEvent, type LeaseEventName, leaseEvents } from './events.ts';
import type { Lease } from './record.ts';
import { cellFor, leaseStates } from './table.ts';
import { type HistoryChange, transition } from './transition.ts';

/** The release history as the store keeps it, from the changes alone. */
function record(history: Map<number, string>, change: HistoryChange): void {
  switch (change.kind) {
    case 'stage':
      return;
    case 'append':
      expect(history.has(change.version)).toBe(false);
      history.set(change.version, 'deploying');
      return;
    case 'activate':
    case 'activateStaged':
      for (const [version, status] of history) if (status === 'active') history.set(version, 'superseded');
      history.set(change.version, 'active');
      return;
    case 'fail':
      expect(history.get(change.version)).toBe('deploying');
      history.set(change.version, 'failed');
      return;
    case 'remember':
      return;
    case 'purge':
      history.clear();
  }
}

const idOf = { current: 'current', stale: 'stale' };

/** Builds an event of the given name; outcomes belong to the operation under way, or (if so chosen) to an older one. */
function eventNamed(
  name: LeaseEventName,
  operationId: string,
  choice: number,
  lastVersion: number,
): LeaseEvent {
  const outcomeOf = choice % 5 === 0 ? idOf.stale : operationId;
  switch (name) {
    case 'ProvisionRequested':
    case 'RestoreReserved':
      return opening(name, operationId, newLease({ lastRelease: lastVersion }));
    case 'RestartRequested':
    case 'UpdateRequested':
      return replace(name, operationId);
    case 'ContainersRemoved':
    case 'FoundReady':
    case 'LeftoverRemoved':
      return { name };
    case 'RestoreRequested':
      return { name, operationId: outcomeOf };
    case 'FoundDead':
      return { name, detail: 'exit_code=1' };
    case 'DeprovisionRequested':
      return { name, operationId };
    case 'DroppedCloseRequested':
      return {
        name,
        operationId,
        lease: { ...newLease(), status: 'ready', createdAtMs: 0, failCount: 0, lastRelease: lastVersion },
      };
    case 'ContainerDied':
      return { name, operationId, death };
    case 'ProvisionCompleted':
      return { name, operationId: outcomeOf, items: [item()] };
    case 'ReplaceCompleted':
      return { name, operationId: outcomeOf, images: { web: 'nginx:2' } };
    case 'ReplaceRecovered':
      return {
        name,
        operationId: outcomeOf,
        failure: failure({ reason: 'RestartFailed' }),
        replaced: choice % 2 === 0,
      };
    case 'ProvisionErrored':
      return { name, operationId: outcomeOf, failure: failure(), left: choice % 2 === 0 };
    case 'ReplaceFailed':
    case 'DeprovisionErrored':
    case 'DeprovisionExhausted':
      return { name, operationId: outcomeOf, failure: failure() };
    case 'DeprovisionCompleted':
      return { name, operationId: outcomeOf, retained: false };
    case 'RestoreAbandoned':
      return { name, operationId: outcomeOf };
    case 'DiagGathered':
      return { name, operationId: outcomeOf, detail: 'exit_code=1' };
  }
}

const visited = new Set<string>();

function walk(choices: readonly { event: LeaseEventName; choice: number }[], startUnknown: boolean): void {
  const reference = new ReferenceLease();
  const history = new Map<number, string>();
  let lease: Lease | undefined;
  if (startUnknown) {
    reference.status = 'unknown';
    reference.holding = true;
    lease = { ...newLease(), status: 'unknown', createdAtMs: 0, failCount: 0 };
  }
  for (const [step, { event: name, choice }] of choices.entries()) {
    const continues = !name.endsWith('Requested') || name === 'RestoreRequested';
    const id = (continues ? lease?.operation?.id : undefined) ?? `op-${step}`;
    const event = eventNamed(name, id, choice, reference.lastVersion);
    const told = reference.told.length;
    const accepted = reference.accepts(event);
    const before = lease?.status ?? 'none';
    const made = transition(lease, event, step);
    expect(typeof made !== 'string', `${before} + ${name}`).toBe(accepted);
    if (typeof made === 'string') continue;
    visited.add(`${before} + ${name}`);
    reference.take(event);
    lease = made.lease;
    for (const change of made.history) record(history, change);
    expect(lease?.status ?? 'none').toBe(reference.status);
    expect(made.owed === undefined ? [] : [made.owed.status]).toEqual(reference.told.slice(told));
    expect([...history].sort()).toEqual([...reference.releases].sort());
    expect(lease?.operation?.id).toBe(reference.operation?.id);
    if (lease === undefined) continue;
    expect(lease.failCount).toBe(reference.failCount);
    expect(lease.failure?.reason).toBe(reference.reason);
    expect(lease.allocations.length > 0).toBe(reference.holding);
    expect(lease.operation !== undefined).toBe(reference.busy);
    if (lease.release !== undefined && lease.release > 0 && lease.status === 'ready')
      expect(history.get(lease.release)).toBe('active');
    expect([...history.values()].filter((status) => status === 'active').length).toBeLessThanOrEqual(1);
  }
}

describe('the life of a lease', () => {
  it('is that of the reference, over every edge of the table', () => {
    const choice = fc.record({ event: fc.constantFrom(...leaseEvents), choice: fc.nat(100) });
    fc.assert(fc.property(fc.array(choice, { minLength: 30, maxLength: 200 }), fc.boolean(), walk), {
      numRuns: 600,
    });
    const edges = leaseStates.flatMap((state) =>
      leaseEvents
        .filter((event) => typeof cellFor(state, event) !== 'string')
        .map((event) => `${state} + ${event}`),
    );
    console.log(`lease machine: ${visited.size} of ${edges.length} edges walked`);
    expect(edges.filter((edge) => !visited.has(edge))).toEqual([]);
  });
});
