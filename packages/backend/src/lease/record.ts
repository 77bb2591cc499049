/** What is known of one lease. Everything here is durable; containers are found by their labels, never by stored ids. */
import type { Allocation } from '../placement/index.ts';
import type { Reason } from './reasons.ts';

export const leaseStatuses = [
  'provisioning',
  'ready',
  'failing',
  'failed',
  'restarting',
  'updating',
  'deprovisioning',
  'unknown',
] as const;

export type LeaseStatus = (typeof leaseStatuses)[number];

/** One line of a lease, with its service name filled in. */
export interface LeaseItem {
  readonly sku: string;
  readonly quantity: number;
  readonly serviceName: string;
  /** Empty: none. */
  readonly customDomain: string;
}

export interface Failure {
  readonly reason: Reason;
  /** Curated, tenant-safe: what the callback says. */
  readonly message: string;
  /** For the operator only. */
  readonly detail: string;
}

export const operationKinds = [
  'provision',
  'restart',
  'update',
  'restore',
  'diagnose',
  'deprovision',
] as const;

export type OperationKind = (typeof operationKinds)[number];

/** What a lease is in the middle of: written down before it begins, so that a restart of the process can go on with it. */
export interface Operation {
  readonly kind: OperationKind;
  /** Unique within the lease. Containers carry it; outcomes name it, so that a late one of an older operation is known. */
  readonly id: string;
  readonly startedAtMs: number;
  /** The release that is being brought up. */
  readonly release?: number;
  /** The items as they will be when it succeeds. */
  readonly items?: readonly LeaseItem[];
  /** Was the lease `ready` when the operation began? */
  readonly wasReady: boolean;
  /** What was found dead, for a diagnosis. */
  readonly death?: Death;
  /** How often a restarted process has taken it up again. */
  readonly resumed: number;
}

/** A container that is not running any more, or not there. */
export interface Death {
  readonly service: string;
  readonly index: number;
  readonly containerId: string;
  readonly exitCode?: number;
  readonly oomKilled?: boolean;
}

/** How what a caller has asked for can have ended. */
export const callbackStatuses = ['success', 'failed', 'deprovisioned'] as const;

/** What the caller has yet to be told: written with the transition that owes it, cleared once the outbox has it. */
export interface Owed {
  readonly callbackUrl: string;
  readonly status: (typeof callbackStatuses)[number];
  readonly error?: string;
  readonly retained?: boolean;
  readonly atMs: number;
}

export interface Lease {
  readonly uuid: string;
  readonly tenant: string;
  readonly provider: string;
  readonly status: LeaseStatus;
  readonly createdAtMs: number;
  readonly failCount: number;
  readonly callbackUrl: string;
  readonly items: readonly LeaseItem[];
  /** Image of each service, as far as the manifest is known. */
  readonly images: Readonly<Record<string, string>>;
  readonly allocations: readonly Allocation[];
  /** The release whose manifest the lease is at; 0 is one that was never active; absent when none is known. */
  readonly release?: number | undefined;
  /** The highest version that a release of this lease ever had: versions are never used twice. */
  readonly lastRelease: number;
  readonly failure?: Failure | undefined;
  readonly operation?: Operation | undefined;
  /** Containers of a provision that failed may be left, and hold what they hold until they are found to be gone. */
  readonly leftover?: true | undefined;
  /** A close that has not succeeded yet and is tried again. */
  readonly closing?: { readonly attempts: number } | undefined;
}

export const expectedContainers = (lease: Pick<Lease, 'items'>): number =>
  lease.items.reduce((sum, { quantity }) => sum + quantity, 0);
