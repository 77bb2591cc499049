/** A tenant's manifest after every rule has been checked: what the rest of the backend works with. */

export type Protocol = 'tcp' | 'udp';

export interface PortSpec {
  readonly port: number;
  readonly protocol: Protocol;
  /** The tenant asked for this port to be the one behind the public host name. */
  readonly ingress: boolean;
  /** Only in manifests that were stored before fixed host ports were refused; 0 otherwise. */
  readonly hostPort: number;
}

/** Durations that are absent or 0 are left to the container engine. */
export interface HealthCheck {
  readonly test: readonly string[];
  readonly intervalNs?: number;
  readonly timeoutNs?: number;
  readonly retries?: number;
  readonly startPeriodNs?: number;
}

export type DependencyCondition = 'service_started' | 'service_healthy';

export interface ServiceSpec {
  readonly image: string;
  readonly ports: readonly PortSpec[];
  readonly env: ReadonlyMap<string, string>;
  /** Replaces the image's entry point when not empty. */
  readonly command: readonly string[];
  /** Replaces the image's command when not empty. */
  readonly args: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
  readonly healthCheck?: HealthCheck;
  /** Normalised absolute paths. */
  readonly tmpfs: readonly string[];
  readonly user?: string;
  readonly dependsOn: ReadonlyMap<string, DependencyCondition>;
  readonly stopGraceNs?: number;
  readonly init?: boolean;
  readonly expose: readonly number[];
}

export interface StackManifest {
  /** In ascending order of their names. */
  readonly services: ReadonlyMap<string, ServiceSpec>;
}

/** The service that a flat manifest and a lone unnamed item become. */
export const flatServiceName = 'app';

/** A check that is switched off (`NONE`) is there, but not active. */
export function activeHealthCheck(service: ServiceSpec): HealthCheck | undefined {
  return service.healthCheck === undefined || service.healthCheck.test[0] === 'NONE'
    ? undefined
    : service.healthCheck;
}
