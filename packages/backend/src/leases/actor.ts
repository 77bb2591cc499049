/** One lease's serial executor: everything that happens to the lease happens here, one thing after another. */
import { type Cancellable, type Clock, Mailbox, type Scope, sleep } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import { type Death, type Lease, type LeaseEvent, type Transition, transition } from '../lease/index.ts';
import type { ResourcePool } from '../placement/index.ts';
import { Aftermath } from './aftermath.ts';
import type { LeaseBook } from './book.ts';
import type { Message, Request } from './messages.ts';
import { crashed, RunningWork } from './running-work.ts';
import type { LeaseMeter, LeaseOutlets, LeaseWork, Logs } from './work.ts';

export interface ActorContext {
  readonly scope: Scope;
  readonly clock: Clock;
  readonly log: Log;
  readonly book: LeaseBook;
  readonly pool: ResourcePool;
  readonly work: LeaseWork;
  readonly outlets: LeaseOutlets;
  readonly meter: LeaseMeter;
  readonly newOperationId: () => string;
}

/** How many messages may wait. */
export const inboxCapacity = 16;

/** How long a transition waits for work that was told to stop: longer than any stretch of it that does not look. */
const stopWaitMs = 180_000;

/** How often a restarted process takes the same operation up again before it counts as one that crashes us. */
const mostResumptions = 3;

/** A close that failed is tried again after this long, and twice as long each time after. */
const firstRetryMs = 30_000;
const longestRetryMs = 600_000;

/** When an outcome cannot be written down (the disk is full), it is tried again until it can. */
const unwrittenRetryMs = 5000;

export class LeaseActor {
  readonly uuid: string;
  readonly #context: ActorContext;
  readonly #aftermath: Aftermath;
  readonly #mailbox: Mailbox<Message>;
  readonly #onIdle: () => void;
  readonly #closers: { readonly done: () => void; readonly failed: (error: unknown) => void }[] = [];
  #work: RunningWork | undefined;
  #retry: Cancellable | undefined;

