/** From one instance of a lease to what the engine is asked to create. Pure. */
import { composeLabels } from '@berth/engine';
import { isoTime } from '@berth/service';
import type { ContainerCreateRequest, HealthConfig, Mount } from '@docker/node-sdk';
import { type IngressSettings, ingressLabels, routablePort } from '../ingress/index.ts';
import type { Lease } from '../lease/index.ts';
import { activeHealthCheck, type HealthCheck, type ServiceSpec } from '../manifest/index.ts';
import { containerName, label, projectName, projectServiceKey, sha256Hex } from '../names/index.ts';
import { type HardeningSettings, hardening, mib } from './hardening.ts';
import type { Instance } from './instances.ts';

export interface StackSettings extends HardeningSettings {
  readonly backendName: string;
  /** Address that ports are published on. */
  readonly hostBindIp: string;
  readonly tmpfsSizeMb: number;
  /** Absent: no proxy. */
  readonly ingress: IngressSettings | undefined;
}

/** A user by number; 0:0 is left to the image. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/** What is known of the place where the container will run. */
export interface Surroundings {
  /** The tenant's network; absent without isolation. */
  readonly network: string | undefined;
  readonly runAs: RunAs;
  /** Paths that the image declares as volumes. */
  readonly imageVolumes: readonly string[];
  /** Folders of the host mounted into the container, by their path in it. */
  readonly binds: ReadonlyMap<string, string>;
  readonly operationId: string;
  readonly createdAtMs: number;
}

type LeaseIdentity = Pick<Lease, 'uuid' | 'tenant' | 'provider' | 'callbackUrl' | 'failCount'>;

export interface ContainerPlan {
  readonly name: string;
  readonly request: ContainerCreateRequest;
}

export function containerPlan(
  settings: StackSettings,
  lease: LeaseIdentity,
  instance: Instance,
  surroundings: Surroundings,
): ContainerPlan {
  const { spec, service } = instance;
  const { network, runAs } = surroundings;
  return {
    name: containerName(instance),
    request: {
      Image: spec.image,
      ...(runAs.uid !== 0 || runAs.gid !== 0 ? { User: `${runAs.uid}:${runAs.gid}` } : {}),
      ...(spec.command.length > 0 && { Entrypoint: [...spec.command] }),
      ...(spec.args.length > 0 && { Cmd: [...spec.args] }),
      Env: Array.from(spec.env, ([name, value]) => `${name}=${value}`),
      ExposedPorts: exposedPorts(spec),
      ...(spec.healthCheck && { Healthcheck: healthConfig(spec.healthCheck) }),
      ...(spec.stopGraceNs !== undefined && { StopTimeout: Math.ceil(spec.stopGraceNs / 1e9) }),
      Labels: Object.fromEntries(labels(settings, lease, instance, surroundings)),
      HostConfig: {
        ...hardening(settings, instance.profile),
        ...(spec.init !== undefined && { Init: spec.init }),
        NetworkMode: network ?? 'bridge',
        PortBindings: portBindings(spec, settings.hostBindIp),
        Mounts: bindMounts(surroundings),
        Tmpfs: tmpfs(settings, spec, surroundings),
      },
      ...(network !== undefined && {
        NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [service] } } },
      }),
    },
  };
}

function exposedPorts({ ports, expose }: ServiceSpec): Record<string, object> {
  const published = ports.map(({ port, protocol }) => `${port}/${protocol}`);
  const documented = expose.map((port) => `${port}/tcp`);
  return Object.fromEntries([...new Set([...published, ...documented])].map((port) => [port, {}]));
}

/** The engine chooses the port: a tenant that could would take it from others. */
function portBindings({ ports }: ServiceSpec, hostIp: string) {
  return Object.fromEntries(
    ports.map(({ port, protocol }) => [`${port}/${protocol}`, [{ HostIp: hostIp, HostPort: '' }]]),
  );
}

function healthConfig({ test, intervalNs, timeoutNs, retries, startPeriodNs }: HealthCheck): HealthConfig {
  return {
    Test: [...test],
    ...(intervalNs !== undefined && { Interval: intervalNs }),
    ...(timeoutNs !== undefined && { Timeout: timeoutNs }),
    ...(retries !== undefined && { Retries: retries }),
    ...(startPeriodNs !== undefined && { StartPeriod: startPeriodNs }),
  };
}

/** Folders of the host, by their path in the container. */
const bindMounts = ({ binds }: Surroundings): Mount[] =>
  Array.from(binds, ([target, source]) => ({ Type: 'bind', Source: source, Target: target }));

/**
 * What lives in memory only: scratch space for everybody, and the volumes of the image for the one who runs it. A declared
 * volume that gets no folder must not become an anonymous one, which nobody limits and nobody removes.
 */
function tmpfs(settings: StackSettings, spec: ServiceSpec, { binds, imageVolumes, runAs }: Surroundings) {
  const size = `size=${settings.tmpfsSizeMb * mib}`;
  const owned = `mode=0700,uid=${runAs.uid},gid=${runAs.gid}`;
  const scratch = settings.readonlyRootfs ? ['/tmp', '/run', ...spec.tmpfs] : [];
  const options = new Map([
    ...imageVolumes.map((path) => [path, `rw,noexec,nosuid,nodev,${size},${owned}`] as const),
    ...scratch.map((path) => [path, `rw,noexec,nosuid,nodev,${size},mode=1777`] as const),
  ]);
  return Object.fromEntries([...options].filter(([path]) => !binds.has(path)));
}

/** Ours, then the tenant's, then the proxy's; what the compose tools go by cannot be set by anybody else. */
function labels(
  settings: StackSettings,
  lease: LeaseIdentity,
  instance: Instance,
  surroundings: Surroundings,
): ReadonlyMap<string, string> {
  const { item, service, index, spec } = instance;
  const { network, operationId, createdAtMs } = surroundings;
  const ours = new Map<string, string>([
    [label.managed, 'true'],
    [label.lease, lease.uuid],
    [label.tenant, lease.tenant],
    [label.provider, lease.provider],
    [label.sku, item.sku],
    [label.createdAt, isoTime(createdAtMs).replace(/\.\d+Z$/, 'Z')],
    [label.instanceIndex, String(index)],
    [label.failCount, String(lease.failCount)],
    [label.callbackUrl, lease.callbackUrl],
    [label.backendName, settings.backendName],
    [label.serviceName, service],
    [label.quantity, String(item.quantity)],
    [label.operation, operationId],
  ]);
  const port = routablePort(spec.ports);
  const routed =
    settings.ingress === undefined || network === undefined || port === undefined
      ? new Map<string, string>()
      : ingressLabels(settings.ingress, {
          instance,
          quantity: item.quantity,
          port,
          network,
          ...(item.customDomain !== '' && { customDomain: item.customDomain }),
        });
  return new Map([...ours, ...spec.labels, ...routed, ...bookkeeping(instance)]);
}

/** By these the usual compose tools find the group. */
function bookkeeping(instance: Instance): ReadonlyMap<string, string> {
  const { lease, item, spec } = instance;
  return new Map([
    [composeLabels.project, projectName(lease)],
    [composeLabels.service, projectServiceKey(instance, item.quantity)],
    [composeLabels.version, '2.26.1'],
    [composeLabels.oneOff, 'False'],
    [composeLabels.containerNumber, '1'],
    ['com.docker.compose.config-hash', sha256Hex(spec.image)],
  ]);
}

export const hasActiveHealthCheck = ({ spec }: Instance): boolean => activeHealthCheck(spec) !== undefined;
