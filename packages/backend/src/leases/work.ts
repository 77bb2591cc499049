/** What a lease needs to have done. The machine and its actor know nothing of containers; whoever does implements this. */
import type { Death, Failure, Lease, LeaseItem, Owed } from '../lease/index.ts';

/** Log text of the containers concerned, by `service/index`. */
export type Logs = Readonly<Record<string, string>>;

export type ProvisionResult =
  | { readonly kind: 'provisioned'; readonly items: readonly LeaseItem[] }
  | {
      readonly kind: 'failed';
      readonly failure: Failure;
      readonly logs: Logs;
      /** Its containers could not be removed. */
      readonly left: boolean;
      /** Keys of the allocations whose volumes are on disk. */
      readonly stays: readonly string[];
    };

export type ReplaceResult =
  | { readonly kind: 'replaced'; readonly images: Readonly<Record<string, string>> }
  /** The old containers run again. */
  | { readonly kind: 'recovered'; readonly failure: Failure; readonly logs: Logs }
  /** It failed before any container was touched; what ran before runs on. */
  | { readonly kind: 'untouched'; readonly failure: Failure }
  | {
      readonly kind: 'failed';
      readonly failure: Failure;
      readonly logs: Logs;
      /** Of a restore: the data it took over could not be given back yet. */
      readonly left?: boolean;
    };

export interface DiagnoseResult {
  readonly detail: string;
  readonly logs: Logs;
}

export type DeprovisionResult =
  | { readonly kind: 'closed'; readonly retained: boolean }
  /** Something is left; to be tried again. */
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** Given up: what is left is recorded elsewhere. */
  | { readonly kind: 'exhausted'; readonly failure: Failure };

export interface Rediscovered {
  readonly lease: Lease;
  /** What the caller has to be told of it. */
  readonly owed: Owed | undefined;
  readonly logs: Logs;
}

/**
 * One method a kind of operation; what is to be done stands in `lease.operation`. When `stop` aborts, the work ends as soon as
 * it leaves nothing behind that nobody knows of, and its result does not count. The same operation may be begun again
 * after a restart of the process: it goes on with what it finds.
 */
export interface LeaseWork {
  provision(lease: Lease, stop: AbortSignal): Promise<ProvisionResult>;
  replace(lease: Lease, stop: AbortSignal): Promise<ReplaceResult>;
  diagnose(lease: Lease, stop: AbortSignal): Promise<DiagnoseResult>;
  deprovision(lease: Lease, stop: AbortSignal): Promise<DeprovisionResult>;
  /** Looks at a container that is said to have died; undefined when it lives, or nothing can be said of it. */
  confirmDeath(lease: Lease, suspect: Death): Promise<Death | undefined>;
  /** A lease that nobody knows of, as its containers tell it; undefined when there are none that say enough. */
  rediscover(uuid: string): Promise<Rediscovered | undefined>;
  /** Removes what an earlier replacement has set aside, or a provision that failed has left; rejects when it cannot. */
  tidy(lease: Lease): Promise<void>;
  /** Keys of the allocations whose volumes are on disk, in doubt all of them. */
  staysOf(lease: Lease): Promise<readonly string[]>;
  /** Looks at all containers of a lease that should be running; the first one that is dead or missing. */
  findDeath(lease: Lease): Promise<Death | undefined>;
}

/** Where the outcomes of a lease go. */
export interface LeaseOutlets {
  /** Stores the failure of the lease, with the logs that were captured of it; durable when it resolves. */
  keepDiagnostics(lease: Lease, logs: Logs): Promise<void>;
  dropDiagnostics(uuid: string): Promise<void>;
  /** The restore into this lease has succeeded or failed; what cannot be settled now is settled later. */
  settleRestore(uuid: string): Promise<void>;
  /** Makes the callback durable; rejects when that cannot be done. Delivery begins with `deliver`. */
  enqueue(uuid: string, owed: Owed): Promise<void>;
  deliver(uuid: string, owed: Owed): void;
  /** Delivers what could not be stored; it is lost if the process ends before. */
  deliverUnstored(uuid: string, owed: Owed): void;
}

/** What is counted on the way. */
export interface LeaseMeter {
  transition(from: string, to: string, event: string): void;
  actorCreated(): void;
  actorPanicked(): void;
  workPanicked(kind: 'provision' | 'replace' | 'diag' | 'deprovision'): void;
  outcomeDropped(event: string): void;
  deathDropped(source: 'event_loop' | 'reconcile'): void;
}
