/** Leases, releases and the rest in the form that goes over the wire. What is empty is left out. */
import { isoTime } from '@berth/service';
import { expectedContainers, type Lease, type LeaseItem } from '../lease/index.ts';
import type { InstanceFacts, ProvisionView } from '../operations/index.ts';
import type { PoolUsage } from '../placement/index.ts';
import { leaseItems } from '../retention/index.ts';
import type { Release, RetentionRecord } from '../stores/index.ts';
import type { LeaseInfo, ProvisionInfo, ReleaseInfo, Stats, WireInstance } from './schemas.ts';

const zeroTime = '0001-01-01T00:00:00Z';

// A page is a thousand of these, so they are objects of one shape: composed of parts, they are made and written with half as much
// work again. What is undefined is not written.
const unlessEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

const wireItem = ({ sku, quantity, serviceName, customDomain }: LeaseItem) => ({
  sku,
  quantity,
  service_name: unlessEmpty(serviceName),
  custom_domain: unlessEmpty(customDomain),
});

export function liveInfo(lease: Lease): ProvisionInfo {
  const { failure, items, images } = lease;
  return {
    lease_uuid: lease.uuid,
    provider_uuid: lease.provider,
    status: lease.status,
    created_at: isoTime(lease.createdAtMs),
    fail_count: lease.failCount,
    reason: failure?.reason ?? (lease.status === 'failed' ? 'Unknown' : undefined),
    message: unlessEmpty(failure?.message),
    retained_until: zeroTime,
    quantity: expectedContainers(lease),
    items: items.length > 0 ? items.map(wireItem) : undefined,
    service_images: Object.keys(images).length > 0 ? images : undefined,
  };
}

function retainedInfo(record: RetentionRecord, retainedUntilMs: number | undefined): ProvisionInfo {
  return {
    lease_uuid: record.original_lease_uuid,
    provider_uuid: record.provider_uuid,
    status: 'retained',
    created_at: record.created_at,
    fail_count: 0,
    retained_until: retainedUntilMs === undefined ? zeroTime : isoTime(retainedUntilMs),
    tenant: record.tenant,
    ...(record.partition !== undefined && record.partition !== '' && { partition: record.partition }),
    quantity: 0,
    ...(record.items.length > 0 && { items: leaseItems(record.items).map(wireItem) }),
  };
}

export function provisionInfo(view: ProvisionView): ProvisionInfo {
  switch (view.kind) {
    case 'live':
      return liveInfo(view.lease);
    case 'retained':
      return retainedInfo(view.record, view.retainedUntilMs);
    case 'gone':
      return {
        lease_uuid: view.lease,
        provider_uuid: view.provider,
        status: 'failed',
        created_at: view.createdAt,
        fail_count: view.failCount,
        reason: view.reason === '' ? 'Unknown' : view.reason,
        ...(view.message !== '' && { message: view.message }),
        retained_until: zeroTime,
        quantity: 0,
      };
  }
}

/** How much of an engine id goes out. */
const shortId = 12;

export function leaseInfo(host: string, facts: readonly InstanceFacts[]): LeaseInfo {
  // A service may be called like something that every object of the language has.
  const services = new Map<string, { instances: WireInstance[] }>();
  const instances = facts.map((one) => {
    const instance = wireInstance(one);
    const { instances: siblings } = services.get(one.service) ?? { instances: [] };
    services.set(one.service, { instances: [...siblings, instance] });
    return instance;
  });
  return { host, instances, services: Object.fromEntries(services) };
}

function wireInstance({ index, containerId, image, status, fqdn, ports }: InstanceFacts): WireInstance {
  const bound = Array.from(ports, ([port, { hostIp, hostPort }]) => [
    port,
    { host_ip: hostIp, host_port: hostPort },
  ]);
  return {
    instance_index: index,
    container_id: containerId.slice(0, shortId),
    image,
    status,
    ...(fqdn !== undefined && { fqdn }),
    ...(bound.length > 0 && { ports: Object.fromEntries(bound) }),
  };
}

export function releaseInfo({
  version,
  status,
  createdAtMs,
  manifest,
  reason,
  message,
}: Release): ReleaseInfo {
  const shown = reason ?? (status === 'failed' ? 'Unknown' : undefined);
  return {
    version,
    image: 'stack',
    status,
    created_at: isoTime(createdAtMs),
    ...(shown !== undefined && { reason: shown }),
    ...(message !== undefined && { message }),
    manifest: manifest.length === 0 ? null : Buffer.from(manifest).toString('base64'),
  };
}

export function stats({ total, allocated, available, allocations }: PoolUsage): Stats {
  return {
    total_cpu_cores: total.cpuCores,
    allocated_cpu_cores: allocated.cpuCores,
    available_cpu_cores: available.cpuCores,
    total_memory_mb: total.memoryMb,
    allocated_memory_mb: allocated.memoryMb,
    available_memory_mb: available.memoryMb,
    total_disk_mb: total.diskMb,
    allocated_disk_mb: allocated.diskMb,
    available_disk_mb: available.diskMb,
    active_containers: allocations,
  };
}
