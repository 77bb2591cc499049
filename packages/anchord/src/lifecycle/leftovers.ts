/** Which re-creations that were left half done may be brought to their end. */
import { parseAsideName } from '@berth/engine';
import type { LifeContainer } from './observe.ts';

/** An operation takes seconds; one that stands still for so long has nobody any more who works on it. */
const abandonedMs = 120_000;

export interface LeftoverOptions {
  readonly now: () => number;
  /** Whether we have begun it: then nobody else works on it, and neither do we at this moment. */
  readonly isOwn: (operation: string) => boolean;
  readonly isWithinReach: (container: LifeContainer) => boolean;
}

/** Those of others are left alone until it is plain that nobody works on them any more. */
export class Leftovers {
  readonly #options: LeftoverOptions;
  #seen = new Map<string, number>();

  constructor(options: LeftoverOptions) {
    this.#options = options;
  }

  /** Ids of the containers that are set aside and to be dealt with. */
  due(all: readonly LifeContainer[]): ReadonlySet<string> {
    const { now, isOwn, isWithinReach } = this.#options;
    const seen = new Map<string, number>();
    const due = new Set<string>();
    for (const container of all) {
      const aside = parseAsideName(container.name);
      if (aside === undefined) continue;
      const key = `${container.id} ${aside.operation}`;
      const since = this.#seen.get(key) ?? now();
      seen.set(key, since);
      const abandoned = now() - since >= abandonedMs && isWithinReach(container);
      if (isOwn(aside.operation) || abandoned) due.add(container.id);
    }
    this.#seen = seen;
    return due;
  }
}
