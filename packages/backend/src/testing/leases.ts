/** Leases and events for tests, with everything filled in that the test does not speak of. */
import type { LeaseEvent, NewLease } from '../lease/events.ts';
import type { Failure, LeaseItem } from '../lease/record.ts';

/** Ids in the order of their numbers. */
export const leaseId = (n: number): string => `0190f5fb-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

export const item = (more: Partial<LeaseItem> = {}): LeaseItem => ({
  sku: 'small',
  quantity: 1,
  serviceName: 'web',
  customDomain: '',
  ...more,
});

export const newLease = (more: Partial<NewLease> = {}): NewLease => ({
  uuid: '0190f5fb-7a4e-7c2e-9d1a-3f2b1c0d4e5f',
  tenant: 'manifest1abc',
  provider: '0190aaaa-0000-7000-8000-000000000001',
  callbackUrl: 'http://127.0.0.1/callbacks/provision',
  items: [item()],
  images: { web: 'nginx' },
  allocations: [{ key: 'k', sku: 'small', cpuCores: 0.5, memoryMb: 512, diskMb: 0 }],
  lastRelease: 0,
  ...more,
});

const manifestBytes = (name = 'web'): Uint8Array =>
  new TextEncoder().encode(JSON.stringify({ services: { [name]: { image: 'nginx' } } }));

export const failure = (more: Partial<Failure> = {}): Failure => ({
  reason: 'ContainerExited',
  message: 'container creation failed',
  detail: 'the engine said so',
  ...more,
});

export const death = { service: 'web', index: 0, containerId: 'c1', exitCode: 1 };

export const opening = (
  name: 'ProvisionRequested' | 'RestoreReserved',
  operationId: string,
  lease: NewLease = newLease(),
): LeaseEvent => ({ name, operationId, lease, manifest: manifestBytes() });

export const replace = (name: 'RestartRequested' | 'UpdateRequested', operationId: string): LeaseEvent => {
  const common = { operationId, callbackUrl: '', items: [item()], allocations: newLease().allocations };
  return name === 'RestartRequested' ? { name, ...common } : { name, ...common, manifest: manifestBytes() };
};
