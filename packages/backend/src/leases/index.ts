export type { ActorContext } from './actor.ts';
export { debtTask } from './aftermath.ts';
export { LeaseBook, type LeasePage, type Loaded } from './book.ts';
export type { Message, Request } from './messages.ts';
export { type ActorSnapshot, LeaseRegistry } from './registry.ts';
export type {
  DeprovisionResult,
  DiagnoseResult,
  LeaseMeter,
  LeaseOutlets,
  LeaseWork,
  Logs,
  ProvisionResult,
  Rediscovered,
  ReplaceResult,
} from './work.ts';
