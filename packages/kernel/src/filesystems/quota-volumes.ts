import type { RunTool } from './tool.ts';

/** What a file system with quotas offers for volumes: one directory, subvolume or dataset each, directly under a root. */

export type QuotaKind = 'btrfs' | 'xfs' | 'zfs';

export interface CreatedVolume {
  readonly path: string;
  /** False when it was there already and only its quota was set. */
  readonly created: boolean;
}

/** Everything but destruction: that has a door of its own. */
export interface QuotaVolumes {
  readonly kind: QuotaKind;
  readonly root: string;
  /** Start-up check: tools, privileges, quotas. Also rebuilds what is kept in memory. */
  validate(): Promise<void>;
  /** `{root}/{name}`; the volume need not exist. */
  hostPath(name: string): string;
  /** The managed volumes there are. A missing or unmounted root is an error, never an empty list. */
  list(): Promise<readonly string[]>;
  /**
   * Idempotent: an existing volume is reused and gets the size, but keeps its label. A new one appears under its name only
   * when it is complete, label and quota included; what a crash leaves of one is cleared by the next start-up check.
   */
  create(name: string, sizeMb: number, label?: string): Promise<CreatedVolume>;
  /** What was written on the volume for its owner's sake: nothing in it can change that, and it goes where the volume goes. */
  label(name: string): Promise<string | undefined>;
  /** `sizeMb` is the quota that the volume has: where a full one has no room for the label, it gets more for the moment. */
  setLabel(name: string, label: string, sizeMb: number): Promise<void>;
  /** Sets the quota of an existing volume again. An absent volume is success and is never created. */
  ensureQuota(name: string, sizeMb: number): Promise<void>;
  /**
   * Volumes in which something was made that their quota does not cover; `ensureQuota` makes it cover that, too, as far as it
   * can still be covered.
   */
  escaping(): Promise<readonly string[]>;
  /** Metadata only, durable when it returns. Done already counts as success; two volumes are never merged. */
  rename(from: string, to: string): Promise<void>;
  /** Bytes that count against the quota. */
  usage(name: string): Promise<number>;
}

/** The other door. Whoever holds it can destroy data: there is one holder in the product. */
export interface VolumeDestroyer {
  /** An absent volume is success. Returns only when the volume is really gone. */
  destroy(name: string): Promise<void>;
}

export interface QuotaFilesystem {
  readonly volumes: QuotaVolumes;
  readonly destroyer: VolumeDestroyer;
}

export interface RootOptions {
  readonly root: string;
  /** Which entries of the root are ours; everything else is never listed and never touched. */
  readonly isManaged: (name: string) => boolean;
}

/** What each of the file systems is opened with. */
export interface FilesystemOptions extends RootOptions {
  readonly run: RunTool;
  /** Something went wrong that does not stop the work. */
  readonly warn: (message: string) => void;
}
