/** Who owns which bytes. A name proves nothing; whoever keeps a record of ownership answers for it here, name by name. */
import type { VolumeName } from '../names/index.ts';

type ClaimKind =
  /** A lease that lives, or is coming into being. */
  | 'live_provision'
  /** Kept data of a closed lease. */
  | 'retained_record'
  /** Kept data that a restore has given the name of the new lease; it still belongs to the closed one. */
  | 'restore_adopted'
  /** The name that such data has if the restore fails. */
  | 'restore_source'
  /** Made by another backend. */
  | 'foreign_backend';

export interface Claim {
  readonly kind: ClaimKind;
  /** The owner: during a restore the closed lease, not the new one. */
  readonly lease: string;
}

export interface ClaimSource {
  /**
   * The claim on a volume, in the form that it has for a live or in the one that it has for a closed lease; undefined when
   * this source knows of none. Throws, or rejects, when it cannot be known: that is never the same as "none".
   */
  claimOf(name: VolumeName): Claim | undefined | Promise<Claim | undefined>;
}

/** All sources as one. An error of any of them is an error of all. */
export class Ownership {
  readonly #sources: readonly ClaimSource[];

  constructor(sources: readonly ClaimSource[]) {
    this.#sources = sources;
  }

  /** Every claim on a volume: during a restore the new lease has one, and the closed lease another. */
  async claimsOn(name: VolumeName): Promise<readonly Claim[]> {
    const claims = await Promise.all(this.#sources.map((source) => source.claimOf(name)));
    return claims.filter((claim) => claim !== undefined);
  }

  /** The claim that forbids a lease (undefined: nobody's) to do away with a volume; undefined when none does. */
  async against(name: VolumeName, asking: string | undefined): Promise<Claim | undefined> {
    const claims = await this.claimsOn(name);
    return claims.find(({ kind, lease }) => kind === 'foreign_backend' || lease !== asking);
  }
}
