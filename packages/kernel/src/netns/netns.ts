import { fstatSync } from 'node:fs';
import { kernelErrors } from '../errors.ts';
import { CLONE_NEWNET, expectSuccess, linux, O_CLOEXEC, O_RDONLY, type Sys } from '../sys/index.ts';
import { identifyProcess, type ProcessIdentity, processGone, whileItLives } from './process.ts';
import { HERE, thisThread } from './thread.ts';

/** ioctl on a namespace's descriptor: of which kind is it? */
const NS_GET_NSTYPE = 0xb703;

/** Makes a call with a piece of work that answers a promise a type error: an argument is missing that cannot be given. */
type SynchronousOnly<T> = [T] extends [never] ? [] : T extends PromiseLike<unknown> ? [never] : [];

/**
 * A network namespace. Sockets that are opened inside `run` stay in it wherever they are used afterwards, so one
 * process serves any number of namespaces. Holding it keeps the namespace alive: dispose of it when done.
 */
export class Netns implements Disposable {
  /** Our own: that of the process. Costs nothing, and disposing of it does nothing. */
  static readonly own: Netns = new Netns('our own network namespace', undefined, linux);

  /** For messages. */
  readonly name: string;
  readonly #sys: Sys;
  #fd: number | undefined;
  #closed = false;
  /** How many runs inside are under way. */
  #visits = 0;

  private constructor(name: string, fd: number | undefined, sys: Sys) {
    this.name = name;
    this.#fd = fd;
    this.#sys = sys;
  }

  /** The one behind a file such as /run/netns/NAME or /proc/PID/ns/net. */
  static atPath(path: string, sys: Sys = linux): Netns {
    const fd = expectSuccess(sys.open(path, O_RDONLY | O_CLOEXEC), () => `opening ${path}`, { path });
    if (sys.ioctl(fd, NS_GET_NSTYPE, new Uint8Array(8)) !== CLONE_NEWNET) {
      sys.close(fd);
      throw kernelErrors.error('NAMESPACE_INVALID', `${path} is not a network namespace`, {
        details: { path },
      });
    }
    return new Netns(path, fd, sys);
  }

  /**
   * That of a process. A number alone means the process that has it now; an identity that was taken earlier also makes
   * sure that it is still the same one.
   */
  static ofProcess(process: number | ProcessIdentity, sys: Sys = linux): Netns {
    const identity = typeof process === 'number' ? identifyProcess(process) : process;
    let opened: Netns | undefined;
    try {
      return whileItLives(
        identity,
        () => {
          opened = Netns.atPath(`/proc/${identity.pid}/ns/net`, sys);
          return opened;
        },
        sys,
      );
    } catch (error) {
      opened?.[Symbol.dispose]();
      // A process that ended but was not waited for still has its number, and no namespaces any more.
      if (kernelErrors.is(error, 'KERNEL_NOT_FOUND')) throw processGone(identity.pid, 'it has ended', error);
      throw error;
    }
  }

  /** A new one without a name, empty but for `lo`; it ends with the last descriptor, socket or process in it. */
  static create(name = 'a network namespace of our making', sys: Sys = linux): Netns {
    return new Netns(name, thisThread.create(), sys);
  }

  /**
   * Runs a synchronous piece inside (the type refuses a promise). Sockets opened and programs started in it stay inside;
   * files below /proc/sys/net and /proc/thread-self/net are those of this namespace. May be nested.
   */
  run<T>(piece: () => T, ..._synchronous: SynchronousOnly<T>): T {
    if (this.#closed) throw kernelErrors.error('KERNEL_CLOSED', `${this.name} was entered after its end`);
    this.#visits += 1;
    try {
      return thisThread.run(this.#fd, piece);
    } finally {
      this.#visits -= 1;
      this.#closeWhenLeft();
    }
  }

  /** For calls that name a namespace by descriptor, such as moving a link into it. */
  withDescriptor<T>(use: (fd: number) => T): T {
    const fd = this.run(() => openHere(this.#sys));
    try {
      return use(fd);
    } finally {
      this.#sys.close(fd);
    }
  }

  /** The same for two handles of one namespace, and for nothing else while one of them is held. */
  get id(): string {
    const { dev, ino } = this.withDescriptor((fd) => fstatSync(fd, { bigint: true }));
    return `${dev}:${ino}`;
  }

  [Symbol.dispose](): void {
    if (this.#fd === undefined) return;
    this.#closed = true;
    this.#closeWhenLeft();
  }

  /** Whoever is inside still needs the descriptor to come back to. */
  #closeWhenLeft(): void {
    if (!this.#closed || this.#visits > 0 || this.#fd === undefined) return;
    this.#sys.close(this.#fd);
    this.#fd = undefined;
  }
}

function openHere(sys: Sys): number {
  return expectSuccess(sys.open(HERE, O_RDONLY | O_CLOEXEC), () => `opening ${HERE}`);
}