  /** `onIdle` is called when there is no lease and nothing left to do. */
  constructor(uuid: string, context: ActorContext, onIdle: () => void) {
    this.uuid = uuid;
    this.#context = context;
    this.#aftermath = new Aftermath(uuid, context);
    this.#onIdle = onIdle;
    this.#mailbox = new Mailbox(context.scope, {
      name: `lease ${uuid}`,
      capacity: inboxCapacity,
      handle: (message) => this.#handle(message),
      onError: (error, message) => this.#panicked(error, message),
      clock: context.clock,
    });
  }

  get depth(): number {
    return this.#mailbox.depth;
  }

  get busySinceMs(): number | undefined {
    return this.#mailbox.busySinceMs;
  }

  /** Takes the message in if there is room now. */
  tryPost(message: Message): boolean {
    return this.#mailbox.tryPost(message);
  }

  post(message: Message, signal?: AbortSignal): Promise<void> {
    return this.#mailbox.post(message, signal);
  }

  /** Resolves when the close that is under way has succeeded, rejects when this attempt at it fails. */
  whenClosed(): Promise<void> {
    return new Promise((done, failed) => this.#closers.push({ done, failed }));
  }

  /** Ends an actor that nobody needs any more. */
  retire(): void {
    this.#retry?.cancel();
    void this.#mailbox.close('drain');
  }

  get #lease(): Lease | undefined {
    return this.#context.book.get(this.uuid);
  }

  async #handle(message: Message): Promise<void> {
    const { scope } = this.#context;
    if (scope.closed && message.kind !== 'outcome') {
      if (message.kind === 'request') message.request.failed(scope.signal.reason);
      message.handled?.();
      return;
    }
    try {
      await this.#dispatch(message);
    } finally {
      message.handled?.();
    }
    if (this.#lease === undefined && this.#work === undefined && this.depth === 0) this.#onIdle();
  }

  #dispatch(message: Message): Promise<void> | undefined {
    switch (message.kind) {
      case 'request':
        return this.#request(message.request);
      case 'outcome':
        return this.#outcome(message.event, message.logs);
      case 'fact':
        return this.#lease === message.basis ? this.#fire(message.event, message.logs) : undefined;
      case 'death':
        return this.#suspect(message.suspect);
      case 'closeAgain':
        return this.#lease?.closing === undefined ? undefined : this.#close();
      case 'adopt':
        return this.#lease === undefined ? this.#adopt() : undefined;
      case 'tidy':
        return this.#tidy();
      case 'settle':
        return this.#aftermath.tell(message.owed);
      case 'resume':
        return this.#resume();
    }
  }

  #panicked(error: unknown, message: Message): void {
    const { meter, log } = this.#context;
    meter.actorPanicked();
    log.error('handler panic', { lease_uuid: this.uuid, message: message.kind, error: errorText(error) });
    if (message.kind === 'request') message.request.failed(error);
  }

  async #request(request: Request): Promise<void> {
    if (request.abandoned()) return;
    const { clock, newOperationId } = this.#context;
    const before = this.#lease;
    let made: Transition;
    try {
      const event = request.prepare(before, newOperationId());
      const next = transition(before, event, clock.now());
      if (typeof next === 'string') throw request.refusal(before);
      await this.#commit(next, event);
      made = next;
    } catch (error) {
      this.#syncPool();
      request.failed(error);
      return;
    }
    request.accepted(this.#lease);
    await this.#follow(made, {});
  }

  /** An outcome is not lost because it cannot be written down just now. */
  async #outcome(event: LeaseEvent, logs: Logs): Promise<void> {
    const { log, scope, clock } = this.#context;
    try {
      await this.#fire(event, logs);
    } catch (error) {
      log.error('an outcome could not be recorded, will try again', {
        lease_uuid: this.uuid,
        event: event.name,
        error: errorText(error),
      });
      this.#failClosers(error);
      scope.spawn(`outcome of ${this.uuid}`, async (signal) => {
        await sleep(clock, unwrittenRetryMs, signal);
        this.#postOutcome(event, logs);
      });
    }
  }

  async #fire(event: LeaseEvent, logs: Logs): Promise<void> {
    const made = transition(this.#lease, event, this.#context.clock.now());
    if (typeof made === 'string') return;
    await this.#commit(made, event);
    await this.#follow(made, logs);
    if (event.name === 'DeprovisionErrored') this.#failClosers(new Error(event.failure.detail));
  }

  async #commit({ from, to, lease, owed, history }: Transition, event: LeaseEvent): Promise<void> {
    const { book, clock, meter, log } = this.#context;
    try {
      await book.commit({ uuid: this.uuid, lease, owed, history, nowMs: clock.now() });
    } finally {
      this.#syncPool();
    }
    meter.transition(from, to, event.name);
    const { failure } = lease ?? {};
    if (failure !== undefined && 'failure' in event)
      log.warn('lease operation failed', {
        lease_uuid: this.uuid,
        event: event.name,
        status: to,
        reason: failure.reason,
        detail: failure.detail,
        fail_count: lease?.failCount,
      });
    else log.info('lease transition', { lease_uuid: this.uuid, from, status: to, event: event.name });
  }

  /** The record says what the lease holds; the pool follows it, also when the record could not be written. */
  #syncPool(): void {
    const { pool } = this.#context;
    const lease = this.#lease;
    if (lease === undefined || lease.allocations.length === 0) pool.release(this.uuid);
    else pool.adopt(this.uuid, lease.tenant, lease.allocations);
  }

  /** Does what follows from a transition, in its order; telling the caller comes last. */
  async #follow(made: Transition, logs: Logs): Promise<void> {
    this.#retry?.cancel();
    for (const action of made.outside) {
      if (action === 'stopWork') await this.#stopWork();
      else if (action === 'startWork') this.#startWork();
      else if (action === 'settleRestore') await this.#aftermath.settleRestore();
      else await this.#aftermath.diagnostics(action, made.last, logs);
    }
    if (made.owed !== undefined) await this.#aftermath.tell(made.owed);
    if (made.lease?.closing !== undefined && made.to === 'failed')
      this.#retryClose(made.lease.closing.attempts);
    if (made.lease?.leftover === true) this.#retryTidy();
    if (made.to === 'ready' && made.from !== 'unknown') this.#lookOnce();
    if (made.to === 'none') for (const { done } of this.#closers.splice(0)) done();
  }

  #startWork(): void {
    const { scope, work, meter, log } = this.#context;
    const lease = this.#lease;
    if (lease?.operation === undefined || scope.closed) return;
    const running = new RunningWork(scope, lease, lease.operation, work, {
      ended: ({ event, logs }) => this.#postOutcome(event, logs),
      panicked: (kind, error) => {
        meter.workPanicked(kind);
        log.error('worker panic', { lease_uuid: this.uuid, worker: kind, error: errorText(error) });
      },
    });
    this.#work = running;
    void running.ended.then(() => {
      if (this.#work === running) this.#work = undefined;
    });
  }

  #postOutcome(event: LeaseEvent, logs: Logs): void {
    // Not awaited: whoever waits for the work to end may be the one who has to make room.
    this.post({ kind: 'outcome', event, logs }).catch(() => this.#context.meter.outcomeDropped(event.name));
  }

  async #stopWork(): Promise<void> {
    const running = this.#work;
    if (running === undefined) return;
    const { clock, log } = this.#context;
    running.stop();
    const patience = new AbortController();
    const gaveUp = sleep(clock, stopWaitMs, patience.signal).then(
      () => true,
      () => false,
    );
    if (await Promise.race([gaveUp, running.ended.then(() => false)]))
      log.error('work did not stop in time, going on without it', {
        lease_uuid: this.uuid,
        operation: running.kind,
      });
    patience.abort();
    if (this.#work === running) this.#work = undefined;
  }

  async #suspect(suspect: Death): Promise<void> {
    const lease = this.#lease;
    if (lease?.status !== 'ready') return;
    const { work, newOperationId } = this.#context;
    const death = await work.confirmDeath(lease, suspect);
    if (death !== undefined)
      await this.#fire({ name: 'ContainerDied', operationId: newOperationId(), death }, {});
  }

  async #adopt(): Promise<void> {
    const { work, book, clock, log } = this.#context;
    const found = await work.rediscover(this.uuid);
    if (found === undefined) return;
    const { lease, owed, logs } = found;
    log.warn('lease rebuilt from its containers', { lease_uuid: this.uuid, status: lease.status });
    await book.commit({ uuid: this.uuid, lease, owed, nowMs: clock.now() });
    this.#syncPool();
    if (lease.failure !== undefined) await this.#aftermath.diagnostics('keepDiagnostics', lease, logs);
    if (owed !== undefined) await this.#aftermath.tell(owed);
  }

  async #tidy(): Promise<void> {
    const lease = this.#lease;
    if (lease === undefined || lease.operation !== undefined) return;
    try {
      await this.#context.work.tidy(lease);
    } catch (error) {
      if (lease.leftover !== true) throw error;
      this.#context.log.warn('containers of a failed provision are still left', {
        lease_uuid: this.uuid,
        error: errorText(error),
      });
      this.#retryTidy();
      return;
    }
    if (lease.leftover === true)
      await this.#fire({ name: 'LeftoverRemoved', stays: await this.#context.work.staysOf(lease) }, {});
  }

  /** What died while nobody looked, between its verification and now. */
  #lookOnce(): void {
    const { scope, work } = this.#context;
    const lease = this.#lease;
    if (lease === undefined) return;
    scope.spawn(`look at ${this.uuid}`, async () => {
      const suspect = await work.findDeath(lease);
      if (suspect !== undefined) this.tryPost({ kind: 'death', suspect });
    });
  }

  #retryClose(attempts: number): void {
    const delayMs = Math.min(firstRetryMs * 2 ** (attempts - 1), longestRetryMs);
    this.#retry = this.#context.clock.after(delayMs, () => this.tryPost({ kind: 'closeAgain' }));
  }

  #retryTidy(): void {
    this.#retry?.cancel();
    this.#retry = this.#context.clock.after(firstRetryMs, () => this.tryPost({ kind: 'tidy' }));
  }

  async #close(): Promise<void> {
    await this.#fire({ name: 'DeprovisionRequested', operationId: this.#context.newOperationId() }, {});
  }

  async #resume(): Promise<void> {
    const { book, clock, log } = this.#context;
    const lease = this.#lease;
    if (lease?.closing !== undefined && lease.status === 'failed') return await this.#close();
    const operation = lease?.operation;
    if (lease === undefined || operation === undefined) return;
    const resumed = operation.resumed + 1;
    const hopeless = operation.kind !== 'deprovision' && resumed > mostResumptions;
    const unstarted = operation.kind === 'restore' && lease.status === 'provisioning';
    if (hopeless || unstarted) {
      const reason = new Error(`the ${operation.kind} was interrupted ${resumed} times`);
      return await this.#fire(crashed(lease, operation, reason), {});
    }
    log.info('resuming an interrupted operation', {
      lease_uuid: this.uuid,
      operation: operation.kind,
      attempt: resumed,
    });
    await book.commit({
      uuid: this.uuid,
      lease: { ...lease, operation: { ...operation, resumed } },
      nowMs: clock.now(),
    });
    this.#startWork();
  }

  #failClosers(error: unknown): void {
    for (const { failed } of this.#closers.splice(0)) failed(error);
  }
}
