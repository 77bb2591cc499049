import { report } from './report.ts';

/** Why a scope ended when nobody gave another reason. */
export class ScopeClosed extends Error {
  constructor(scope: string) {
    super(`${scope} is closed`);
    this.name = 'ScopeClosed';
  }
}

type Release = () => void | Promise<void>;
export type OnFailure = (error: unknown, task: string) => void;

interface Registration {
  readonly name: string;
  readonly release: Release;
}

/**
 * Owns everything that lives for a while (timers, sockets, streams, handles, tasks) and ends it all, once, in reverse
 * order. Nothing is started outside a scope.
 *
 * A task of a scope must not await `close` of that scope: both would wait for each other. It calls `stop`.
 */
export class Scope {
  readonly name: string;
  readonly #controller = new AbortController();
  readonly #registrations = new Set<Registration>();
  readonly #tasks = new Map<Promise<void>, string>();
  readonly #children = new Set<Scope>();
  readonly #linked = new Set<AbortController>();
  readonly #onFailure: OnFailure;
  #releasing: string | undefined;
  #closing: Promise<void> | undefined;

  /** `onFailure` hears of every task and every release that fails, with its name. It must not throw. */
  constructor(name: string, onFailure: OnFailure) {
    this.name = name;
    this.#onFailure = onFailure;
  }

  /** Aborts when the scope begins to close. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Has the scope begun to close? */
  get closed(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Names of what still runs: what an end that takes too long is waiting for. */
  get running(): readonly string[] {
    const own = [...this.#tasks.values()];
    if (this.#releasing !== undefined) own.push(this.#releasing);
    const inside = [...this.#children].flatMap((child) => child.running);
    return [...own.map((name) => `${this.name}: ${name}`), ...inside];
  }

  /** A scope inside this one: closed with it, or earlier on its own. */
  child(name: string, onFailure: OnFailure = this.#onFailure): Scope {
    const scope = new Scope(`${this.name}/${name}`, onFailure);
    this.#children.add(scope);
    const forget = this.defer(() => scope.close(this.signal.reason), `scope ${name}`);
    scope.defer(() => {
      this.#children.delete(scope);
      forget();
    }, 'parting from the parent');
    return scope;
  }

  /**
   * Registers what has to be undone at the end; runs it at once when the scope is closed already. The function that
   * comes back takes the registration away again (for something that ended by itself).
   */
  defer(release: Release, name = 'release'): () => void {
    if (this.closed) {
      this.#track(name, runRelease(release));
      return () => undefined;
    }
    const registration: Registration = { name, release };
    this.#registrations.add(registration);
    return () => void this.#registrations.delete(registration);
  }

  /**
   * Aborts this controller when the scope begins to close. The function that comes back parts them again. Much cheaper than
   * `AbortSignal.any`, which leaves weak references behind: for what begins and ends all the time.
   */
  link(controller: AbortController): () => void {
    if (this.closed) controller.abort(this.signal.reason);
    else this.#linked.add(controller);
    return () => void this.#linked.delete(controller);
  }

  /** Takes ownership of a disposable and hands it back. */
  own<T extends Disposable | AsyncDisposable>(resource: T, name?: string): T {
    this.defer(async () => {
      if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]();
      else resource[Symbol.dispose]();
    }, name);
    return resource;
  }

  /**
   * Runs a task that the scope waits for at its end. That it ends because of the abort is no failure. In a closed scope
   * nothing starts any more: the task is left out.
   */
  spawn(task: string, run: (signal: AbortSignal) => Promise<void>): void {
    if (this.closed) return;
    this.#track(task, runTask(run, this.signal));
  }

  #track(name: string, running: Promise<void>): void {
    const settled = running.then(
      () => undefined,
      (error: unknown) => {
        if (!this.#isOurAbort(error)) this.#fail(error, name);
      },
    );
    this.#tasks.set(settled, name);
    void settled.then(() => this.#tasks.delete(settled));
  }

  /** Is this how something ends that was told to stop? */
  #isOurAbort(error: unknown): boolean {
    if (!this.closed) return false;
    for (let link = error, depth = 0; depth < 8; depth++) {
      if (link === this.signal.reason) return true;
      if (!(link instanceof Error)) return false;
      if (link.name === 'AbortError') return true;
      link = link.cause;
    }
    return false;
  }

  #fail(error: unknown, name: string): void {
    report(() => this.#onFailure(error, `${this.name}: ${name}`));
  }

  /** Begins to close without waiting for the end: for a task that ends its own scope. */
  stop(reason?: unknown): void {
    void this.close(reason);
  }

  /**
   * Aborts, waits for the tasks, releases in reverse order. Every release runs even if one before it failed. Never
   * rejects: `onFailure` hears what went wrong.
   */
  async close(reason: unknown = new ScopeClosed(this.name)): Promise<void> {
    this.#closing ??= this.#close(reason);
    await this.#closing;
    // What was registered after the end is released, too, and whoever asks again waits for it.
    await this.#tasksEnded();
  }

  async #close(reason: unknown): Promise<void> {
    this.#controller.abort(reason);
    for (const controller of this.#linked) controller.abort(this.signal.reason);
    this.#linked.clear();
    await this.#tasksEnded();
    for (const registration of [...this.#registrations].reverse()) {
      // One release may take another one's registration away.
      if (!this.#registrations.delete(registration)) continue;
      this.#releasing = registration.name;
      await runRelease(registration.release).catch((error: unknown) => this.#fail(error, registration.name));
    }
    this.#releasing = undefined;
    await this.#tasksEnded();
  }

  /** Also those that came in while others were waited for. */
  async #tasksEnded(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks.keys());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function runRelease(release: Release): Promise<void> {
  await release();
}

/** Async, so that a task that throws before its first await fails like any other. */
async function runTask(run: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
  await run(signal);
}
