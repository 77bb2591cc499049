import type { LeaseEvent } from '../lease/events.ts';
import type { LeaseStatus } from '../lease/record.ts';

/**
 * The reference: the life of a lease as the contract tells it, in its own words and bookkeeping. What the machine's record
 * says after each event is compared with it.
 */
export class ReferenceLease {
  status: LeaseStatus | 'none' = 'none';
  failCount = 0;
  /** The running operation, its kind, and whether the lease was ready when it began. */
  operation: { id: string; kind: string; wasReady: boolean } | undefined;
  /** Status of each release, by version. */
  releases = new Map<number, 'deploying' | 'active' | 'superseded' | 'failed'>();
  lastVersion = 0;
  reason: string | undefined;
  holding = false;
  leftover = false;
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
      case 'DroppedCloseRequested':
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
      case 'LeftoverRemoved':
        return this.status === 'failed' && this.leftover;
    }
  }

  private begin(event: { operationId: string }, kind: string, status: LeaseStatus): void {
    this.operation = { id: event.operationId, kind, wasReady: this.status === 'ready' };
    this.status = status;
    this.leftover = false;
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
      case 'DroppedCloseRequested':
        this.begin(event, 'deprovision', 'deprovisioning');
        this.failCount = event.lease.failCount;
        this.reason = event.lease.failure?.reason;
        this.holding = true;
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
        this.leftover = event.left;
        this.holding = event.left;
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
      case 'LeftoverRemoved':
        this.leftover = false;
        this.holding = false;
        return;
    }
  }

  get busy(): boolean {
    return this.inFlight();
  }
}
