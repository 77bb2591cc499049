import type { Death, Lease, LeaseEvent, Owed } from '../lease/index.ts';
import type { Logs } from './work.ts';

/** Something that a caller asks for, and waits to have accepted or refused. */
export interface Request {
  /**
   * Makes the event from the lease as it is when its turn comes, and reserves what it needs; throws what the caller is to
   * be answered.
   */
  prepare(lease: Lease | undefined, operationId: string): LeaseEvent;
  /** The answer when the machine refuses. */
  refusal(lease: Lease | undefined): Error;
  /** The lease is in the state that was asked for, durably; `lease` is what became of it. */
  accepted(lease: Lease | undefined): void;
  failed(error: unknown): void;
  /** Has the caller given up? Then nobody may act for him any more. */
  abandoned(): boolean;
}

/** What can be put into an inbox; `handled` is called when its turn is over, however it went. */
export type Message = Content & { readonly handled?: () => void };

type Content =
  | { readonly kind: 'request'; readonly request: Request }
  /** The result of our own work. */
  | { readonly kind: 'outcome'; readonly event: LeaseEvent; readonly logs: Logs }
  /** A container is said to have died; to be confirmed. */
  | { readonly kind: 'death'; readonly suspect: Death }
  /** Something was found while comparing; void if the lease has changed since. */
  | { readonly kind: 'fact'; readonly event: LeaseEvent; readonly basis: Lease; readonly logs: Logs }
  /** Containers of a lease were found that nobody knows of. */
  | { readonly kind: 'adopt' }
  /** Containers that were set aside were found, and nothing is going on. */
  | { readonly kind: 'tidy' }
  /** An unfinished close is to be tried again. */
  | { readonly kind: 'closeAgain' }
  /** The process has been restarted: tell what the caller was owed then. */
  | { readonly kind: 'settle'; readonly owed: Owed }
  /** The process has been restarted: go on with what was under way. */
  | { readonly kind: 'resume' };
