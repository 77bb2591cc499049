/** The names and labels that we write into the container engine. Each is made here and nowhere else. */
import { createHash } from 'node:crypto';

export function sha256Hex(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** One container of a service of a lease. */
export interface InstanceId {
  readonly lease: string;
  readonly service: string;
  readonly index: number;
}

export const containerName = ({ lease, service, index }: InstanceId): string =>
  `fred-${lease}-${service}-${index}`;

/** What a container is called between its making and the moment when it takes its place. */
export const upcomingName = (instance: InstanceId): string => `${containerName(instance)}-next`;

/** What a container is called while the one that replaces it has not proved itself. */
export const previousName = (instance: InstanceId): string => `${containerName(instance)}-prev`;

/** Set aside: never counts as a live container of its lease. */
export const isSetAside = (name: string): boolean => name.endsWith('-prev') || name.endsWith('-next');

/** The group of all containers of a lease, for the usual compose tools. */
export const projectName = (lease: string): string => `fred-${lease}`;

/** The member of the group that an instance is. */
export function projectServiceKey({ service, index }: InstanceId, quantity: number): string {
  return quantity > 1 ? `${service}-${index}` : service;
}

/** The reservation of an instance in the pool. */
export const allocationKey = ({ lease, service, index }: InstanceId): string =>
  `${lease}-${service}-${index}`;

export const tenantNetworkName = (tenant: string): string => `fred-tenant-${sha256Hex(tenant).slice(0, 16)}`;

/**
 * Lease ids are the caller's, and normally UUIDs. They end up in names of containers, so a new lease must have one that such
 * a name can carry; `retained-` would make its names those of another lease's kept data.
 */
export function leaseIdProblem(lease: string): string | undefined {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(lease))
    return 'it must be 1 to 128 letters, digits, ".", "_" and "-", beginning with a letter or digit';
  return lease.startsWith('retained-') ? 'it must not begin with "retained-"' : undefined;
}

/** The container labels from which a lease can be rebuilt when nothing else is left. */
export const label = {
  managed: 'fred.managed',
  lease: 'fred.lease_uuid',
  tenant: 'fred.tenant',
  provider: 'fred.provider_uuid',
  sku: 'fred.sku',
  createdAt: 'fred.created_at',
  instanceIndex: 'fred.instance_index',
  failCount: 'fred.fail_count',
  callbackUrl: 'fred.callback_url',
  backendName: 'fred.backend_name',
  serviceName: 'fred.service_name',
  fqdn: 'fred.fqdn',
  customDomain: 'fred.custom_domain',
  /** Ours: how many instances the service should have, so that a missing one is noticed. */
  quantity: 'fred.quantity',
  /** Ours: the operation that made the container, so that a repeated create finds what the first one left. */
  operation: 'fred.operation_id',
} as const;
