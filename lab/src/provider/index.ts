/** A provider daemon for tests, the demo and benchmarks: what calls docker-backend, and hears what becomes of its leases. */
export {
  accepted,
  type Item,
  type NewLease,
  ProviderClient,
  type Refusal,
  type Reply,
  refused,
} from './client.ts';
export { CallbackDesk } from './desk.ts';
export { BackendProgram, backendMain, backendSecret, storesIn } from './program.ts';
export { Provider, type ProviderOptions, pageOf } from './provider.ts';
export { signatureOf } from './signature.ts';
export type { Callback, Instance, Provision } from './wire.ts';
