/** The living leases of a backend with scripted work and a real store, for tests of the actors. */
import { Scope, VirtualClock } from '@berth/service';
import { RecordingLog } from '@berth/service/testing';
import { expect } from 'vitest';
import type { LeaseEvent, Owed } from '../lease/index.ts';
import { debtTask, LeaseBook, LeaseRegistry, type Logs, type Message } from '../leases/index.ts';
import { type Amounts, ResourcePool } from '../placement/index.ts';
import { GroupCommit, ReleaseStore } from '../stores/index.ts';
import { failure, item, newLease, opening } from './leases.ts';
import { ScriptedWork } from './scripted-work.ts';
import { storeFolder } from './store-folder.ts';
import { until } from './until.ts';

interface Parts {
  readonly store: ReleaseStore;
  readonly book: LeaseBook;
  readonly pool: ResourcePool;
  readonly work: ScriptedWork;
  readonly scope: Scope;
  readonly registry: LeaseRegistry;
}

export class LeaseHost implements AsyncDisposable {
  readonly until = until;
  readonly total: Amounts;
  readonly clock = new VirtualClock();
  readonly logs = new RecordingLog();
  /** What callers were told, in order: survives a restart, as callers do. */
  readonly told: string[] = [];
  readonly diagnostics: string[] = [];
  readonly transitions: string[] = [];
  readonly counts = { created: 0, panics: 0, workPanics: 0, dropped: 0 };
  /** What is done when a restore has come to its end. */
  settleRestore: (uuid: string) => Promise<void> = async (uuid) =>
    void this.diagnostics.push(`settle ${uuid}`);
  /** Makes the outbox refuse, as a full disk would. */
  outboxFull = false;
  readonly #folder = storeFolder();
  #operations = 0;
  #parts: Parts;

  constructor(total: Amounts = { cpuCores: 1000, memoryMb: 1_000_000, diskMb: 0 }) {
    this.total = total;
    this.#parts = this.#open();
  }

  /** A file of a store beside that of the leases. */
  path(name: string): string {
    return this.#folder.path(name);
  }

  get scope(): Scope {
    return this.#parts.scope;
  }

  get work(): ScriptedWork {
    return this.#parts.work;
  }

  get book(): LeaseBook {
    return this.#parts.book;
  }

  get pool(): ResourcePool {
    return this.#parts.pool;
  }

  get store(): ReleaseStore {
    return this.#parts.store;
  }

  get registry(): LeaseRegistry {
    return this.#parts.registry;
  }

  #open(): Parts {
    const store = new ReleaseStore(this.#folder.path('releases.db'));
    const book = new LeaseBook(store, new GroupCommit(store.file));
    const pool = new ResourcePool(this.total);
    const work = new ScriptedWork();
    const scope = new Scope('test', (error, task) => this.logs.log.error(task, { error: String(error) }));
    const registry = new LeaseRegistry({
      scope,
      clock: this.clock,
      log: this.logs.log,
      book,
      pool,
      work,
      newOperationId: () => `op-${++this.#operations}`,
      outlets: {
        keepDiagnostics: async (lease, logs: Logs) => {
          this.diagnostics.push(`keep ${lease.uuid} ${lease.failure?.reason} ${Object.keys(logs).join()}`);
        },
        dropDiagnostics: async (uuid) => void this.diagnostics.push(`drop ${uuid}`),
        settleRestore: (uuid) => this.settleRestore(uuid),
        enqueue: async () => {
          if (this.outboxFull) throw new Error('disk full');
        },
        deliver: (uuid, owed) => this.#tell(uuid, owed),
        deliverUnstored: (uuid, owed) => this.#tell(`${uuid} (not stored)`, owed),
      },
      meter: {
        transition: (from, to, event) => void this.transitions.push(`${from} ${event} ${to}`),
        actorCreated: () => void this.counts.created++,
        actorPanicked: () => void this.counts.panics++,
        workPanicked: () => void this.counts.workPanics++,
        outcomeDropped: () => void this.counts.dropped++,
        deathDropped: () => void this.counts.dropped++,
      },
    });
    return { store, book, pool, work, scope, registry };
  }

  #tell(uuid: string, owed: Owed | undefined): void {
    if (owed === undefined) return;
    const error = owed.error === undefined ? '' : ` ${owed.error}`;
    this.told.push(`${uuid} ${owed.status}${error}`);
  }

  /** Ends the process at once, in the middle of whatever it does, and starts it again on what is on disk. */
  async crash(): Promise<void> {
    const { store, scope } = this.#parts;
    store.file.close();
    await scope.close();
    this.#parts = this.#open();
    const { owed } = this.book.load();
    for (const lease of this.book.values()) this.pool.adopt(lease.uuid, lease.tenant, lease.allocations);
    for (const [uuid, debt] of owed) this.post(uuid, { kind: 'settle', owed: debt });
    for (const { uuid } of this.book.values()) this.post(uuid, { kind: 'resume' });
    await this.settled();
  }

  post(uuid: string, message: Message): boolean {
    return this.registry.tryPost(uuid, message);
  }

  /** Asks for the event; what the caller is answered. */
  ask(
    uuid: string,
    make: (operationId: string) => LeaseEvent,
    signal = new AbortController().signal,
  ): Promise<void> {
    return this.registry.request(
      uuid,
      {
        prepare: (_, operationId) => make(operationId),
        refusal: (lease) => new Error(`refused in ${lease?.status}`),
      },
      signal,
    );
  }

  /** Provisions a lease, and waits until it runs. */
  async ready(uuid: string): Promise<void> {
    await this.ask(uuid, (id) => opening('ProvisionRequested', id, newLease({ uuid })));
    this.work.running.get(uuid)?.end({ kind: 'provisioned', items: [item()] });
    await this.until(`${uuid} is ready`, () => this.book.get(uuid)?.status === 'ready');
    await this.settled();
  }

  /** Closes it, and what is there cannot be cleaned up. */
  async closeInVain(uuid: string): Promise<void> {
    const closing = this.close(uuid);
    closing.catch(() => undefined);
    await this.until('the close runs', () => this.work.running.get(uuid)?.method === 'deprovision');
    this.work.running.get(uuid)?.end({ kind: 'failed', failure: failure({ reason: 'CleanupFailed' }) });
    await expect(closing).rejects.toThrow();
  }

  /** Closes it and waits until its caller has been told. */
  async close(uuid: string, signal = new AbortController().signal): Promise<void> {
    const prepare = (_: unknown, operationId: string): LeaseEvent => ({
      name: 'DeprovisionRequested',
      operationId,
    });
    await this.registry.close(uuid, { prepare, refusal: () => new Error('refused') }, signal);
    await this.settled();
  }

  /** Waits until every actor is idle and everything that was asked for is on disk. */
  async settled(): Promise<void> {
    let quiet = 0;
    await until('all actors are idle', () => {
      const { depths } = this.registry.sample();
      const busy =
        depths.some((depth) => depth > 0) ||
        this.registry.busy ||
        this.scope.running.some((task) => task.includes(debtTask));
      quiet = busy ? 0 : quiet + 1;
      return quiet > 3;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.scope.close();
    this.#parts.store.file.close();
    this.#folder[Symbol.dispose]();
  }
}
