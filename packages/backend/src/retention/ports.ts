/** What the keeping of data needs from its surroundings. */
import type { Lease } from '../lease/index.ts';
import type { VolumeName } from '../names/index.ts';

type DestroySite = 'deprovision_destroy' | 'deprovision_reclaim' | 'retention_refused' | 'reaping';

interface VolumeClaim {
  readonly kind: string;
  /** Whose the bytes are; of data that is being restored, the lease that it came from. */
  readonly lease: string;
}

export interface ClaimedVolume {
  readonly name: VolumeName;
  readonly claim: VolumeClaim;
}

export interface DestroyOutcome {
  readonly destroyed: readonly VolumeName[];
  readonly claimed: readonly ClaimedVolume[];
  readonly unproven: readonly VolumeName[];
  readonly errors: readonly { readonly name: VolumeName; readonly error: unknown }[];
  /** May any of them still be there? */
  readonly leftOnDisk: boolean;
}

/** One logical action of one lease (or of nobody) on volumes. */
interface VolumeOperation {
  destroy(site: DestroySite, names: readonly VolumeName[]): Promise<DestroyOutcome>;
  /** Rejects when it cannot be known whose they are. */
  partition(
    names: readonly VolumeName[],
  ): Promise<{ readonly mine: readonly VolumeName[]; readonly foreign: readonly ClaimedVolume[] }>;
}

export interface DoorPort {
  /** Why nothing at all is destroyed at the moment; empty: as usual. */
  readonly held: readonly string[];
  operation(asking: string | undefined): VolumeOperation;
}

export interface VolumesPort {
  readonly kind: 'btrfs' | 'xfs' | 'zfs' | 'noop';
  /** What there is, looked at now. Rejects when that cannot be known; never empty for unknown. */
  list(): Promise<readonly VolumeName[]>;
  /** On disk when it resolves; done already counts as success, two volumes are never merged. */
  rename(from: VolumeName, to: VolumeName): Promise<void>;
  /** Sets the size of a volume that exists; one that does not is not made. */
  ensureQuota(name: VolumeName, sizeMb: number): Promise<void>;
  usage(name: VolumeName): Promise<number>;
  /** What is written on it names this lease from now on; nothing is written where nothing was. May be repeated. */
  handOver(
    name: VolumeName,
    to: { readonly lease: string; readonly sku: string; readonly sizeMb: number },
  ): Promise<void>;
  /** What is not there any more stays away: before a record of it is dropped. */
  sync(): Promise<void>;
  /** Is there provably nothing in it but what the image itself put there? */
  scratchOnly(name: VolumeName): Promise<boolean>;
}

export interface LeasesPort {
  get(uuid: string): Lease | undefined;
}

export interface ReleasesPort {
  /** The manifest of the release that the lease runs as far as the history knows. */
  latestActive(lease: string): { readonly manifest: Uint8Array } | undefined;
  manifest(lease: string, version: number): Uint8Array | undefined;
}

/** Removes the containers of a lease; rejects when one may be left. */
export type TeardownPort = (
  lease: string,
  reason: 'restore_reconcile' | 'restore_rollback' | 'restore_prelude',
) => Promise<void>;

export interface RetentionMeter {
  refused(scope: 'global' | 'tenant' | 'partition'): void;
  evicted(level: 'tenant' | 'partition'): void;
  collapsed(reason: 'no_input' | 'divergent' | 'invalid' | 'over_limit' | 'store_error'): void;
  stamped(): void;
  capCheckFailed(check: 'evict' | 'breach' | 'bound' | 'refuse_get'): void;
  scratchReclaimed(): void;
  leaked(): void;
  swept(outcome: 'success' | 'error'): void;
  accountingFailed(): void;
  reapSkipped(reason: 'restore_claimed' | 'claim_unreadable' | 'owner_claimed'): void;
  orphanPruned(): void;
  orphanSkipped(reason: 'list_error' | 'root_unverifiable' | 'raced' | 'disabled' | 'store_error'): void;
  demoteRefused(backend: VolumesPort['kind'], reason: DemoteRefusal): void;
  finalizerPending(): void;
  adopted(seconds: number): void;
  counted(totals: {
    readonly retainedBytes: number;
    readonly retainedLeases: number;
    readonly reapingBytes: number;
    readonly reapingLeases: number;
    readonly partitions: number;
  }): void;
}

export type DemoteRefusal =
  | 'measured_exceeds'
  | 'unmeasurable_read_error'
  | 'unmeasurable_backend'
  | 'ephemeral_tier';
