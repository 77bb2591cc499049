/** Ids in ascending order of their bytes, for pages that cost what they show and not what there is. */
export class OrderedIds {
  readonly #ids: string[] = [];

  get size(): number {
    return this.#ids.length;
  }

  add(id: string): void {
    const at = this.#firstAtOrAfter(id);
    if (this.#ids[at] !== id) this.#ids.splice(at, 0, id);
  }

  delete(id: string): void {
    const at = this.#firstAtOrAfter(id);
    if (this.#ids[at] === id) this.#ids.splice(at, 1);
  }

  /** At most `limit` ids that come strictly after the given one. */
  after(id: string, limit: number): readonly string[] {
    const at = this.#firstAtOrAfter(id);
    const from = this.#ids[at] === id ? at + 1 : at;
    return this.#ids.slice(from, from + limit);
  }

  #firstAtOrAfter(id: string): number {
    let low = 0;
    let high = this.#ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      // The language compares UTF-16 units; the order of bytes differs only where surrogates are, which ids do not have.
      if ((this.#ids[middle] ?? '') < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
