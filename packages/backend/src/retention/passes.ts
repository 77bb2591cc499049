/** What has to be done with kept data from time to time, and once at the start. */
import type { Clock, KeyedSerial } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import { canonicalForm, retainedForm, type VolumeName } from '../names/index.ts';
import type { RetentionRecord, RetentionStore } from '../stores/index.ts';
import type { Accounting } from './accounting.ts';
import type { Closing } from './closing.ts';
import { type Finalizer, lookOnce } from './finalizer.ts';
import type { Orphans } from './orphans.ts';
import type { LeasesPort, RetentionMeter, VolumesPort } from './ports.ts';
import { ownVolumes } from './records.ts';
import type { Restoring } from './restoring.ts';

export interface PassesContext {
  readonly store: RetentionStore;
  readonly volumes: VolumesPort;
  readonly leases: LeasesPort;
  readonly closing: Closing;
  readonly finalizer: Finalizer;
  readonly restoring: Restoring;
  readonly orphans: Orphans;
  readonly accounting: Accounting;
  /** Takes down what may still run of a lease that nobody knows any more; rejects when something is left. */
  readonly teardown: (lease: string) => Promise<void>;
  readonly locks: KeyedSerial<string>;
  readonly maxAgeMs: number;
  readonly clock: Pick<Clock, 'now'>;
  readonly meter: RetentionMeter;
  readonly log: Log;
}

interface Stage {
  readonly name: string;
  readonly run: () => Promise<void>;
}

export class Passes {
  readonly #context: PassesContext;

  constructor(context: PassesContext) {
    this.#context = context;
  }

  /** Goes on with what the last process left in the middle. After the leases are known, before anything looks for orphans. */
  async atStart(): Promise<void> {
    const { restoring } = this.#context;
    await this.#each('goes on with closes', () => this.#finishCloses());
    await this.#each('puts kept data into its place', () => this.#requarantine());
    await this.#each('goes on with restores', () =>
      this.#forEach('restoring', (key) => restoring.reconcile(key)),
    );
    await this.#each('destroys what is marked', () => this.#destroyMarked());
  }

  /** Data whose time is over. */
  async reapExpired(): Promise<void> {
    const { store, finalizer, maxAgeMs, clock, volumes, accounting, log } = this.#context;
    if (maxAgeMs <= 0) return;
    const look = lookOnce(volumes);
    try {
      await each(store.expired(maxAgeMs, clock.now()), async (lease) => {
        if (!store.markReapingIfExpired(lease, maxAgeMs, clock.now())) return;
        log.info('the time of kept data is over', { lease_uuid: lease });
        await finalizer.finish(lease, look);
      });
    } finally {
      accounting.refresh();
    }
  }

  /** Every stage is tried, whatever becomes of the others. Rejects with all that went wrong. */
  async sweep(): Promise<void> {
    const { restoring, orphans, accounting, meter } = this.#context;
    const stages: readonly Stage[] = [
      { name: 'reap expired', run: () => this.reapExpired() },
      { name: 'retry reaping', run: () => this.#destroyMarked() },
      {
        name: 'reconcile restoring',
        run: () => this.#forEach('restoring', (key) => restoring.reconcile(key)),
      },
      { name: 'finish closes', run: () => this.#finishCloses() },
      { name: 'requarantine', run: () => this.#requarantine() },
      { name: 'prune orphans', run: () => orphans.prune() },
      {
        name: 'refresh accounting',
        run: async () => {
          if (!accounting.refresh()) throw new Error('the store cannot be read');
        },
      },
    ];
    const failures: string[] = [];
    for (const { name, run } of stages)
      await run().catch((error: unknown) => failures.push(`${name}: ${errorText(error)}`));
    meter.swept(failures.length === 0 ? 'success' : 'error');
    if (failures.length > 0) throw new Error(failures.join('; '));
  }

  /** Destroys what has just been marked. */
  async reap(leases: readonly string[]): Promise<void> {
    const { finalizer, volumes, accounting } = this.#context;
    const look = lookOnce(volumes);
    try {
      await each(leases, async (lease) => void (await finalizer.finish(lease, look)));
    } finally {
      accounting.refresh();
    }
  }

  async #destroyMarked(): Promise<void> {
    const { finalizer, volumes } = this.#context;
    const look = lookOnce(volumes);
    await this.#forEach('reaping', async (key) => void (await finalizer.finish(key, look)));
  }

  /** A close of a lease that nobody knows any more is finished from what was written down of it. */
  async #finishCloses(): Promise<void> {
    const { store, leases, closing, teardown, log } = this.#context;
    const isUnknown = (lease: string): boolean => leases.get(lease) === undefined;
    await each(store.closing().filter(isUnknown), async (lease) => {
      const intent = store.intent(lease);
      if (intent === undefined || !isUnknown(lease)) return;
      log.warn('going on with the close of a lease that is not known any more', { lease_uuid: lease });
      await teardown(lease);
      // It may have been started again meanwhile: then its volumes are in use, and it takes them back by itself.
      await closing.finish(intent, () => isUnknown(lease));
    });
  }

  /** A process that died between the record and the last rename has left volumes under their live names. */
  async #requarantine(): Promise<void> {
    const { store, volumes, leases, locks } = this.#context;
    const listing = new Set(await volumes.list());
    const records = new Map(store.withStatus('active').map(({ key, record }) => [key, record]));
    await each([...records.keys()], async (key) => {
      const record = records.get(key);
      const left = record === undefined ? [] : stranded(record, listing);
      if (left.length === 0 || leases.get(key) !== undefined) return;
      await locks.run(key, async () => {
        if (leases.get(key) !== undefined || store.kept(key)?.status !== 'active') return;
        for (const name of left) await volumes.rename(name, retainedForm(name));
      });
    });
  }

  #forEach(status: 'restoring' | 'reaping', run: (key: string) => Promise<void>): Promise<void> {
    return each(
      this.#context.store.withStatus(status).map(({ key }) => key),
      run,
    );
  }

  async #each(what: string, run: () => Promise<void>): Promise<void> {
    await run().catch((error: unknown) =>
      this.#context.log.error('kept data could not be looked after at start', {
        stage: what,
        error: errorText(error),
      }),
    );
  }
}

/** One that cannot be dealt with holds up no other. Rejects in the end with all that went wrong. */
async function each(leases: readonly string[], run: (lease: string) => Promise<void>): Promise<void> {
  const failures: string[] = [];
  for (const lease of leases)
    await run(lease).catch((error: unknown) => failures.push(`${lease}: ${errorText(error)}`));
  if (failures.length > 0) throw new Error(failures.join('; '));
}

const stranded = (record: RetentionRecord, listing: ReadonlySet<VolumeName>): readonly VolumeName[] =>
  ownVolumes(record)
    .map(canonicalForm)
    .filter((name) => listing.has(name));
