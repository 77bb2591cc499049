/** Reads the volume root so that "no volumes" and "the root is gone" can never be taken for one another. */
import { open, readdir } from 'node:fs/promises';
import { filesystemErrors } from './errors.ts';
import type { RootOptions } from './quota-volumes.ts';

interface Observation {
  readonly names: readonly string[];
  readonly device: bigint;
}

export class RootWatch {
  readonly #options: RootOptions;
  /** The device on which volumes were last seen; this process only. */
  #baseline: bigint | undefined;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: RootOptions) {
    this.#options = options;
  }

  /** One at a time, so that an older observation never overwrites a newer baseline. */
  list(): Promise<readonly string[]> {
    const next = this.#tail.then(() => this.#list());
    this.#tail = next.catch(() => undefined);
    return next;
  }

  async #list(): Promise<readonly string[]> {
    const { names, device } = await this.#observe();
    if (names.length > 0) {
      this.#baseline = device;
    } else if (this.#baseline !== undefined && this.#baseline !== device) {
      throw filesystemErrors.error(
        'ROOT_UNMOUNTED',
        `the volume root ${this.#options.root} is empty and on device ${device} instead of ${this.#baseline}: possibly unmounted`,
      );
    }
    return names;
  }

  /** Entries and device from the same open directory: two look-ups by path could straddle an unmount. */
  async #observe(): Promise<Observation> {
    const { root, isManaged } = this.#options;
    try {
      await using folder = await open(root, 'r');
      const [stat, entries] = await Promise.all([
        folder.stat({ bigint: true }),
        readdir(`/proc/self/fd/${folder.fd}`, { withFileTypes: true }),
      ]);
      const names = entries
        .filter((entry) => entry.isDirectory() && isManaged(entry.name))
        .map((entry) => entry.name);
      return { names: names.sort(), device: stat.dev };
    } catch (cause) {
      throw filesystemErrors.error(
        'ROOT_UNREADABLE',
        `the volume root ${root} cannot be read: ${String(cause)}`,
        { cause },
      );
    }
  }
}
