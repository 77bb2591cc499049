import type { ApiVersion, CallOptions } from '../http/index.ts';

export interface Ping {
  /** What the engine offers at most. */
  readonly apiVersion: string | undefined;
  /** The engine's own time, to the second, in milliseconds since the epoch. */
  readonly engineTime: number | undefined;
}

export interface EngineVersion {
  /** "20.10.24" */
  readonly version: string;
  readonly apiVersion: string;
  readonly minApiVersion: string | undefined;
  readonly os: string;
  readonly architecture: string;
  readonly kernel: string;
}

export interface EngineDescription {
  readonly name: string;
  readonly version: string;
  readonly storageDriver: string;
  /** "Backing Filesystem" and the like, by their names. */
  readonly storageStatus: Readonly<Record<string, string>>;
  readonly dataRoot: string;
  readonly cgroupDriver: string;
  readonly cgroupVersion: string;
  readonly securityOptions: readonly string[];
  readonly ipv4Forwarding: boolean;
  /** Does the host put bridged packets through its packet filter? Undefined where the engine does not tell. */
  readonly filtersBridgedPackets: { readonly ipv4: boolean | undefined; readonly ipv6: boolean | undefined };
  readonly warnings: readonly string[];
  readonly containers: number;
  readonly runningContainers: number;
  readonly cpus: number;
  readonly memoryBytes: number;
}

export interface DiskUsage {
  readonly layersBytes: number;
  readonly images: number;
  readonly containers: number;
  readonly volumes: number;
}

export interface System {
  /** Asks once, in no version: the lightest sign of life. */
  ping(options?: CallOptions): Promise<Ping>;
  version(options?: CallOptions): Promise<EngineVersion>;
  info(options?: CallOptions): Promise<EngineDescription>;
  /** Slow on a host with much on it. */
  diskUsage(options?: CallOptions): Promise<DiskUsage>;
  /** The API version that we speak with this engine. */
  spokenVersion(options?: CallOptions): Promise<ApiVersion>;
}
