/** Volumes that nobody owns are destroyed; to be nobody's, all who might know have to be asked, and none may be in doubt. */
import { errorText, type Log } from '@berth/service/log';
import { parseVolume, type VolumeName } from '../names/index.ts';
import type { DestroyOutcome, VolumeDoor, VolumeOperation } from './door.ts';
import type { Volumes } from './volumes.ts';

/** A reason to keep a volume that nobody claims; undefined: none. */
export type Witness = (name: VolumeName) => string | undefined | Promise<string | undefined>;

export interface SweepContext {
  readonly volumes: Volumes;
  readonly door: VolumeDoor;
  /** Looked up anew for each sweep. */
  readonly witnesses: () => Promise<readonly Witness[]>;
  readonly log: Log;
}

export interface Swept {
  readonly listed: number;
  readonly kept: ReadonlyMap<VolumeName, string>;
  readonly outcome: DestroyOutcome;
}

const isLive = (name: VolumeName): boolean => parseVolume(name)?.retained === false;

/**
 * Looks for volumes that are nobody's, at the start and from time to time. Each witness is heard right before the volume is
 * destroyed: a look at many volumes takes long, and leases come and go meanwhile.
 */
export class OrphanSweep {
  readonly #context: SweepContext;
  /** What was last said of a volume that is kept: an operator need not read it every hour. */
  #told: ReadonlyMap<VolumeName, string> = new Map();

  constructor(context: SweepContext) {
    this.#context = context;
  }

  /** Rejects when the root cannot be listed. When it cannot be told who owns what, nothing is destroyed. */
  async run(): Promise<Swept> {
    const { volumes, door, log } = this.#context;
    const listed = await volumes.list();
    // Names that we would not give are left alone, and kept data is not for this sweep.
    const named = listed.filter(isLive);
    const operation = door.operation(undefined);
    const kept = new Map<VolumeName, string>();
    for (const name of listed)
      if (parseVolume(name) === undefined) kept.set(name, 'its name is none that this version gives');
    const outcome = await this.#collect(named, operation, kept);
    for (const [volume, reason] of kept)
      if (this.#told.get(volume) !== reason)
        log.warn('a volume without an owner is kept', { volume, reason });
    this.#told = kept;
    return { listed: listed.length, kept, outcome };
  }

  /** Each by itself: one of which it cannot be told whose it is says nothing of another. */
  async #collect(
    named: readonly VolumeName[],
    operation: VolumeOperation,
    kept: Map<VolumeName, string>,
  ): Promise<DestroyOutcome> {
    const witnesses = await this.#witnesses();
    const outcomes: DestroyOutcome[] = [];
    for (const name of named) {
      try {
        if ((await operation.partition([name])).mine.length === 0) continue;
      } catch (error) {
        outcomes.push(operation.keep('orphan_gc', [name], error));
        continue;
      }
      const reason = await firstReason(witnesses, name);
      if (reason === undefined) outcomes.push(await operation.destroy('orphan_gc', [name]));
      else kept.set(name, reason);
    }
    return together(outcomes);
  }

  async #witnesses(): Promise<readonly Witness[]> {
    try {
      return [...(await this.#context.witnesses()), (name) => this.#label(name)];
    } catch (error) {
      return [() => `not all who might know of it can be asked: ${errorText(error)}`];
    }
  }

  /**
   * No lease of ours ends before its volumes are where they belong: when nobody knows for whom this one was made, that was
   * forgotten, with a store that is lost, or older than the disk.
   */
  async #label(name: VolumeName): Promise<string | undefined> {
    const madeFor = await this.#context.volumes.identityOf(name);
    return madeFor && `it was made for lease ${madeFor.lease} of ${madeFor.tenant}, which no store knows`;
  }
}

const together = (outcomes: readonly DestroyOutcome[]): DestroyOutcome => ({
  destroyed: outcomes.flatMap(({ destroyed }) => destroyed),
  claimed: outcomes.flatMap(({ claimed }) => claimed),
  unproven: outcomes.flatMap(({ unproven }) => unproven),
  errors: outcomes.flatMap(({ errors }) => errors),
  leftOnDisk: outcomes.some(({ leftOnDisk }) => leftOnDisk),
});

async function firstReason(witnesses: readonly Witness[], name: VolumeName): Promise<string | undefined> {
  try {
    for (const witness of witnesses) {
      const reason = await witness(name);
      if (reason !== undefined) return reason;
    }
    return undefined;
  } catch (error) {
    return `somebody who might know of it cannot be asked: ${errorText(error)}`;
  }
}
