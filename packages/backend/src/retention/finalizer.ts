/** Destroys what a record marked for it has on disk, and drops the record when a fresh look shows nothing of it. */
import type { KeyedSerial } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import type { VolumeName } from '../names/index.ts';
import type { RetentionStore } from '../stores/index.ts';
import type { RecordCopies } from './copies.ts';
import type { ClaimedVolume, DoorPort, RetentionMeter, VolumesPort } from './ports.ts';
import { volumesOf } from './records.ts';

export interface FinalizerContext {
  readonly store: RetentionStore;
  readonly volumes: VolumesPort;
  readonly door: DoorPort;
  readonly copies: Pick<RecordCopies, 'drop'>;
  /** One thing after another for each closed lease. */
  readonly locks: KeyedSerial<string>;
  readonly meter: RetentionMeter;
  readonly log: Log;
}

/** One look at the disk for a whole pass. */
export type Look = () => Promise<readonly VolumeName[]>;

export function lookOnce(volumes: Pick<VolumesPort, 'list'>): Look {
  let listed: Promise<readonly VolumeName[]> | undefined;
  return () => {
    listed ??= volumes.list();
    return listed;
  };
}

export class Finalizer {
  readonly #context: FinalizerContext;

  constructor(context: FinalizerContext) {
    this.#context = context;
  }

  /** True when nothing is left and the record is gone. What the record names does not count, only what is on disk. */
  finish(lease: string, look: Look): Promise<boolean> {
    return this.#context.locks.run(lease, () => this.finishLocked(lease, look));
  }

  async finishLocked(lease: string, look: Look): Promise<boolean> {
    const { store, volumes, door } = this.#context;
    if (store.kept(lease)?.status !== 'reaping') return false;
    const footprint = await this.#footprint(lease, look);
    if (footprint === undefined) return this.#keep(lease, 'claim_unreadable', 'the volumes cannot be listed');
    if (footprint.length > 0) {
      const outcome = await door.operation(undefined).destroy('reaping', footprint);
      if (outcome.unproven.length > 0)
        return this.#keep(lease, 'claim_unreadable', 'ownership cannot be resolved');
      if (outcome.errors.length > 0) return this.#leak(lease, outcome.errors);
      if (outcome.claimed.length > 0) return this.#held(lease, outcome.claimed);
    }
    const left = footprint.length === 0 ? footprint : await this.#footprint(lease, () => volumes.list());
    if (left === undefined || left.length > 0)
      return this.#keep(lease, 'claim_unreadable', 'a fresh look does not show them gone');
    await volumes.sync();
    const deleted = store.deleteReaped(lease);
    if (deleted) await this.#dropCopy(lease);
    return deleted;
  }

  /**
   * An earlier life of a lease that lives again was given up: what it left under retained names goes, and its record with it.
   * The live volumes are not touched. To be called with the lock of the lease held; rejects while something is left.
   */
  async retainedOnly(lease: string, condemned: readonly VolumeName[]): Promise<void> {
    const { store, volumes, door } = this.#context;
    if (condemned.length > 0) {
      const outcome = await door.operation(lease).destroy('reaping', condemned);
      if (outcome.leftOnDisk || volumesOf(await volumes.list(), lease, 'retained').length > 0)
        throw new Error('what an earlier life of the lease has left could not be destroyed');
    }
    // Also what a process that died before had removed: with the power it would come back, and in the way of this close.
    await volumes.sync();
    store.deleteReaped(lease);
  }

  /** One that is left says of volumes that are not there, and brings nothing back. */
  async #dropCopy(lease: string): Promise<void> {
    await this.#context.copies.drop(lease).catch(() => undefined);
  }

  async #footprint(lease: string, look: Look): Promise<readonly VolumeName[] | undefined> {
    try {
      return volumesOf(await look(), lease, 'both');
    } catch (error) {
      this.#context.log.warn('volumes cannot be listed', { error: errorText(error) });
      return undefined;
    }
  }

  #keep(lease: string, reason: 'claim_unreadable', why: string): false {
    this.#context.meter.reapSkipped(reason);
    this.#context.log.warn('kept data is not destroyed yet', { lease_uuid: lease, reason: why });
    return false;
  }

  #leak(lease: string, left: readonly { readonly name: string; readonly error: unknown }[]): false {
    const { meter, log } = this.#context;
    meter.leaked();
    for (const { name, error } of left)
      log.error('a volume could not be destroyed, will try again', {
        lease_uuid: lease,
        volume: name,
        error: errorText(error),
      });
    return false;
  }

  /** Which hold it is matters: one ends when its restore does, the other when that lease is closed. */
  #held(lease: string, claimed: readonly ClaimedVolume[]): false {
    const { meter, log } = this.#context;
    const byRestore = claimed.filter(({ claim }) => claim.kind.startsWith('restore_'));
    if (byRestore.length > 0) meter.reapSkipped('restore_claimed');
    if (byRestore.length < claimed.length) meter.reapSkipped('owner_claimed');
    for (const { name, claim } of claimed)
      log.warn('a volume is held, not to be removed by hand', {
        lease_uuid: lease,
        volume: name,
        held_by: claim.lease,
        hold: claim.kind,
        ends: claim.kind.startsWith('restore_')
          ? 'when the restore comes to its end'
          : 'when that lease is closed',
      });
    return false;
  }
}
