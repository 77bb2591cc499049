/** What becomes of the data of a lease that is closed. Its containers are gone by then; every step can be repeated. */
import { type Clock, isoTime, type KeyedSerial } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import { failureText, type Lease } from '../lease/index.ts';
import { retainedForm, type VolumeName } from '../names/index.ts';
import type { SkuCatalogue } from '../placement/index.ts';
import { type CloseIntent, createdAtMs, type RetentionStore } from '../stores/index.ts';
import type { Accounting } from './accounting.ts';
import type { RecordCopies } from './copies.ts';
import type { Finalizer } from './finalizer.ts';
import type { Keeping } from './keeping.ts';
import type { DestroyOutcome, DoorPort, ReleasesPort, RetentionMeter, VolumesPort } from './ports.ts';
import { manifestObject, retainedItems, tombstoneOf, volumesOf } from './records.ts';
import type { Rollback } from './rollback.ts';

export type ClosedVolumes =
  | { readonly kind: 'gone'; readonly retained: boolean }
  | { readonly kind: 'failed'; readonly detail: string }
  | { readonly kind: 'exhausted'; readonly detail: string };

export interface ClosingContext {
  readonly store: RetentionStore;
  readonly volumes: VolumesPort;
  readonly door: DoorPort;
  readonly releases: ReleasesPort;
  readonly rollback: Rollback;
  readonly finalizer: Finalizer;
  readonly keeping: Keeping;
  readonly copies: RecordCopies;
  readonly accounting: Accounting;
  readonly locks: KeyedSerial<string>;
  readonly catalogue: SkuCatalogue;
  readonly retainOnClose: boolean;
  readonly clock: Pick<Clock, 'now'>;
  readonly meter: RetentionMeter;
  readonly log: Log;
}

/** After so many failures of the same close its data is given up. */
const mostFailures = 3;

export class Closing {
  readonly #context: ClosingContext;

  constructor(context: ClosingContext) {
    this.#context = context;
  }

  /**
   * Writes down, before the first container is stopped, what is to become of the data: the process may die at any moment
   * from here on, and may come back with another configuration.
   */
  begin(lease: Lease): void {
    const { store, catalogue, retainOnClose, clock } = this.#context;
    if (!this.#hasVolumes) return;
    const goesOn = lease.closing !== undefined || (lease.operation?.resumed ?? 0) > 0;
    if (goesOn && this.#known(lease) !== undefined) return;
    store.putIntent({
      lease_uuid: lease.uuid,
      lease_created_at_ms: lease.createdAtMs,
      tenant: lease.tenant,
      provider_uuid: lease.provider,
      items: retainedItems(lease, catalogue),
      stack_manifest: manifestObject(this.#manifest(lease)),
      callback_url: lease.callbackUrl,
      retain: retainOnClose,
      closed_at: isoTime(clock.now()),
      volume_failures: 0,
    });
  }

  async volumesOf(lease: Lease): Promise<ClosedVolumes> {
    if (!this.#hasVolumes) return { kind: 'gone', retained: false };
    if (this.#known(lease) === undefined) this.begin(lease);
    const intent = this.#known(lease);
    if (intent === undefined) return { kind: 'failed', detail: 'the close could not be written down' };
    return await this.finish(intent);
  }

  /** Goes on with a close from what was written down of it, if that is wanted still when its turn comes. */
  async finish(intent: CloseIntent, isWanted = (): boolean => true): Promise<ClosedVolumes> {
    const { store, locks, rollback, log } = this.#context;
    const { lease_uuid: uuid } = intent;
    try {
      await rollback.into(uuid);
      return await locks.run(uuid, async (): Promise<ClosedVolumes> => {
        if (!isWanted()) return { kind: 'failed', detail: 'the lease lives again' };
        const retained = await this.#settle(intent);
        store.deleteIntent(uuid);
        return { kind: 'gone', retained };
      });
    } catch (error) {
      log.warn('the data of a closed lease is not where it belongs yet', {
        lease_uuid: uuid,
        error: errorText(error),
      });
      return this.#failed(intent, errorText(error));
    }
  }

  get #hasVolumes(): boolean {
    return this.#context.volumes.kind !== 'noop';
  }

  #known(lease: Lease): CloseIntent | undefined {
    const { store, log } = this.#context;
    try {
      const intent = store.intent(lease.uuid);
      return intent?.lease_created_at_ms === lease.createdAtMs ? intent : undefined;
    } catch (error) {
      // The lease says the same anew; only that a limit had refused its data is lost, and what is left of that is kept then.
      log.warn('what was written down of a close cannot be read, it is written down again', {
        lease_uuid: lease.uuid,
        error: errorText(error),
      });
      return undefined;
    }
  }

  #manifest({ uuid, release }: Lease): Uint8Array | undefined {
    const { releases } = this.#context;
    const running = release === undefined ? undefined : releases.manifest(uuid, release);
    return running ?? releases.latestActive(uuid)?.manifest;
  }

  /** Resolves with whether there is kept data now; rejects while anything of it is not settled. */
  async #settle(intent: CloseIntent): Promise<boolean> {
    const { store, accounting, volumes } = this.#context;
    const { lease_uuid: uuid } = intent;
    const evicted = await this.#earlierRecord(intent);
    const retained = !evicted && (await this.#bring(intent, volumesOf(await volumes.list(), uuid, 'live')));
    // Something may have been removed by a process that died before it was for good.
    await volumes.sync();
    // What the live lease held is given back next: until then the new owner has to be counted.
    if (!accounting.refresh()) throw new Error('what is kept could not be counted');
    return retained && store.kept(uuid)?.status === 'active';
  }

  /** What an earlier life of the lease has left makes room first. True when this very close has been evicted meanwhile. */
  async #earlierRecord(intent: CloseIntent): Promise<boolean> {
    const { store, finalizer, volumes } = this.#context;
    const { lease_uuid: uuid } = intent;
    const kept = store.kept(uuid);
    if (kept === undefined) return false;
    if (kept.record === undefined) throw new Error('its retention record cannot be read');
    if (kept.status !== 'reaping') return false;
    if (createdAtMs(kept.record) >= intent.lease_created_at_ms) return true;
    await finalizer.retainedOnly(uuid, volumesOf(await volumes.list(), uuid, 'retained'));
    return false;
  }

  async #bring(intent: CloseIntent, own: readonly VolumeName[]): Promise<boolean> {
    const { door, keeping, store, meter } = this.#context;
    const { lease_uuid: uuid } = intent;
    const operation = door.operation(uuid);
    if (!intent.retain) {
      demandGone(await operation.destroy('deprovision_destroy', own));
      return store.kept(uuid)?.status === 'active';
    }
    const { mine } = await operation.partition(own);
    const { scratch, durable } = await this.#sorted(mine);
    if (scratch.length > 0) {
      const outcome = await operation.destroy('deprovision_reclaim', scratch);
      for (const _ of outcome.destroyed) meter.scratchReclaimed();
      demandGone(outcome);
    }
    if (durable.length === 0) return store.kept(uuid)?.status === 'active';
    const verdict = keeping.decide(intent, durable);
    if (verdict.kind === 'refused') {
      // Decided once: asked again when half of it is gone, the limit might let the rest pass for the whole.
      if (intent.refused === undefined) store.putIntent({ ...intent, refused: verdict.scope });
      demandGone(await operation.destroy('retention_refused', durable));
      return false;
    }
    // The record first: from here on the data is somebody's, whatever happens to the renames.
    if (!store.putActiveMerged(verdict.record)) throw new Error('a restore holds its retention record');
    keeping.kept(verdict);
    await this.#copy(uuid);
    for (const name of durable) await this.#context.volumes.rename(name, retainedForm(name));
    return true;
  }

