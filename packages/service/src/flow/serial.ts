/** One after another: tasks that must not overlap, in the order in which they came. */
export class Serial {
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** How many tasks run or wait. */
  get size(): number {
    return this.#waiting;
  }

  /**
   * Runs the task when all before it have ended, and gives its result. Aborting while it waits takes it out of the
   * queue; a task that runs is not touched. A task must not wait for another one of the same queue.
   */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    this.#waiting += 1;
    const turn = Promise.withResolvers<void>();
    const before = this.#tail;
    this.#tail = before.then(() => turn.promise);
    try {
      await raceAbort(before, signal);
      return await task();
    } finally {
      this.#waiting -= 1;
      turn.resolve();
    }
  }
}

async function raceAbort(turn: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) {
    await turn;
    return;
  }
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([turn, aborted.promise]);
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** A queue for each key; keys that nobody uses cost nothing. */
export class KeyedSerial<Key> {
  readonly #queues = new Map<Key, Serial>();

  get keys(): number {
    return this.#queues.size;
  }

  async run<T>(key: Key, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const queue = this.#queues.get(key) ?? new Serial();
    this.#queues.set(key, queue);
    try {
      return await queue.run(task, signal);
    } finally {
      if (queue.size === 0 && this.#queues.get(key) === queue) this.#queues.delete(key);
    }
  }
}
