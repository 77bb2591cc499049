/** Takes the containers of a lease down, and says so only when none is left. */
import { errorText, type Log } from '@berth/service/log';
import type { StackManifest } from '../manifest/index.ts';
import type { ContainerHandling } from './handling.ts';
import type { ContainerListing, LeaseContainer } from './listing.ts';
import { inStopOrder, together } from './order.ts';

export type TeardownReason =
  | 'deprovision'
  | 'provision_cleanup'
  | 'restore_prelude'
  | 'restore_rollback'
  | 'restore_reconcile';

export interface TeardownContext {
  readonly listing: ContainerListing;
  readonly handling: ContainerHandling;
  readonly log: Log;
  /** The orderly way failed, and the hard one was taken. */
  readonly onFallback: (reason: TeardownReason, outcome: 'recovered' | 'failed') => void;
}

export interface TeardownOptions {
  readonly reason: TeardownReason;
  readonly stopGraceS: number;
  /** Known: what depends on others stops before them. */
  readonly stack: StackManifest | undefined;
}

const never = new AbortController().signal;

export class Teardown {
  readonly #context: TeardownContext;

  constructor(context: TeardownContext) {
    this.#context = context;
  }

  /** Rejects when something may be left: nothing may then be done that relies on its absence. */
  async ofLease(lease: string, options: TeardownOptions): Promise<void> {
    const { log, onFallback } = this.#context;
    try {
      const found = await this.#orderly(lease, options);
      if (!found || (await this.#isGone(lease))) return;
      throw new Error('containers are left');
    } catch (error) {
      log.warn('tearing down container by container', {
        lease_uuid: lease,
        operation: options.reason,
        error: errorText(error),
      });
    }
    try {
      await this.#hard(lease);
      onFallback(options.reason, 'recovered');
    } catch (error) {
      onFallback(options.reason, 'failed');
      throw error;
    }
  }

  /** Was there anything? */
  async #orderly(lease: string, { stopGraceS, stack }: TeardownOptions): Promise<boolean> {
    const { listing, handling } = this.#context;
    const { containers, unreadable } = await listing.ofLease(lease);
    if (containers.length + unreadable.length === 0) return false;
    const stopOne = ({ id }: LeaseContainer): Promise<void> => handling.stop(id, stopGraceS);
    const known = (service: string): boolean => stack?.services.has(service) === true;
    if (stack !== undefined)
      await inStopOrder(stack.services, never, ({ service, signal }) =>
        together(
          containers.filter((one) => one.service === service),
          signal,
          stopOne,
        ),
      );
    await together(
      containers.filter(({ service }) => !known(service)),
      never,
      stopOne,
    );
    const ids = [...containers.map(({ id }) => id), ...unreadable];
    await together(ids, never, (id) => handling.remove(id));
    return true;
  }

  /** By discovery alone: what was recorded of a lease that never became ready says nothing. */
  async #hard(lease: string): Promise<void> {
    const { listing, handling } = this.#context;
    const { containers, unreadable } = await listing.ofLease(lease);
    await together([...containers.map(({ id }) => id), ...unreadable], never, (id) => handling.remove(id));
    if (!(await this.#isGone(lease))) throw new Error(`containers of lease ${lease} cannot be removed`);
  }

  async #isGone(lease: string): Promise<boolean> {
    const { containers, unreadable } = await this.#context.listing.ofLease(lease);
    return containers.length + unreadable.length === 0;
  }
}
