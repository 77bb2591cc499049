/** Many small changes, one durable transaction: all that is asked for in one turn of the event loop goes to disk together. */
import type { StoreFile } from './store-file.ts';

interface Change {
  readonly apply: () => void;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

export class GroupCommit {
  readonly #file: StoreFile;
  #waiting: Change[] = [];

  constructor(file: StoreFile) {
    this.#file = file;
  }

  /** Resolves when the change is durable. Changes are applied in the order in which they were asked for. */
  commit(apply: () => void): Promise<void> {
    return new Promise((done, failed) => {
      if (this.#waiting.length === 0) setImmediate(() => this.flush());
      this.#waiting.push({ apply, done, failed });
    });
  }

  /** Commits what is waiting now, without waiting for the end of the turn. */
  flush(): void {
    const changes = this.#waiting;
    this.#waiting = [];
    if (changes.length === 0) return;
    try {
      this.#file.transaction(() => {
        for (const { apply } of changes) apply();
      });
    } catch (error) {
      // One that cannot be applied must not take the others with it.
      if (changes.length > 1) this.#oneByOne(changes);
      else changes[0]?.failed(error);
      return;
    }
    for (const { done } of changes) done();
  }

  #oneByOne(changes: readonly Change[]): void {
    for (const { apply, done, failed } of changes) {
      try {
        this.#file.transaction(apply);
      } catch (error) {
        failed(error);
        continue;
      }
      done();
    }
  }
}
