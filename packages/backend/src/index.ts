/** The lease backend: hardened containers for tenants. */
export * from './api/index.ts';
export * from './callbacks/index.ts';
export * from './config/index.ts';
export * from './ingress/index.ts';
export * from './lease/index.ts';
export * from './leases/index.ts';
export * from './manifest/index.ts';
export * from './metrics/index.ts';
export * from './names/index.ts';
export * from './operations/index.ts';
export * from './placement/index.ts';
export * from './signature/index.ts';
export * from './stack/index.ts';
export * from './stores/index.ts';
