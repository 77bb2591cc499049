/** A lease comes to life on the kept data of a closed one. There is nothing to go back to but that data being kept again. */
import type { Clock } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import { type Failure, failureText, type Lease, rollbackFailed, stagedRelease } from '../lease/index.ts';
import type { ReplaceResult } from '../leases/index.ts';
import type { StackManifest } from '../manifest/index.ts';
import { containerName } from '../names/index.ts';
import { imagesOf } from '../operations/index.ts';
import type { OpenVolumes } from '../volumes/index.ts';
import type { Deployment, Made, Planned } from './deployment.ts';
import { type Evidence, operationOf } from './evidence.ts';
import type { ImageFacts } from './image-facts.ts';
import { StartupFailure } from './startup.ts';
import { StepFailure } from './step-failure.ts';
import type { Teardown } from './teardown.ts';
import { timeLimit } from './time-limit.ts';

/** Where the data comes from, and goes back to. */
export interface KeptData {
  /** Rejects unless all of it has the names of the new lease. */
  demandAdopted(newLease: string): Promise<void>;
  /** Gives it back; false when that could not be done yet. */
  failed(newLease: string): Promise<boolean>;
}

export type RestorePhase = 'image_setup' | 'volume_setup' | 'compose_up' | 'verify_startup';

export interface RestoreRunContext {
  readonly deployment: Deployment;
  readonly teardown: Teardown;
  readonly evidence: Evidence;
  readonly kept: KeptData;
  readonly disk: OpenVolumes;
  readonly clock: Clock;
  readonly log: Log;
  readonly limitMs: number;
  readonly onPhase: (phase: RestorePhase, seconds: number) => void;
  readonly onEnd: (outcome: 'success' | 'failure', seconds: number) => void;
}

const cleanupGraceS = 10;

export class RestoreRun {
  readonly #context: RestoreRunContext;

  constructor(context: RestoreRunContext) {
    this.#context = context;
  }

  async run(lease: Lease, stop: AbortSignal): Promise<ReplaceResult> {
    const { clock, limitMs, onEnd } = this.#context;
    const began = clock.monotonic();
    using limit = timeLimit(clock, limitMs, 'the restore', stop);
    try {
      const images = await this.#deploy(lease, limit.signal);
      onEnd('success', (clock.monotonic() - began) / 1000);
      return { kind: 'replaced', images };
    } catch (error) {
      if (stop.aborted) throw error;
      // Counted before anything else can fail.
      onEnd('failure', (clock.monotonic() - began) / 1000);
      return await this.#takeBack(lease, error);
    }
  }

  async #deploy(lease: Lease, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const { deployment, kept } = this.#context;
    const operation = operationOf(lease);
    const stack = deployment.stack(lease.uuid, stagedRelease);
    if (stack === undefined) throw new Error(`lease ${lease.uuid} has no manifest to restore`);
    if (operation.resumed > 0) await this.#clear(lease, stack);
    await kept.demandAdopted(lease.uuid);
    const facts = await this.#timed('image_setup', () => this.#images(stack, signal));
    const instances = deployment.instances(lease, lease.items, stack);
    const binds = await this.#timed('volume_setup', () =>
      deployment.volumes(lease, instances, facts, { created: [], replacing: undefined }, signal),
    );
    const made = await this.#timed('compose_up', async () => {
      const planned = await deployment.plan(lease, operation, instances, facts, binds);
      return await this.#up(stack, planned, signal);
    });
    await this.#timed('verify_startup', () => deployment.verify(made, signal));
    return imagesOf(stack);
  }

  /** What is on the host is used as it is; what is not is pulled. */
  async #images(stack: StackManifest, signal: AbortSignal): Promise<ReadonlyMap<string, ImageFacts>> {
    const { deployment } = this.#context;
    try {
      return await deployment.inspect(stack, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#context.log.info('pulling the images of a restore', { reason: errorText(error) });
      await deployment.pull(stack, signal);
      return await deployment.inspect(stack, signal);
    }
  }

  async #up(
    stack: StackManifest,
    planned: readonly Planned[],
    signal: AbortSignal,
  ): Promise<readonly Made[]> {
    const { deployment } = this.#context;
    const made = await deployment.create(planned, containerName, signal);
    await deployment.start(stack, made, signal);
    return made;
  }

  async #timed<T>(phase: RestorePhase, run: () => Promise<T>): Promise<T> {
    const { clock, onPhase } = this.#context;
    const began = clock.monotonic();
    const result = await run();
    onPhase(phase, (clock.monotonic() - began) / 1000);
    return result;
  }

  async #clear({ uuid }: Lease, stack: StackManifest | undefined): Promise<void> {
    const { teardown } = this.#context;
    await teardown.ofLease(uuid, { reason: 'restore_rollback', stopGraceS: cleanupGraceS, stack });
  }

  /** First the containers, which would go on writing into what is given back; only when none is left, the data. */
  async #takeBack(lease: Lease, error: unknown): Promise<ReplaceResult> {
    const { evidence, deployment, kept, disk, log } = this.#context;
    const failure = restoreFailure(error, await evidence.detail(error));
    const logs = await evidence.logs(lease);
    let left = true;
    try {
      await this.#clear(lease, deployment.stack(lease.uuid, stagedRelease));
      const givenBack = await kept.failed(lease.uuid);
      // What was made besides has nothing in it that anybody was promised; what could not be given back is not ours to destroy.
      const made = await disk.volumes.ofLease(lease.uuid);
      const { leftOnDisk } = await disk.door.operation(lease.uuid).destroy('provision_cleanup', made);
      left = !givenBack || leftOnDisk;
    } catch (problem) {
      log.error('something of a restore that failed is left, to be looked after later', {
        lease_uuid: lease.uuid,
        error: errorText(problem),
      });
    }
    return { kind: 'failed', failure, logs, left };
  }
}

function restoreFailure(error: unknown, detail: string): Failure {
  const base = { reason: 'RestoreFailed', message: failureText.restore + rollbackFailed, detail } as const;
  if (!(error instanceof StepFailure)) return base;
  if (error.reason === 'ImagePullFailed') return { reason: error.reason, message: error.text, detail };
  const startup = error.cause instanceof StartupFailure || error.text === failureText.exitedDuringStartup;
  return startup ? { ...base, message: error.text + rollbackFailed } : base;
}
