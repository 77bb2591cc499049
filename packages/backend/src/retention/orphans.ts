/** Drops records whose volumes somebody has removed behind our back: only after several looks in a row showed none of them. */
import type { KeyedSerial } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import { canonicalForm, parseVolume, type VolumeName, volumeName } from '../names/index.ts';
import type { Kept, RetentionStore } from '../stores/index.ts';
import type { RecordCopies } from './copies.ts';
import type { RetentionMeter, VolumesPort } from './ports.ts';

export interface OrphansContext {
  readonly store: RetentionStore;
  readonly volumes: VolumesPort;
  readonly copies: Pick<RecordCopies, 'drop'>;
  readonly locks: KeyedSerial<string>;
  /** Looks in a row; 0: never. */
  readonly confirmations: number;
  readonly meter: RetentionMeter;
  readonly log: Log;
}

export class Orphans {
  readonly #context: OrphansContext;
  /** In memory on purpose: after a restart everything has to be seen anew. */
  readonly #absent = new Map<string, number>();

  constructor(context: OrphansContext) {
    this.#context = context;
  }

  /** Rejects when nothing can be said; then everything counts as seen again. */
  async prune(): Promise<void> {
    const { confirmations, volumes, meter } = this.#context;
    if (confirmations === 0) {
      meter.orphanSkipped('disabled');
      return;
    }
    let listing: ReadonlySet<VolumeName>;
    try {
      listing = new Set(await volumes.list());
    } catch (error) {
      this.#absent.clear();
      meter.orphanSkipped(isUnverifiable(error) ? 'root_unverifiable' : 'list_error');
      throw error;
    }
    let active: readonly Kept[];
    try {
      active = this.#context.store.withStatus('active');
    } catch (error) {
      this.#absent.clear();
      meter.orphanSkipped('store_error');
      throw error;
    }
    const known = new Set(active.map(({ key }) => key));
    for (const key of this.#absent.keys()) if (!known.has(key)) this.#absent.delete(key);
    for (const kept of active) await this.#judge(kept, listing);
  }

  async #judge(kept: Kept, listing: ReadonlySet<VolumeName>): Promise<void> {
    const { confirmations, volumes } = this.#context;
    const names = kept.record?.retained_volume_names;
    // What cannot be read, or cannot be looked for, is not seen to be absent.
    if (
      names === undefined ||
      (volumes.kind === 'noop' && names.length > 0) ||
      names.some(isThere(listing))
    ) {
      this.#absent.delete(kept.key);
      return;
    }
    const looks = (this.#absent.get(kept.key) ?? 0) + 1;
    this.#absent.set(kept.key, looks);
    if (looks >= confirmations) await this.#drop(kept.key, looks);
  }

  async #drop(key: string, looks: number): Promise<void> {
    const { store, locks, copies, meter, log } = this.#context;
    try {
      const dropped = await locks.run(key, async () => store.deleteIfActive(key));
      this.#absent.delete(key);
      if (dropped) await copies.drop(key).catch(() => undefined);
      if (dropped) meter.orphanPruned();
      else meter.orphanSkipped('raced');
      if (dropped) log.warn('record dropped, its volumes are gone', { lease_uuid: key, looks });
    } catch (error) {
      log.warn('a record could not be dropped', { lease_uuid: key, error: errorText(error) });
    }
  }
}

const isThere =
  (listing: ReadonlySet<VolumeName>) =>
  (written: string): boolean => {
    if (parseVolume(written) === undefined) return true;
    const name = volumeName(written);
    return listing.has(name) || listing.has(canonicalForm(name));
  };

/** The root itself is gone, unmounted or cannot be read. */
const isUnverifiable = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && /^ROOT_/.test(String(error.code));
