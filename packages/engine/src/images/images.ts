import type { CallOptions, Filters } from '../http/index.ts';

export interface ImageSummary {
  readonly id: string;
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
}

export interface ImageDetails {
  readonly id: string;
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  readonly os: string;
  readonly architecture: string;
  readonly sizeBytes: number;
  /** "" is root. */
  readonly user: string;
  /** Declared mount points, sorted. */
  readonly volumes: readonly string[];
  /** "80/tcp", sorted. */
  readonly exposedPorts: readonly string[];
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly hasHealthCheck: boolean;
}

export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
  /** The registry that they are for: "ghcr.io". */
  readonly registry: string;
}

/** One step of a pull, as the engine reports it. */
export interface PullProgress {
  /** The layer, where it is about one. */
  readonly id: string | undefined;
  readonly status: string;
  readonly currentBytes: number | undefined;
  readonly totalBytes: number | undefined;
}

export interface PullOptions extends CallOptions {
  readonly credentials?: RegistryCredentials;
  readonly platform?: string;
  readonly onProgress?: (progress: PullProgress) => void;
}

export interface ImportOptions extends CallOptions {
  /** Dockerfile instructions: `CMD ["sh"]`. */
  readonly changes?: readonly string[];
}

/** `ref` is a reference or an id. */
export interface Images {
  list(filters?: Filters, options?: CallOptions): Promise<ImageSummary[]>;
  inspect(ref: string, options?: CallOptions): Promise<ImageDetails>;
  /**
   * Always asks the registry, also where the image is here. Done when all of it is here; no time limit of its own, so
   * give it a signal.
   */
  pull(ref: string, options?: PullOptions): Promise<void>;
  /** Makes an image of a tar of a root file system. */
  import(ref: string, tar: AsyncIterable<Uint8Array>, options?: ImportOptions): Promise<void>;
  tag(ref: string, newRef: string, options?: CallOptions): Promise<void>;
  /** `force`: take away all of its names, also while a stopped container uses it. */
  remove(ref: string, options?: CallOptions & { readonly force?: boolean }): Promise<void>;
}
