/** Many small changes, one durable transaction: all that is asked for in one turn of the event loop goes to disk together. */
import type { StoreFile } from './store-file.ts';

export interface Change {
  /** Writes it, inside a transaction. Called again when the transaction failed because of another change. */
  readonly apply: () => void;
  /** Called when it is durable, before whoever asked for it goes on. Must not throw. */
  readonly applied?: () => void;
}

/** The changes that could not be made, and why. */
type Failures = ReadonlyMap<Change, unknown>;

interface Batch {
  readonly changes: Change[];
  readonly ended: Promise<Failures>;
  readonly end: (failures: Failures) => void;
}

const none: Failures = new Map();

export class GroupCommit {
  readonly #file: StoreFile;
  #waiting: Batch | undefined;

  constructor(file: StoreFile) {
    this.#file = file;
  }

  /** Resolves when the change is durable. Changes are applied in the order in which they were asked for. */
  async commit(change: Change): Promise<void> {
    this.#waiting ??= this.#open();
    const { changes, ended } = this.#waiting;
    changes.push(change);
    const failures = await ended;
    if (failures.has(change)) throw failures.get(change);
  }

  #open(): Batch {
    const { promise: ended, resolve: end } = Promise.withResolvers<Failures>();
    setImmediate(() => this.#flush());
    return { changes: [], ended, end };
  }

  #flush(): void {
    const batch = this.#waiting;
    this.#waiting = undefined;
    if (batch === undefined) return;
    const { changes, end } = batch;
    let failures = none;
    try {
      this.#file.transaction(() => {
        for (const { apply } of changes) apply();
      });
    } catch (error) {
      // One that cannot be applied must not take the others with it.
      failures = changes.length > 1 ? this.#oneByOne(changes) : new Map(changes.map((one) => [one, error]));
    }
    for (const change of changes) if (!failures.has(change)) change.applied?.();
    end(failures);
  }

  #oneByOne(changes: readonly Change[]): Failures {
    const failures = new Map<Change, unknown>();
    for (const change of changes) {
      try {
        this.#file.transaction(change.apply);
      } catch (error) {
        failures.set(change, error);
      }
    }
    return failures;
  }
}
