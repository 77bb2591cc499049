import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LeaseEvent, type LeaseEventName, leaseEvents } from './events.ts';
import type { Lease, LeaseStatus } from './record.ts';
import { cellFor, leaseStates } from './table.ts';
import { death, failure, item, newLease, opening, replace } from './testing.ts';
import { type HistoryChange, transition } from './transition.ts';

/**
 * The reference: the life of a lease as the contract tells it, in its own words and bookkeeping. What the machine's record
 * says after each event is compared with it.
 */
class Reference {
  status: LeaseStatus | 'none' = 'none';
  failCount = 0;
  /** The running operation, its kind, and whether the lease was ready when it began. */
  operation: { id: string; kind: string; wasReady: boolean } | undefined;
  /** Status of each release, by version. */
  releases = new Map<number, 'deploying' | 'active' | 'superseded' | 'failed'>();
  lastVersion = 0;
  reason: string | undefined;
  holding = false;
  told: string[] = [];

  private readonly inFlight = (): boolean =>
    ['provisioning', 'restarting', 'updating', 'failing', 'deprovisioning'].includes(this.status);

  accepts(event: LeaseEvent): boolean {
    const current = 'operationId' in event && this.operation?.id === event.operationId;
    const replacing = this.status === 'restarting' || this.status === 'updating';
    switch (event.name) {
      case 'ProvisionRequested':
        return ['none', 'failed', 'failing'].includes(this.status);
      case 'RestoreReserved':
        return this.status === 'none';
      case 'RestoreRequested':
      case 'RestoreAbandoned':
        return current && this.status === 'provisioning' && this.operation?.kind === 'restore';
      case 'RestartRequested':
      case 'UpdateRequested':
        return ['ready', 'failed', 'failing'].includes(this.status);
      case 'DeprovisionRequested':
        return true;
      case 'ProvisionCompleted':
      case 'ProvisionErrored':
        return current && this.status === 'provisioning' && this.operation?.kind === 'provision';
      case 'ReplaceRecovered':
        return current && replacing && this.operation?.kind !== 'restore';
      case 'ReplaceCompleted':
      case 'ReplaceFailed':
        return current && replacing;
      case 'DiagGathered':
        return current && this.status === 'failing';
      case 'DeprovisionCompleted':
      case 'DeprovisionErrored':
      case 'DeprovisionExhausted':
        return current && this.status === 'deprovisioning';
      case 'ContainerDied':
        return this.status === 'ready';
      case 'ContainersRemoved':
      case 'FoundDead':
        return this.status === 'ready' || this.status === 'unknown';
      case 'FoundReady':
        return this.status === 'unknown';
    }
  }

  private begin(event: { operationId: string }, kind: string, status: LeaseStatus): void {
    this.operation = { id: event.operationId, kind, wasReady: this.status === 'ready' };
    this.status = status;
  }

  private end(status: LeaseStatus | 'none', callback?: string): void {
    this.status = status;
    this.operation = undefined;
    if (callback !== undefined) this.told.push(callback);
  }

  private activate(): void {
    for (const [version, status] of this.releases)
      if (status === 'active') this.releases.set(version, 'superseded');
    const opened = [...this.releases].find(([, status]) => status === 'deploying')?.[0];
    const version = opened ?? ++this.lastVersion;
    this.releases.set(version, 'active');
  }

  private failDeploying(): void {
    for (const [version, status] of this.releases)
      if (status === 'deploying') this.releases.set(version, 'failed');
  }

  private purge(): void {
    this.releases.clear();
    this.lastVersion = 0;
  }

  private vanish(): void {
    this.failCount = 0;
    this.reason = undefined;
    this.holding = false;
  }

  take(event: LeaseEvent): void {
    switch (event.name) {
      case 'ProvisionRequested':
      case 'RestoreReserved':
        this.begin(event, event.name === 'RestoreReserved' ? 'restore' : 'provision', 'provisioning');
        this.reason = undefined;
        this.holding = true;
        return;
      case 'RestartRequested':
      case 'UpdateRequested':
        this.begin(event, event.name, event.name === 'RestartRequested' ? 'restarting' : 'updating');
        this.releases.set(++this.lastVersion, 'deploying');
        this.holding = true;
        return;
      case 'RestoreRequested':
        this.status = 'restarting';
        return;
      case 'DeprovisionRequested':
        if (this.status === 'none') this.purge();
        else if (this.status !== 'deprovisioning') {
          this.failDeploying();
          this.begin(event, 'deprovision', 'deprovisioning');
        }
        return;
      case 'ProvisionCompleted':
      case 'ReplaceCompleted':
        this.activate();
        this.reason = undefined;
        this.end('ready', 'success');
        return;
      case 'ProvisionErrored':
        this.failCount++;
        this.holding = false;
        this.reason = event.failure.reason;
        this.end('failed', 'failed');
        return;
      case 'ReplaceRecovered': {
        const cleared = this.operation?.kind === 'RestartRequested' && event.replaced;
        this.failCount++;
        this.failDeploying();
        this.reason = cleared ? undefined : event.failure.reason;
        this.end('ready', 'failed');
        return;
      }
      case 'ReplaceFailed':
        this.failCount++;
        this.failDeploying();
        this.reason = event.failure.reason;
        if (this.operation?.kind === 'restore') this.holding = false;
        this.end('failed', 'failed');
        return;
      case 'RestoreAbandoned':
        this.purge();
        this.vanish();
        this.end('none');
        return;
      case 'DiagGathered':
        this.reason = 'ContainerExited';
        this.end('failed', 'failed');
        return;
      case 'DeprovisionCompleted':
      case 'DeprovisionExhausted':
        this.purge();
        this.vanish();
        this.end('none', event.name === 'DeprovisionCompleted' ? 'deprovisioned' : 'failed');
        return;
      case 'DeprovisionErrored':
        this.reason = event.failure.reason;
        this.end('failed');
        return;
      case 'ContainerDied':
        this.begin(event, 'diagnose', 'failing');
        this.failCount++;
        this.reason = 'ContainerExited';
        return;
      case 'ContainersRemoved':
        this.vanish();
        this.status = 'none';
        return;
      case 'FoundDead':
        this.failCount++;
        this.reason = 'ContainerExited';
        this.status = 'failed';
        return;
      case 'FoundReady':
        this.status = 'ready';
        return;
    }
  }

  get busy(): boolean {
    return this.inFlight();
  }
}

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
      return { name };
    case 'RestoreRequested':
      return { name, operationId: outcomeOf };
    case 'FoundDead':
      return { name, detail: 'exit_code=1' };
    case 'DeprovisionRequested':
      return { name, operationId };
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
  const reference = new Reference();
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