  /** For the day on which the store is lost. */
  async #copy(lease: string): Promise<void> {
    const { store, copies, log } = this.#context;
    const record = store.get(lease);
    if (record === undefined) return;
    await copies.keep(record).catch((error: unknown) =>
      log.warn('the second copy of a record could not be written', {
        lease_uuid: lease,
        error: errorText(error),
      }),
    );
  }

  async #sorted(mine: readonly VolumeName[]): Promise<{ scratch: VolumeName[]; durable: VolumeName[] }> {
    const scratch: VolumeName[] = [];
    const durable: VolumeName[] = [];
    for (const name of mine) ((await this.#isScratch(name)) ? scratch : durable).push(name);
    return { scratch, durable };
  }

  /** What cannot be looked into is data. */
  async #isScratch(name: VolumeName): Promise<boolean> {
    return await this.#context.volumes.scratchOnly(name).catch(() => false);
  }

  #failed(intent: CloseIntent, detail: string): ClosedVolumes {
    const { store, door, log } = this.#context;
    // Held shut by decision: a close that waits for it has not failed, and must not be given up.
    if (door.held.length > 0) return { kind: 'failed', detail };
    const failures = intent.volume_failures + 1;
    try {
      store.putIntent({ ...intent, ...this.#refusal(intent), volume_failures: failures });
      if (failures < mostFailures) return { kind: 'failed', detail };
      this.#giveUp(intent);
    } catch (error) {
      // Nobody else would count the bytes: the lease goes on doing it.
      log.error('what is left could not be written down, the lease keeps it', {
        lease_uuid: intent.lease_uuid,
        error: errorText(error),
      });
      return { kind: 'failed', detail };
    }
    return { kind: 'exhausted', detail: `${failureText.volumeCleanup}: ${detail}` };
  }

  /** A limit may have refused the data since the close began. */
  #refusal({ lease_uuid: uuid }: CloseIntent): Pick<CloseIntent, 'refused'> {
    try {
      const { refused } = this.#context.store.intent(uuid) ?? {};
      return refused === undefined ? {} : { refused };
    } catch {
      return {};
    }
  }

  /** How much is left is written down before the lease lets go of it; what may be destroyed is found out each time anew. */
  #giveUp(intent: CloseIntent): void {
    const { store, accounting, meter, clock, log } = this.#context;
    meter.leaked();
    store.putReaping(tombstoneOf(intent), clock.now());
    if (!accounting.refresh()) throw new Error('what is left could not be counted');
    store.deleteIntent(intent.lease_uuid);
    log.error('the data of a closed lease was given up, manual clean-up may be required', {
      lease_uuid: intent.lease_uuid,
    });
  }
}

/** What another lease owns is deliberately left; everything else has to be gone. */
function demandGone({ errors, unproven }: DestroyOutcome): void {
  const [first] = errors;
  if (first !== undefined) throw new Error(`${first.name} could not be destroyed: ${errorText(first.error)}`);
  if (unproven.length > 0)
    throw new Error(`it cannot be known whose ${unproven.join(', ')} is, nothing was destroyed`);
}
