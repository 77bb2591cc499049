import type { Allocation } from '../placement/index.ts';
import type { Death, Failure, Lease, LeaseItem } from './record.ts';

/** Asked for by the caller: accepted or refused, and answered. */
export const requestEvents = [
  'ProvisionRequested',
  'RestartRequested',
  'UpdateRequested',
  'RestoreReserved',
  'RestoreRequested',
  'DeprovisionRequested',
  'DroppedCloseRequested',
] as const;

/** What the work of an operation came to; one that comes too late is ignored. */
const outcomeEvents = [
  'ProvisionCompleted',
  'ProvisionErrored',
  'ReplaceCompleted',
  'ReplaceRecovered',
  'ReplaceFailed',
  'RestoreAbandoned',
  'DiagGathered',
  'DeprovisionCompleted',
  'DeprovisionErrored',
  'DeprovisionExhausted',
] as const;

/** Facts about containers, seen live or when comparing. */
const factEvents = [
  'ContainerDied',
  'ContainersRemoved',
  'FoundDead',
  'FoundReady',
  'LeftoverRemoved',
] as const;

/** In the order of the table's rows. */
export const leaseEvents = [...requestEvents, ...outcomeEvents, ...factEvents] as const;

export type LeaseEventName = (typeof leaseEvents)[number];

/** What a lease becomes when it is provisioned: all that admission has checked. */
export interface NewLease {
  readonly uuid: string;
  readonly tenant: string;
  readonly provider: string;
  readonly callbackUrl: string;
  readonly items: readonly LeaseItem[];
  readonly images: Readonly<Record<string, string>>;
  readonly allocations: readonly Allocation[];
  readonly lastRelease: number;
}

interface Begins {
  readonly operationId: string;
}

interface Ends {
  readonly operationId: string;
}

interface Replaces extends Begins {
  /** Empty: the stored one stays. */
  readonly callbackUrl: string;
  readonly items: readonly LeaseItem[];
  /** Reserved again when an earlier failure had given it back. */
  readonly allocations: readonly Allocation[];
}

export type LeaseEvent =
  | ({
      readonly name: 'ProvisionRequested';
      readonly lease: NewLease;
      readonly manifest: Uint8Array;
    } & Begins)
  | ({ readonly name: 'RestartRequested' } & Replaces)
  | ({ readonly name: 'UpdateRequested'; readonly manifest: Uint8Array } & Replaces)
  | ({ readonly name: 'RestoreReserved'; readonly lease: NewLease; readonly manifest: Uint8Array } & Begins)
  | ({ readonly name: 'RestoreRequested' } & Begins)
  | ({ readonly name: 'DeprovisionRequested' } & Begins)
  /** The close of a lease that is not tracked any more; `lease` is what is known of it. */
  | ({ readonly name: 'DroppedCloseRequested'; readonly lease: Lease } & Begins)
  | ({ readonly name: 'ProvisionCompleted'; readonly items: readonly LeaseItem[] } & Ends)
  | ({
      readonly name: 'ProvisionErrored';
      readonly failure: Failure;
      /** Its containers could not be removed. */
      readonly left: boolean;
      /** Keys of the allocations whose volumes are on disk all the same: of an earlier attempt, or not to be removed. */
      readonly stays?: readonly string[];
    } & Ends)
  | ({ readonly name: 'ReplaceCompleted'; readonly images: Readonly<Record<string, string>> } & Ends)
  | ({ readonly name: 'ReplaceRecovered'; readonly failure: Failure; readonly replaced: boolean } & Ends)
  | ({
      readonly name: 'ReplaceFailed';
      readonly failure: Failure;
      /** Of a restore: the data it took over could not be given back yet. */
      readonly left?: boolean;
    } & Ends)
  | ({ readonly name: 'RestoreAbandoned' } & Ends)
  | ({ readonly name: 'DiagGathered'; readonly detail: string } & Ends)
  | ({ readonly name: 'DeprovisionCompleted'; readonly retained: boolean } & Ends)
  | ({ readonly name: 'DeprovisionErrored'; readonly failure: Failure } & Ends)
  | ({ readonly name: 'DeprovisionExhausted'; readonly failure: Failure } & Ends)
  | ({ readonly name: 'ContainerDied'; readonly death: Death } & Begins)
  | { readonly name: 'ContainersRemoved' }
  | { readonly name: 'FoundDead'; readonly detail: string }
  | { readonly name: 'FoundReady' }
  | { readonly name: 'LeftoverRemoved'; readonly stays?: readonly string[] };
