import type { Scope } from '@berth/service';
import {
  type Failure,
  failureText,
  type Lease,
  type LeaseEvent,
  type Operation,
  type OperationKind,
} from '../lease/index.ts';
import type { LeaseWork, Logs } from './work.ts';

/** How the work of an operation ended. */
interface Ended {
  readonly event: LeaseEvent;
  readonly logs: Logs;
}

/** The work of one operation, from its start to its end; its outcome is told to whoever started it, unless it was stopped. */
export class RunningWork {
  readonly kind: OperationKind;
  /** Resolves when nothing of the work runs any more; never rejects. */
  readonly ended: Promise<void>;
  readonly #stopped = new AbortController();

  constructor(scope: Scope, lease: Lease, operation: Operation, work: LeaseWork, listener: WorkListener) {
    this.kind = operation.kind;
    const part = scope.link(this.#stopped);
    this.ended = run(lease, operation, work, this.#stopped.signal, listener).finally(part);
    scope.spawn(`${operation.kind} of ${lease.uuid}`, () => this.ended);
  }

  /** Tells the work to stop. Its outcome will not be told. */
  stop(): void {
    this.#stopped.abort(new Error(`the ${this.kind} was preempted`));
  }
}

export interface WorkListener {
  readonly ended: (end: Ended) => void;
  /** The work failed in a way that it should not: with an exception of its own. */
  readonly panicked: (kind: 'provision' | 'replace' | 'diag' | 'deprovision', error: unknown) => void;
}

async function run(
  lease: Lease,
  operation: Operation,
  work: LeaseWork,
  stop: AbortSignal,
  listener: WorkListener,
): Promise<void> {
  let end: Ended;
  try {
    end = await endOf(lease, operation, work, stop);
  } catch (error) {
    if (stop.aborted) return;
    listener.panicked(panicKind[operation.kind], error);
    end = { event: crashed(lease, operation, error), logs: {} };
  }
  if (!stop.aborted) listener.ended(end);
}

const panicKind = {
  provision: 'provision',
  restart: 'replace',
  update: 'replace',
  restore: 'replace',
  diagnose: 'diag',
  deprovision: 'deprovision',
} as const;

async function endOf(lease: Lease, operation: Operation, work: LeaseWork, stop: AbortSignal): Promise<Ended> {
  const { id: operationId } = operation;
  switch (operation.kind) {
    case 'provision': {
      const result = await work.provision(lease, stop);
      if (result.kind === 'provisioned')
        return { event: { name: 'ProvisionCompleted', operationId, items: result.items }, logs: {} };
      const { failure, left, stays, logs } = result;
      return { event: { name: 'ProvisionErrored', operationId, failure, left, stays }, logs };
    }
    case 'restart':
    case 'update':
    case 'restore':
      return replaceEnd(operation, await work.replace(lease, stop));
    case 'diagnose': {
      const { detail, logs } = await work.diagnose(lease, stop);
      return { event: { name: 'DiagGathered', operationId, detail }, logs };
    }
    case 'deprovision': {
      const result = await work.deprovision(lease, stop);
      if (result.kind === 'closed')
        return { event: { name: 'DeprovisionCompleted', operationId, retained: result.retained }, logs: {} };
      const name = result.kind === 'exhausted' ? 'DeprovisionExhausted' : 'DeprovisionErrored';
      return { event: { name, operationId, failure: result.failure }, logs: {} };
    }
  }
}

function replaceEnd(operation: Operation, result: Awaited<ReturnType<LeaseWork['replace']>>): Ended {
  const { id: operationId } = operation;
  switch (result.kind) {
    case 'replaced':
      return { event: { name: 'ReplaceCompleted', operationId, images: result.images }, logs: {} };
    case 'recovered':
      return {
        event: { name: 'ReplaceRecovered', operationId, failure: result.failure, replaced: true },
        logs: result.logs,
      };
    case 'untouched': {
      const { failure } = result;
      // Nothing has changed: what was ready is ready.
      const event: LeaseEvent = operation.wasReady
        ? { name: 'ReplaceRecovered', operationId, failure, replaced: false }
        : { name: 'ReplaceFailed', operationId, failure };
      return { event, logs: {} };
    }
    case 'failed': {
      const { failure, logs, left = false } = result;
      return { event: { name: 'ReplaceFailed', operationId, failure, ...(left && { left }) }, logs };
    }
  }
}

/** The outcome of work that crashed, or that cannot be taken up again. */
export function crashed(lease: Lease, operation: Operation, error: unknown): LeaseEvent {
  const { id: operationId } = operation;
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const failure: Failure = { reason: 'Internal', message: failureText.internal, detail };
  switch (operation.kind) {
    case 'provision':
      // Whoever crashed has not cleaned up.
      return { name: 'ProvisionErrored', operationId, failure, left: true };
    case 'restart':
    case 'update':
      return { name: 'ReplaceFailed', operationId, failure };
    case 'restore':
      return lease.status === 'provisioning'
        ? { name: 'RestoreAbandoned', operationId }
        : { name: 'ReplaceFailed', operationId, failure, left: true };
    case 'diagnose':
      return { name: 'DiagGathered', operationId, detail: '' };
    case 'deprovision':
      return {
        name: 'DeprovisionErrored',
        operationId,
        failure: { reason: 'CleanupFailed', message: failureText.cleanup, detail },
      };
  }
}
