import type { Clock } from './clock.ts';
import { report } from './report.ts';
import type { Scope } from './scope.ts';
import { serviceErrors } from './service-errors.ts';

export interface MailboxOptions<Message> {
  /** Whose mailbox it is, for errors. */
  readonly name: string;
  /** How many messages may wait. The one that is being handled does not count. */
  readonly capacity: number;
  /** Handles one message; the next one waits until it has settled. The signal aborts on `close('abort')`. */
  readonly handle: (message: Message, signal: AbortSignal) => void | Promise<void>;
  /** Hears of a handler that failed. The mailbox goes on with the next message. Must not throw. */
  readonly onError: (error: unknown, message: Message) => void;
  readonly clock: Pick<Clock, 'monotonic'>;
}

interface Waiting {
  enter(): void;
  refuse(reason: unknown): void;
}

/**
 * Serialises all that happens to one key: messages are handled one at a time, in the order in which they were taken in.
 * Belongs to a scope, and at its end handles what it has taken in (`drain`), unless it was closed by hand before.
 *
 * A handler must not await `post` or `close` of its own mailbox: both wait for that handler.
 */
export class Mailbox<Message> {
  readonly name: string;
  readonly capacity: number;
  readonly #options: MailboxOptions<Message>;
  readonly #inbox: Message[] = [];
  readonly #atDoor: Waiting[] = [];
  readonly #controller = new AbortController();
  #forget: () => void = () => undefined;
  #running: Promise<void> | undefined;
  #busySinceMs: number | undefined;
  #closing: Promise<void> | undefined;

  constructor(scope: Scope, options: MailboxOptions<Message>) {
    if (!(options.capacity >= 1)) throw new RangeError(`${options.name}: the capacity has to be at least 1`);
    this.name = options.name;
    this.capacity = options.capacity;
    this.#options = options;
    this.#forget = scope.defer(() => this.close('drain'));
  }

  /** How many messages wait to be handled. */
  get depth(): number {
    return this.#inbox.length;
  }

  /** Since when (monotonic milliseconds) the current message is being handled; undefined when idle. */
  get busySinceMs(): number | undefined {
    return this.#busySinceMs;
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** Takes the message in if there is room; otherwise says so at once. */
  tryPost(message: Message): boolean {
    // Somebody waits at the door only while it is full, so nobody is overtaken.
    if (this.closed || this.#inbox.length >= this.capacity) return false;
    this.#take(message);
    return true;
  }

  /**
   * Takes the message in as soon as there is room; those who wait are served in turn. Rejects when the mailbox closes
   * first, or with the signal's reason when that aborts first. Resolved means taken in, not handled.
   */
  post(message: Message, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.closed) return Promise.reject(this.#closedError());
    if (this.tryPost(message)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#atDoor.splice(this.#atDoor.indexOf(waiting), 1);
        reject(signal?.reason);
      };
      const waiting: Waiting = {
        enter: () => {
          signal?.removeEventListener('abort', leave);
          this.#take(message);
          resolve();
        },
        refuse: (reason) => {
          signal?.removeEventListener('abort', leave);
          reject(reason);
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#atDoor.push(waiting);
    });
  }

  /**
   * Takes nothing in any more. `drain` handles what was taken in; `abort` tells the running handler to stop and
   * forgets the rest. Resolves when nothing runs any more. A drain can still be cut short by an abort.
   */
  close(how: 'drain' | 'abort'): Promise<void> {
    if (how === 'abort') {
      this.#inbox.length = 0;
      this.#controller.abort(this.#closedError());
    }
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#forget();
    for (const waiting of this.#atDoor.splice(0)) waiting.refuse(this.#closedError());
    await this.#running;
  }

  #closedError(): Error {
    return serviceErrors.error('MAILBOX_CLOSED', `${this.name} takes no more messages`);
  }

  #take(message: Message): void {
    this.#inbox.push(message);
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // Whoever posts goes on first: a handler never runs inside the call of its sender.
    await Promise.resolve();
    while (this.#inbox.length > 0) {
      const message = this.#inbox.shift() as Message;
      this.#atDoor.shift()?.enter();
      this.#busySinceMs = this.#options.clock.monotonic();
      try {
        await this.#options.handle(message, this.#controller.signal);
      } catch (error) {
        report(() => this.#options.onError(error, message));
      }
    }
    this.#busySinceMs = undefined;
    this.#running = undefined;
  }
}
