/** The lease backend: hardened containers for tenants. */
export {};
