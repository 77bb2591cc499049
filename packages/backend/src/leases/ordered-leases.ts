/** Leases in ascending byte order of their ids, for pages that cost what they show and not what there is. */
import type { Lease } from '../lease/index.ts';

export class OrderedLeases {
  readonly #leases: Lease[] = [];

  get size(): number {
    return this.#leases.length;
  }

  /** Puts it in its place, or in that of an earlier record of the same lease. */
  put(lease: Lease): void {
    const at = this.#firstAtOrAfter(lease.uuid);
    if (this.#leases[at]?.uuid === lease.uuid) this.#leases[at] = lease;
    else this.#leases.splice(at, 0, lease);
  }

  delete(uuid: string): void {
    const at = this.#firstAtOrAfter(uuid);
    if (this.#leases[at]?.uuid === uuid) this.#leases.splice(at, 1);
  }

  /** At most `limit` leases whose ids come strictly after the given one. */
  after(uuid: string, limit: number): readonly Lease[] {
    const at = this.#firstAtOrAfter(uuid);
    const from = this.#leases[at]?.uuid === uuid ? at + 1 : at;
    return this.#leases.slice(from, from + limit);
  }

  #firstAtOrAfter(uuid: string): number {
    let low = 0;
    let high = this.#leases.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      // The language compares UTF-16 units; the order of bytes differs only where surrogates are, which ids do not have.
      if ((this.#leases[middle]?.uuid ?? '') < uuid) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
