import type { Scope } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import type { Lease, Owed } from '../lease/index.ts';
import type { LeaseBook } from './book.ts';
import type { LeaseOutlets, Logs } from './work.ts';

/** The name of what goes on while the record of a lease lets go of what its caller is owed. */
export const debtTask = 'debt of';

interface Surroundings {
  readonly scope: Scope;
  readonly log: Log;
  readonly book: LeaseBook;
  readonly outlets: LeaseOutlets;
}

/**
 * What a transition of a lease leaves to be done elsewhere: for its diagnostics, for a restore into it, for its caller. The lease
 * goes on whatever becomes of that: what does not succeed is logged, and done later, again, or not at all.
 */
export class Aftermath {
  readonly #uuid: string;
  readonly #context: Surroundings;

  constructor(uuid: string, context: Surroundings) {
    this.#uuid = uuid;
    this.#context = context;
  }

  async settleRestore(): Promise<void> {
    const { outlets, log } = this.#context;
    await outlets
      .settleRestore(this.#uuid)
      .catch((error: unknown) =>
        log.warn('a restore could not be settled yet', { lease_uuid: this.#uuid, error: errorText(error) }),
      );
  }

  async diagnostics(
    action: 'keepDiagnostics' | 'dropDiagnostics',
    lease: Lease | undefined,
    logs: Logs,
  ): Promise<void> {
    const { outlets, log } = this.#context;
    try {
      if (action === 'dropDiagnostics') await outlets.dropDiagnostics(this.#uuid);
      else if (lease !== undefined) await outlets.keepDiagnostics(lease, logs);
    } catch (error) {
      log.warn('diagnostics could not be stored', { lease_uuid: this.#uuid, error: errorText(error) });
    }
  }

  /**
   * Hands what the caller is owed to the outbox and clears the debt in the lease's record; delivery begins when both are
   * durable, so that a crash in between repeats the handing over and not the telling. The lease need not wait for the second.
   */
  async tell(owed: Owed): Promise<void> {
    const { outlets, log, scope } = this.#context;
    try {
      await outlets.enqueue(this.#uuid, owed);
    } catch (error) {
      log.error('callback could not be stored', { lease_uuid: this.#uuid, error: errorText(error) });
      outlets.deliverUnstored(this.#uuid, owed);
      return;
    }
    scope.spawn(`${debtTask} ${this.#uuid}`, () => this.#clearDebt(owed));
  }

  async #clearDebt(owed: Owed): Promise<void> {
    const { outlets, book, log } = this.#context;
    try {
      await book.settle(this.#uuid);
    } catch (error) {
      log.error('a callback could not be cleared from the record, it may come again', {
        lease_uuid: this.#uuid,
        error: errorText(error),
      });
    }
    outlets.deliver(this.#uuid, owed);
  }
}
