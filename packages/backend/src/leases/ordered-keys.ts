/** Keys in ascending byte order, for pages that cost what they show and not what there is. */
export class OrderedKeys {
  readonly #keys: string[] = [];

  get size(): number {
    return this.#keys.length;
  }

  add(key: string): void {
    const at = this.#firstAtOrAfter(key);
    if (this.#keys[at] !== key) this.#keys.splice(at, 0, key);
  }

  delete(key: string): void {
    const at = this.#firstAtOrAfter(key);
    if (this.#keys[at] === key) this.#keys.splice(at, 1);
  }

  /** At most `limit` keys strictly after the given one. */
  after(key: string, limit: number): readonly string[] {
    const at = this.#firstAtOrAfter(key);
    const from = this.#keys[at] === key ? at + 1 : at;
    return this.#keys.slice(from, from + limit);
  }

  #firstAtOrAfter(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (before(this.#keys[middle] ?? '', key)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The language compares UTF-16 units; the order of bytes differs only where surrogates are, which lease ids do not have. */
const before = (a: string, b: string): boolean => a < b;
