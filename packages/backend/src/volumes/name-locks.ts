/** One at a time for each name of a volume. A fixed number of locks: outsiders choose the names, and a map would grow. */
export class NameLocks {
  readonly #tails: Promise<unknown>[];

  constructor(stripes = 256) {
    this.#tails = Array.from({ length: stripes }, () => Promise.resolve());
  }

  /** Holds the locks of all the names while `work` runs; taken in one order, so that nobody waits for another in a circle. */
  async hold<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    const stripes = [...new Set(names.map((name) => fnv1a(name) % this.#tails.length))].sort((a, b) => a - b);
    const done = Promise.withResolvers<void>();
    try {
      for (const stripe of stripes) {
        const before = this.#tails[stripe];
        this.#tails[stripe] = Promise.all([before, done.promise]);
        await before;
      }
      return await work();
    } finally {
      done.resolve();
    }
  }
}

/** FNV-1a, 32 bit. */
function fnv1a(text: string): number {
  let hash = 0x811c_9dc5;
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, 0x0100_0193);
  return hash >>> 0;
}
