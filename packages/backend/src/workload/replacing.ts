/** A lease gets new containers, of the same manifest or another one; when that fails, it gets back those that it had. */
import type { Clock } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import {
  type Failure,
  failureText,
  type Lease,
  type Operation,
  rollbackFailed,
  rolledBack,
} from '../lease/index.ts';
import type { ReplaceResult } from '../leases/index.ts';
import type { StackManifest } from '../manifest/index.ts';
import { imagesOf } from '../operations/index.ts';
import type { Deployment, Planned } from './deployment.ts';
import { type Evidence, operationOf } from './evidence.ts';
import { Replacement, type ReplacementContext } from './replacement.ts';
import { StartupFailure } from './startup.ts';
import { StepFailure } from './step-failure.ts';
import { timeLimit } from './time-limit.ts';

type ReplacingKind = 'restart' | 'update';

export type Phase = 'image_setup' | 'volume_setup' | 'compose_up' | 'verify_startup';

export interface ReplacingContext extends ReplacementContext {
  readonly evidence: Evidence;
  readonly clock: Clock;
  readonly log: Log;
  readonly limitMs: number;
  /** A phase that succeeded. */
  readonly onPhase: (operation: ReplacingKind, phase: Phase, seconds: number) => void;
}

const rollbackMs = 120_000;

export class Replacing {
  readonly #context: ReplacingContext;

  constructor(context: ReplacingContext) {
    this.#context = context;
  }

  async run(lease: Lease, stop: AbortSignal): Promise<ReplaceResult> {
    const { clock, limitMs, deployment } = this.#context;
    const operation = operationOf(lease);
    const kind = replacingKind(operation);
    const replacement = new Replacement(this.#context, lease, operation);
    const oldStack = deployment.stack(lease.uuid, lease.release);
    using limit = timeLimit(clock, limitMs, `the ${kind}`, stop);
    let touched = false;
    try {
      touched = await replacement.hasBegun();
      const stack = deployment.stack(lease.uuid, operation.release);
      if (stack === undefined)
        throw new Error(`release ${operation.release} of lease ${lease.uuid} has no manifest`);
      const instances = deployment.instances(lease, operation.items ?? lease.items, stack);
      if (kind === 'update') await deployment.pull(stack, limit.signal);
      touched = true;
      const planned = await this.#planReplacement(lease, operation, kind, stack, instances, limit.signal);
      const phase = <T>(name: Phase, run: () => Promise<T>): Promise<T> => this.#timed(kind, name, run);
      await replacement.run(stack, oldStack, planned, phase, limit.signal);
      await this.#dropOld(replacement, lease);
      return { kind: 'replaced', images: imagesOf(stack) };
    } catch (error) {
      if (stop.aborted) throw error;
      return touched
        ? await this.#rollBack(lease, kind, replacement, oldStack, error)
        : await this.#refused(kind, error);
    }
  }

  async #planReplacement(
    lease: Lease,
    operation: Operation,
    kind: ReplacingKind,
    stack: StackManifest,
    instances: ReturnType<Deployment['instances']>,
    signal: AbortSignal,
  ): Promise<readonly Planned[]> {
    const { deployment } = this.#context;
    const facts = await this.#timed(kind, 'image_setup', () => deployment.inspect(stack, signal));
    const binds = await this.#timed(kind, 'volume_setup', () =>
      deployment.volumes(lease, instances, facts, { created: [], replacing: operation.id }, signal),
    );
    return await deployment.plan(lease, operation, instances, facts, binds);
  }

  async #timed<T>(operation: ReplacingKind, phase: Phase, run: () => Promise<T>): Promise<T> {
    const { clock, onPhase } = this.#context;
    const began = clock.monotonic();
    const result = await run();
    onPhase(operation, phase, (clock.monotonic() - began) / 1000);
    return result;
  }

  async #dropOld(replacement: Replacement, lease: Lease): Promise<void> {
    try {
      await replacement.dropOld();
    } catch (error) {
      this.#context.log.warn('replaced containers are left, to be removed later', {
        lease_uuid: lease.uuid,
        error: errorText(error),
      });
    }
  }

  /** No container was touched. An update that got no image has not reached what was wanted; a restart changes nothing. */
  async #refused(kind: ReplacingKind, error: unknown): Promise<ReplaceResult> {
    const failure = replaceFailure(kind, error, await this.#context.evidence.detail(error));
    return kind === 'update' ? { kind: 'failed', failure, logs: {} } : { kind: 'untouched', failure };
  }

  async #rollBack(
    lease: Lease,
    kind: ReplacingKind,
    replacement: Replacement,
    oldStack: StackManifest | undefined,
    error: unknown,
  ): Promise<ReplaceResult> {
    const { clock, log } = this.#context;
    const failure = replaceFailure(kind, error, await this.#context.evidence.detail(error));
    const logs = await this.#context.evidence.logs(lease);
    using limit = timeLimit(clock, rollbackMs, 'the way back');
    try {
      await replacement.back(oldStack, limit.signal);
      return { kind: 'recovered', failure: { ...failure, message: failure.message + rolledBack }, logs };
    } catch (left) {
      log.error('the way back failed', { lease_uuid: lease.uuid, operation: kind, error: errorText(left) });
      const detail = `${failure.detail}; rollback: ${errorText(left)}`;
      return {
        kind: 'failed',
        failure: { ...failure, message: failure.message + rollbackFailed, detail },
        logs,
      };
    }
  }
}

export const replacingKind = (operation: Operation | undefined): ReplacingKind =>
  operation?.kind === 'update' ? 'update' : 'restart';

export function replaceFailure(kind: ReplacingKind, error: unknown, detail = errorText(error)): Failure {
  const base = kind === 'update' ? failureText.update : failureText.restart;
  const reason = kind === 'update' ? 'UpdateFailed' : 'RestartFailed';
  if (!(error instanceof StepFailure)) return { reason, message: base, detail };
  if (error.reason === 'ImagePullFailed') return { reason: error.reason, message: error.text, detail };
  const startup = error.cause instanceof StartupFailure || error.text === failureText.exitedDuringStartup;
  return { reason, message: startup ? error.text : base, detail };
}
