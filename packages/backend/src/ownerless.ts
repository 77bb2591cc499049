/** What lies on disk and nobody answers for takes room all the same: it is counted, as far as it says how much it is. */
import { errorText, type Log } from '@berth/service/log';
import type { LeaseBook } from './leases/index.ts';
import { parseVolume, type VolumeName } from './names/index.ts';
import { unknownKept } from './retention/index.ts';
import type { RetentionStore } from './stores/index.ts';
import type { Swept, Volumes } from './volumes/index.ts';

export interface OwnerlessContext {
  readonly volumes: Pick<Volumes, 'list' | 'identityOf' | 'usage'>;
  readonly book: Pick<LeaseBook, 'droppedDiskMb'>;
  readonly retention: Pick<RetentionStore, 'kept'>;
  readonly log: Log;
}

const mib = 1024 * 1024;

export class Ownerless {
  readonly #context: OwnerlessContext;
  /** An operator need not read it every hour. */
  #told: ReadonlySet<VolumeName> = new Set();

  constructor(context: OwnerlessContext) {
    this.#context = context;
  }

  /**
   * After a look for volumes of nobody: what it kept or could not destroy, by the lease that would take it up again, and kept data
   * that no record knows, or none that tells its size, by its name.
   */
  async diskMb({ kept, outcome: { errors, unproven } }: Swept): Promise<ReadonlyMap<string, number>> {
    const { book } = this.#context;
    const names = new Set<VolumeName>([
      ...kept.keys(),
      ...unproven,
      ...errors.map(({ name }) => name),
      ...(await this.#keptWithoutSize()),
    ]);
    const sums = new Map<string, number>();
    for (const name of names) {
      const { lease = name, retained } = parseVolume(name) ?? {};
      // What a lease has left that was never closed is counted with that.
      if (book.droppedDiskMb.has(lease)) continue;
      const key = retained === true ? name : lease;
      sums.set(key, (sums.get(key) ?? 0) + (await sizeMbOf(this.#context, name)));
    }
    return sums;
  }

  async #keptWithoutSize(): Promise<readonly VolumeName[]> {
    const { retention, volumes, log } = this.#context;
    const listed = await volumes.list();
    const unknown = unknownKept(retention, listed);
    for (const volume of unknown)
      if (!this.#told.has(volume))
        log.warn('a kept volume has no record: nobody can restore it, and nothing destroys it', { volume });
    this.#told = new Set(unknown);
    // A record that was brought over, and that nobody can read.
    const unread = listed.filter((name) => {
      const { lease = '', retained } = parseVolume(name) ?? {};
      const kept = retained === true ? retention.kept(lease) : undefined;
      return kept !== undefined && kept.record === undefined && kept.diskMb === 0;
    });
    return [...unknown, ...unread];
  }
}

async function sizeMbOf({ volumes, log }: OwnerlessContext, name: VolumeName): Promise<number> {
  try {
    const label = await volumes.identityOf(name).catch(() => undefined);
    return label?.sizeMb ?? Math.ceil((await volumes.usage(name)) / mib);
  } catch (error) {
    log.warn('the size of a volume without an owner is not known', { volume: name, error: errorText(error) });
    return 0;
  }
}
