import { constants } from 'node:os';
import { type Clock, systemClock } from '../clock.ts';
import { CodedError } from '../errors.ts';
import type { Log } from '../log/index.ts';
import { Scope } from '../scope.ts';
import { lifecycleMessages } from './messages.ts';
import { hear } from './missed-signals.ts';

/** What a program's main function gets. */
export interface Daemon {
  /** Owns everything that the program starts. Its end is the program's end. */
  readonly scope: Scope;
  /** Ends the program from the inside, in order, with this exit code. */
  stop(exitCode: number): void;
}

export interface DaemonOptions {
  readonly name: string;
  readonly log: Log;
  /** How long an orderly end may take. Docker kills after 10 s if nothing else is set. */
  readonly stopWithinMs?: number;
  readonly clock?: Clock;
}

const STOP_WITHIN_MS = 9_000;
/** Terminals, npm and supervisors may each pass a signal on: what comes within this time is the same wish. */
const BURST_MS = 1_000;
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Runs a program until its main function ends, it stops itself, or a signal comes; then ends everything in order and leaves
 * the process. The exit code is what main resolves to (0 if nothing), 0 after a signal, and 1 when main or a stray
 * promise fails or the end takes too long.
 *
 * Main runs as a task of the scope: at the end it is told through the scope's signal and waited for before anything is
 * released.
 */
export async function runDaemon(
  options: DaemonOptions,
  main: (daemon: Daemon) => Promise<number | undefined>,
): Promise<never> {
  const life = new Life(options);
  return await life.run(main);
}

class Life {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #stopWithinMs: number;
  readonly #scope: Scope;
  readonly #ended = Promise.withResolvers<void>();
  #exitCode: number | undefined;
  #signalledAtMs: number | undefined;
  #crashes = 0;

  constructor({ name, log, stopWithinMs = STOP_WITHIN_MS, clock = systemClock }: DaemonOptions) {
    this.#log = log;
    this.#clock = clock;
    this.#stopWithinMs = stopWithinMs;
    this.#scope = new Scope(name, (err, task) => log.say(lifecycleMessages.taskFailed, { task, err }));
  }

  async run(main: (daemon: Daemon) => Promise<number | undefined>): Promise<never> {
    hear(SIGNALS, (signal) => this.#signalled(signal));
    process.on('uncaughtException', (error) => this.#crashed(error));
    process.on('unhandledRejection', (error) => this.#crashed(error));
    // Timers of the clock do not keep a process alive, and a program may consist of nothing else.
    const alive = setInterval(() => undefined, 2 ** 30);
    this.#scope.spawn('main', (signal) => this.#main(main, signal));
    await this.#ended.promise;
    clearInterval(alive);
    return this.#leave(this.#exitCode ?? 0);
  }

  async #main(main: (daemon: Daemon) => Promise<number | undefined>, signal: AbortSignal): Promise<void> {
    try {
      const daemon = { scope: this.#scope, stop: (exitCode: number) => this.#stop(exitCode) };
      this.#stop((await main(daemon)) ?? 0);
    } catch (error) {
      // Once the program is ending, the scope tells failures from tasks that did as they were told.
      if (signal.aborted) throw error;
      this.#fatal(error);
      this.#stop(1);
    }
  }

  #signalled(signal: (typeof SIGNALS)[number]): void {
    const number = constants.signals[signal];
    const now = this.#clock.monotonic();
    if (this.#signalledAtMs === undefined) {
      this.#signalledAtMs = now;
      this.#log.say(lifecycleMessages.signalReceived, { signal: number });
      this.#stop(0);
    } else if (now - this.#signalledAtMs > BURST_MS) {
      this.#log.say(lifecycleMessages.forced, { signal: number, waiting: this.#scope.running });
      this.#leave(1);
    }
  }

  /** The state of the program is unknown from here on: end in order what can be ended, and do not try twice. */
  #crashed(error: unknown): void {
    this.#fatal(error);
    this.#crashes += 1;
    if (this.#crashes > 1) this.#leave(1);
    this.#stop(1);
  }

  #fatal(error: unknown): void {
    this.#log.say(lifecycleMessages.fatal, { err: error, ...detailsOf(error) });
  }

  /** The first one decides the exit code, but a failure on the way out still counts. */
  #stop(exitCode: number): void {
    if (this.#exitCode !== undefined) {
      this.#exitCode = Math.max(this.#exitCode, exitCode);
      return;
    }
    this.#exitCode = exitCode;
    this.#clock.after(this.#stopWithinMs, () => {
      this.#log.say(lifecycleMessages.deadlinePassed, { waiting: this.#scope.running });
      this.#leave(1);
    });
    void this.#scope.close().then(this.#ended.resolve);
  }

  #leave(exitCode: number): never {
    process.exit(exitCode);
  }
}

function detailsOf(error: unknown): { code?: string; remedy?: string; stack?: string } {
  if (error instanceof CodedError) return { code: error.code, remedy: error.remedy };
  if (error instanceof Error && error.stack !== undefined) return { stack: error.stack };
  return {};
}
