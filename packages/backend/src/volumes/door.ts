/**
 * The one place where volumes are destroyed. It alone holds what can do that, and whoever wants it done says for which lease
 * and from where. What another owns is kept, and so is everything when it cannot be told who owns it.
 */
import type { VolumeDestroyer } from '@berth/kernel/filesystems';
import { errorText, type Log } from '@berth/service/log';
import { errors } from '../errors.ts';
import type { VolumeName } from '../names/index.ts';
import type { Claim, Ownership } from './claims.ts';
import type { NameLocks } from './name-locks.ts';

const destroySites = [
  'deprovision_destroy',
  'deprovision_reclaim',
  'retention_refused',
  'provision_cleanup',
  'orphan_gc',
  'reaping',
] as const;

export type DestroySite = (typeof destroySites)[number];
export type RefusalReason = 'claimed' | 'claims_unreadable' | 'no_destroyer';

export interface DestroyOutcome {
  /** Gone, or absent before. */
  readonly destroyed: readonly VolumeName[];
  /** Another lease owns it: no error, and still on disk. */
  readonly claimed: readonly { readonly name: VolumeName; readonly claim: Claim }[];
  /** Nothing was attempted, for the whole batch: it could not be told who owns it. */
  readonly unproven: readonly VolumeName[];
  /** Permitted, and failed: partly on disk, perhaps. */
  readonly errors: readonly { readonly name: VolumeName; readonly error: unknown }[];
  /** Room may be given back, and records dropped, only when this is false. */
  readonly leftOnDisk: boolean;
}

export interface Partition {
  readonly mine: readonly VolumeName[];
  readonly foreign: readonly { readonly name: VolumeName; readonly claim: Claim }[];
}

/** One action, done on behalf of one lease or of nobody's. Not to be kept for another. */
export interface VolumeOperation {
  /** Never rejects: what went wrong stands in the outcome. */
  destroy(site: DestroySite, names: Iterable<VolumeName>): Promise<DestroyOutcome>;
  /** Says of volumes that it cannot be told who owns them: counted like those that `destroy` cannot tell of. */
  keep(site: DestroySite, names: Iterable<VolumeName>, error: unknown): DestroyOutcome;
  /** For what is as dangerous as destruction: giving another name. Rejects when it cannot be told who owns what. */
  partition(names: Iterable<VolumeName>): Promise<Partition>;
}

export interface VolumeDoorOptions {
  readonly destroyer: VolumeDestroyer | undefined;
  readonly ownership: Ownership;
  readonly locks: NameLocks;
  readonly log: Log;
  readonly onRefused: (site: DestroySite, reason: RefusalReason) => void;
}

type Verdict =
  | { readonly kind: 'destroyed' }
  | { readonly kind: 'claimed'; readonly claim: Claim }
  | { readonly kind: 'unproven'; readonly error: unknown }
  | { readonly kind: 'error'; readonly error: unknown };

export class VolumeDoor {
  readonly #options: VolumeDoorOptions;
  readonly #holds = new Set<string>();

  constructor(options: VolumeDoorOptions) {
    this.#options = options;
  }

  /** Nothing is destroyed from now on, for a reason that an operator can read. */
  hold(reason: string): void {
    this.#holds.add(reason);
  }

  release(reason: string): void {
    this.#holds.delete(reason);
  }

  get held(): readonly string[] {
    return [...this.#holds];
  }

  operation(asking: string | undefined): VolumeOperation {
    return {
      destroy: (site, names) => this.#destroy(asking, site, [...new Set(names)]),
      keep: (site, names, error) => this.#keep(asking, site, [...new Set(names)], error),
      partition: (names) => this.#partition(asking, [...new Set(names)]),
    };
  }

  async #partition(asking: string | undefined, names: readonly VolumeName[]): Promise<Partition> {
    const obstacles = await this.#obstacles(asking, names);
    return {
      mine: names.filter((name) => !obstacles.has(name)),
      foreign: Array.from(obstacles, ([name, claim]) => ({ name, claim })),
    };
  }

