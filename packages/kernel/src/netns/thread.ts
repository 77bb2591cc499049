/**
 * Which network namespace the calling thread is in. setns() and unshare() change the thread, not the process, so whoever
 * goes elsewhere has to be back before anything else runs on this thread.
 */
import { stat, writeSync } from 'node:fs';
import { errnoError, kernelErrors } from '../errors.ts';
import { CLONE_NEWNET, expectSuccess, linux, O_CLOEXEC, O_RDONLY, type Sys } from '../sys/index.ts';

/** The namespace of the calling thread; /proc/self would be that of the main thread. */
export const HERE = '/proc/thread-self/ns/net';

/** Ends the process at once: in the wrong namespace every further step could hit somebody else's network. */
function dieLoudly(why: string): never {
  writeSync(2, `berth: cannot return to the home network namespace: ${why}; ending the process\n`);
  process.abort();
}

export class NamespaceThread {
  readonly #sys: Sys;
  readonly #die: (why: string) => never;
  /** Our own namespace; opened before the first move, and kept. */
  #home: number | undefined;
  /** Where the thread is now, while it is away. */
  #away: number | undefined;

  constructor(sys: Sys = linux, die: (why: string) => never = dieLoudly) {
    this.#sys = sys;
    this.#die = die;
  }

  /** Runs a synchronous piece in the namespace behind `target`, or in our own (`undefined`), and comes back. */
  run<T>(target: number | undefined, piece: () => T): T {
    if (target === this.#away) return refusePromise(piece());
    const home = this.#prepareHome();
    return refusePromise(
      this.#moved(() => {
        this.#enter(target ?? home);
        this.#away = target;
        return piece();
      }),
    );
  }

  /** Makes a new, empty namespace and answers a descriptor of it. */
  create(): number {
    this.#prepareHome();
    return this.#moved(() => {
      expectSuccess(this.#sys.unshare(CLONE_NEWNET), () => 'making a network namespace');
      return this.#open(HERE);
    });
  }

  /** Does something that may move the thread, and brings it back to where it was, also after a throw. */
  #moved<T>(piece: () => T): T {
    const before = this.#away;
    try {
      return piece();
    } finally {
      this.#away = before;
      const result = this.#sys.setns(before ?? this.#prepareHome(), CLONE_NEWNET);
      if (result < 0) this.#die(errnoError(-result, 'setns').message);
    }
  }

  #enter(target: number): void {
    expectSuccess(this.#sys.setns(target, CLONE_NEWNET), () => 'entering a network namespace');
  }

  #prepareHome(): number {
    if (this.#home === undefined) {
      // libuv starts the threads of its pool from whichever thread first needs one, and they inherit its namespace. So
      // they have to exist before we leave home, or every later file and name look-up would run elsewhere.
      stat('/', () => undefined);
      this.#home = this.#open(HERE);
    }
    return this.#home;
  }

  #open(path: string): number {
    return expectSuccess(this.#sys.open(path, O_RDONLY | O_CLOEXEC), () => `opening ${path}`);
  }
}

/** What an asynchronous piece does after its first await would run at home; so say so instead. */
function refusePromise<T>(result: T): T {
  if (typeof result === 'object' && result !== null && 'then' in result) {
    throw kernelErrors.error(
      'NAMESPACE_ASYNC',
      'a piece of work for another network namespace answered a promise: what follows its first await would run at home',
    );
  }
  return result;
}

/** The one of this thread. */
export const thisThread = new NamespaceThread();
