import type { ContainerConfig, ContainerCreateRequest, HostConfig } from '@docker/node-sdk';
import type { CallOptions, Filters, Reply } from '../http/index.ts';
import type { ContainerLogs, LogQuery } from './logs.ts';

export type ContainerStatus =
  | 'created'
  | 'running'
  | 'paused'
  | 'restarting'
  | 'removing'
  | 'exited'
  | 'dead'
  /** One that the engine has learnt after us. */
  | 'unknown';

/** One container's place on one network, as far as it has one. */
export interface Attachment {
  readonly networkId: string | undefined;
  readonly endpointId: string | undefined;
  readonly ipv4: string | undefined;
  /** The global one. */
  readonly ipv6: string | undefined;
  readonly mac: string | undefined;
  readonly gateway: string | undefined;
}

export interface ContainerSummary {
  readonly id: string;
  /** Without leading slashes; the container's own name first. */
  readonly names: readonly string[];
  readonly image: string;
  readonly imageId: string;
  /** Seconds since the epoch. */
  readonly createdAt: number;
  readonly status: ContainerStatus;
  /** For people: "Up 3 hours (healthy)". */
  readonly statusText: string;
  readonly labels: Readonly<Record<string, string>>;
  /** "bridge", the name of a network, "host", "none", "container:<id>". */
  readonly networkMode: string;
  /** By the network's name. */
  readonly attachments: Readonly<Record<string, Attachment>>;
}

export interface ContainerState {
  readonly status: ContainerStatus;
  readonly running: boolean;
  readonly paused: boolean;
  readonly restarting: boolean;
  readonly oomKilled: boolean;
  /** 0 while it does not run. */
  readonly pid: number;
  readonly exitCode: number;
  /** Why the last start failed. */
  readonly error: string | undefined;
  /** RFC 3339; absent while it was never started. */
  readonly startedAt: string | undefined;
  readonly finishedAt: string | undefined;
  /** Absent without a health check. */
  readonly health: 'starting' | 'healthy' | 'unhealthy' | undefined;
}

export interface MountPoint {
  readonly type: string;
  /** Of a volume. */
  readonly name: string | undefined;
  readonly source: string | undefined;
  readonly target: string;
  readonly writable: boolean;
}

/** An attachment with what was asked for when it was made. */
export interface AttachmentDetails extends Attachment {
  readonly aliases: readonly string[];
  readonly links: readonly string[];
  readonly driverOptions: Readonly<Record<string, string>>;
  readonly gatewayPriority: number | undefined;
  readonly fixedIpv4: string | undefined;
  readonly fixedIpv6: string | undefined;
  readonly linkLocalAddresses: readonly string[];
}

export interface PublishedPort {
  /** "80/tcp" */
  readonly containerPort: string;
  readonly hostIp: string;
  readonly hostPort: number;
}

export interface ContainerDetails {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** As it was asked for. */
  readonly image: string;
  readonly imageId: string;
  readonly state: ContainerState;
  readonly restartCount: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly networkMode: string;
  readonly tty: boolean;
  /** By the network's name. */
  readonly attachments: Readonly<Record<string, AttachmentDetails>>;
  readonly mounts: readonly MountPoint[];
  readonly ports: readonly PublishedPort[];
  /** As the engine tells it, typed by its API's model and not looked at: for building a create request from it. */
  readonly config: Readonly<ContainerConfig>;
  /** Like `config`. */
  readonly hostConfig: Readonly<HostConfig>;
}

export interface ContainerQuery {
  /** Also those that do not run. */
  readonly all?: boolean;
  readonly filters?: Filters;
}

export interface CreateOptions extends CallOptions {
  readonly name?: string;
  /** "linux/arm64" */
  readonly platform?: string;
}

export interface Created {
  readonly id: string;
  readonly warnings: readonly string[];
}

export interface StopOptions extends CallOptions {
  /** How long the container may take before it is killed; default: its own, else ten seconds. */
  readonly graceS?: number | undefined;
}

export interface RemoveOptions extends CallOptions {
  /** Kill it first if it runs. */
  readonly force?: boolean;
  /** Take its anonymous volumes along. */
  readonly volumes?: boolean;
}

export interface ExecOptions extends CallOptions {
  readonly user?: string;
  readonly env?: readonly string[];
  readonly workingDir?: string;
  readonly privileged?: boolean;
  /** Of stdout and stderr together; what comes beyond is dropped. Default: 1 MiB. */
  readonly maxBytes?: number;
}

export interface Executed {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether output was dropped. */
  readonly truncated: boolean;
}

/** `ref` is an id, the beginning of one, or a name. */
export interface Containers {
  list(query?: ContainerQuery, options?: CallOptions): Promise<ContainerSummary[]>;
  inspect(ref: string, options?: CallOptions): Promise<ContainerDetails>;
  /** Never pulls. */
  create(request: ContainerCreateRequest, options?: CreateOptions): Promise<Created>;
  /** false: it was running already. */
  start(ref: string, options?: CallOptions): Promise<boolean>;
  /** false: it was not running. */
  stop(ref: string, options?: StopOptions): Promise<boolean>;
  restart(ref: string, options?: StopOptions): Promise<void>;
  kill(ref: string, signal?: string, options?: CallOptions): Promise<void>;
  rename(ref: string, name: string, options?: CallOptions): Promise<void>;
  remove(ref: string, options?: RemoveOptions): Promise<void>;
  /** The exit code, once it does not run any more (default), has run once more, or is gone. No time limit of its own. */
  wait(ref: string, until?: 'not-running' | 'next-exit' | 'removed', options?: CallOptions): Promise<number>;
  /** What it has printed so far. */
  logs(ref: string, query?: LogQuery, options?: CallOptions): Promise<ContainerLogs>;
  /** Runs a program in the running container, without input and without a terminal, to its end. */
  exec(ref: string, argv: readonly string[], options?: ExecOptions): Promise<Executed>;
  /** A tar of a path in the container. Read it to the end or dispose of it. */
  readArchive(ref: string, path: string, options?: CallOptions): Promise<Reply>;
  /** Unpacks a tar below a folder of the container. */
  writeArchive(
    ref: string,
    folder: string,
    tar: AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): Promise<void>;
  /** Changes limits or the restart policy of the container as it is. */
  update(ref: string, changes: ContainerChanges, options?: CallOptions): Promise<void>;
}

export type ContainerChanges = Pick<
  HostConfig,
  'RestartPolicy' | 'Memory' | 'MemorySwap' | 'MemoryReservation' | 'NanoCpus' | 'CpuShares' | 'PidsLimit'
>;
