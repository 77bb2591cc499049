/** Addresses and default routers that come from router advertisements alone. */
export * from './advertised.ts';
