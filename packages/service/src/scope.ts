/** Why a scope ended when nobody gave another reason. */
export class ScopeClosed extends Error {
  constructor(scope: string) {
    super(`${scope} is closed`);
    this.name = 'ScopeClosed';
  }
}

type Release = () => void | Promise<void>;

/**
 * Owns everything that lives for a while (timers, sockets, streams, handles, tasks) and ends it all, once, in reverse
 * order. Nothing is started outside a scope.
 */
export class Scope {
  readonly name: string;
  readonly #controller = new AbortController();
  readonly #releases: Release[] = [];
  readonly #tasks = new Set<Promise<void>>();
  readonly #onFailure: (error: unknown, task: string) => void;
  #closing: Promise<void> | undefined;

  /** `onFailure` hears of every task that ends with an error while the scope is open. It must not throw. */
  constructor(name: string, onFailure: (error: unknown, task: string) => void) {
    this.name = name;
    this.#onFailure = onFailure;
  }

  /** Aborts when the scope begins to close. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get closed(): boolean {
    return this.#controller.signal.aborted;
  }

  /** A scope inside this one: closed with it, or earlier on its own. */
  child(name: string, onFailure: (error: unknown, task: string) => void = this.#onFailure): Scope {
    const scope = new Scope(`${this.name}/${name}`, onFailure);
    const forget = this.defer(() => scope.close(this.signal.reason));
    scope.defer(forget);
    return scope;
  }

  /**
   * Registers what has to be undone at the end; runs it at once when the scope is closed already. The function that
   * comes back takes the registration away again (for something that ended by itself).
   */
  defer(release: Release): () => void {
    if (this.closed) {
      this.#track(runRelease(release), 'release');
      return () => undefined;
    }
    this.#releases.push(release);
    return () => {
      const index = this.#releases.lastIndexOf(release);
      if (index >= 0) this.#releases.splice(index, 1);
    };
  }

  /** Takes ownership of a disposable and hands it back. */
  own<T extends Disposable | AsyncDisposable>(resource: T): T {
    this.defer(async () => {
      if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]();
      else resource[Symbol.dispose]();
    });
    return resource;
  }

  /** Runs a task that the scope waits for at its end. A task that ends because of the abort is no failure. */
  spawn(task: string, run: (signal: AbortSignal) => Promise<void>): void {
    if (this.closed) return;
    this.#track(run(this.signal), task);
  }

  #track(running: Promise<void>, task: string): void {
    const settled = running.then(
      () => undefined,
      (error: unknown) => {
        if (!this.closed || task === 'release') this.#onFailure(error, `${this.name}: ${task}`);
      },
    );
    this.#tasks.add(settled);
    void settled.then(() => this.#tasks.delete(settled));
  }

  /** Aborts, waits for the tasks, releases in reverse order. Every release runs even if one before it failed. */
  close(reason: unknown = new ScopeClosed(this.name)): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: unknown): Promise<void> {
    this.#controller.abort(reason);
    await Promise.all(this.#tasks);
    for (let release = this.#releases.pop(); release !== undefined; release = this.#releases.pop()) {
      await runRelease(release).catch((error: unknown) => this.#onFailure(error, `${this.name}: release`));
    }
    await Promise.all(this.#tasks);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function runRelease(release: Release): Promise<void> {
  await release();
}
