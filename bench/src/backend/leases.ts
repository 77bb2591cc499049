/** Leases for benchmarks: as large as the usual one, with an id of their own. */
import type { Allocation, LeaseItem } from '@berth/backend';

export const uuidOf = (n: number): string => `0190f5fb-0000-7000-8000-${String(n).padStart(12, '0')}`;

const item: LeaseItem = { sku: 'small', quantity: 1, serviceName: 'web', customDomain: '' };
const service = { image: 'nginx:1.27', ports: { '80/tcp': {} }, env: { GREETING: 'hello' } };
const manifest = new TextEncoder().encode(JSON.stringify({ services: { web: service } }));

export interface LeaseParts {
  readonly uuid: string;
  readonly lease: {
    readonly uuid: string;
    readonly tenant: string;
    readonly provider: string;
    readonly callbackUrl: string;
    readonly items: readonly LeaseItem[];
    readonly images: Readonly<Record<string, string>>;
    readonly allocations: readonly Allocation[];
    readonly lastRelease: number;
  };
  readonly manifest: Uint8Array;
  /** What an update asks for: the same again. */
  readonly update: {
    readonly callbackUrl: string;
    readonly items: readonly LeaseItem[];
    readonly allocations: readonly Allocation[];
    readonly manifest: Uint8Array;
  };
}

export function leaseParts(uuid: string): LeaseParts {
  const allocations = [{ key: `${uuid}-web-0`, sku: 'small', cpuCores: 0.5, memoryMb: 512, diskMb: 0 }];
  const items = [item];
  return {
    uuid,
    manifest,
    update: { callbackUrl: '', items, allocations, manifest },
    lease: {
      uuid,
      tenant: `manifest1tenant${uuid.slice(-2)}`,
      provider: '0190aaaa-0000-7000-8000-000000000001',
      callbackUrl: 'https://provider.example/callbacks/provision',
      items,
      images: { web: 'nginx:1.27' },
      allocations,
      lastRelease: 0,
    },
  };
}