  /** Those of the names that another owns. */
  async #obstacles(
    asking: string | undefined,
    names: readonly VolumeName[],
  ): Promise<ReadonlyMap<VolumeName, Claim>> {
    const { ownership } = this.#options;
    const against = await Promise.all(names.map((name) => ownership.against(name, asking)));
    const found = new Map<VolumeName, Claim>();
    for (const [index, name] of names.entries()) {
      const claim = against[index];
      if (claim !== undefined) found.set(name, claim);
    }
    return found;
  }

  async #destroy(
    asking: string | undefined,
    site: DestroySite,
    names: readonly VolumeName[],
  ): Promise<DestroyOutcome> {
    try {
      await this.#obstacles(asking, names);
    } catch (error) {
      // One that cannot be told about is no reason to go on with the others: what is wrong with it may be wrong with them.
      return this.#keep(asking, site, names, error);
    }
    const verdicts = new Map<VolumeName, Verdict>();
    for (const name of names) verdicts.set(name, await this.#one(asking, site, name));
    return outcomeOf(verdicts);
  }

  #keep(
    asking: string | undefined,
    site: DestroySite,
    names: readonly VolumeName[],
    error: unknown,
  ): DestroyOutcome {
    return outcomeOf(new Map(names.map((name) => [name, this.#unproven(asking, site, name, error)])));
  }

  /** The claim is read again under the lock of the name, in which nobody makes a volume of it or moves one there. */
  #one(asking: string | undefined, site: DestroySite, name: VolumeName): Promise<Verdict> {
    const { ownership, locks, destroyer, onRefused, log } = this.#options;
    return locks.hold([name], async (): Promise<Verdict> => {
      let claim: Claim | undefined;
      try {
        claim = await ownership.against(name, asking);
        if (this.#holds.size > 0)
          throw errors.error('destruction_held', `nothing is destroyed: ${this.held.join('; ')}`);
      } catch (error) {
        return this.#unproven(asking, site, name, error);
      }
      if (claim !== undefined) {
        onRefused(site, 'claimed');
        log.warn('a volume is kept: another owns it', {
          volume: name,
          operation: site,
          lease_uuid: asking ?? '',
          owner: claim.lease,
          reason: claim.kind,
        });
        return { kind: 'claimed', claim };
      }
      if (destroyer === undefined) {
        onRefused(site, 'no_destroyer');
        return { kind: 'unproven', error: new Error('there is nothing that could destroy it') };
      }
      try {
        await destroyer.destroy(name);
        log.info('volume destroyed', { volume: name, operation: site, lease_uuid: asking ?? '' });
        return { kind: 'destroyed' };
      } catch (error) {
        log.error('a volume could not be destroyed', {
          volume: name,
          operation: site,
          error: errorText(error),
        });
        return { kind: 'error', error };
      }
    });
  }

  #unproven(asking: string | undefined, site: DestroySite, volume: VolumeName, error: unknown): Verdict {
    this.#options.onRefused(site, 'claims_unreadable');
    this.#options.log.error('a volume is kept: it cannot be told who owns it', {
      volume,
      operation: site,
      lease_uuid: asking ?? '',
      error: errorText(error),
    });
    return { kind: 'unproven', error };
  }
}

function outcomeOf(verdicts: ReadonlyMap<VolumeName, Verdict>): DestroyOutcome {
  const of = (kind: Verdict['kind']): VolumeName[] =>
    [...verdicts].filter(([, verdict]) => verdict.kind === kind).map(([name]) => name);
  const all = [...verdicts];
  return {
    destroyed: of('destroyed'),
    claimed: all.flatMap(([name, verdict]) =>
      verdict.kind === 'claimed' ? [{ name, claim: verdict.claim }] : [],
    ),
    unproven: of('unproven'),
    errors: all.flatMap(([name, verdict]) =>
      verdict.kind === 'error' ? [{ name, error: verdict.error }] : [],
    ),
    leftOnDisk: all.some(([, { kind }]) => kind !== 'destroyed'),
  };
}
