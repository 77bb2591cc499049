import { type Clock, systemClock } from '../clock.ts';
import type { Secret } from '../secret.ts';
import { jsonFormat, type LogFormat } from './formats.ts';
import { atLeast, type Level } from './level.ts';
import { type Message, type MessageArgs, message } from './message.ts';
import { type PlainObject, plainAttrs, plainText } from './plain.ts';
import type { LogSink } from './sink.ts';

/** What goes with a message, in this order. An undefined value is left out. */
export type Attrs = Readonly<Record<string, unknown>>;

/** Where a program says what happens. Never throws, whatever it is given. */
export interface Log {
  debug(msg: string, attrs?: Attrs): void;
  info(msg: string, attrs?: Attrs): void;
  warn(msg: string, attrs?: Attrs): void;
  error(msg: string, attrs?: Attrs): void;
  write(level: Level, msg: string, attrs?: Attrs): void;
  /** Writes a message of a table, with exactly the attributes that the table names. */
  say<Attr extends string>(message: Message<Attr>, ...attrs: MessageArgs<Attr>): void;
  /** Is a line of this level written at all? For attributes that are dear to compute. */
  enabled(level: Level): boolean;
  /** The same log with these attributes before those of every line. */
  with(attrs: Attrs): Log;
}

/** The log that the composition root holds: the only one whose settings change. */
export interface RootLog extends Log {
  setLevel(level: Level): void;
  /** From now on these values are replaced by asterisks wherever they turn up. */
  hide(...secrets: readonly Secret[]): void;
}

export interface LogOptions {
  readonly sink: LogSink;
  readonly level?: Level;
  readonly format?: LogFormat;
  readonly clock?: Pick<Clock, 'now'>;
}

export function createLog(options: LogOptions): RootLog {
  const core = new Core(options);
  return new RootLogger(core, {});
}

const linesDropped = message(
  'warn',
  'log lines dropped',
  ['count'],
  'Whoever reads the log was too slow or gone; so many lines before this one are missing.',
);

/** Messages of the log itself. */
export const logMessages = { linesDropped };

/** What all logs of one root share. */
class Core {
  level: Level;
  readonly hidden: Secret[] = [];
  readonly #sink: LogSink;
  readonly #format: LogFormat;
  readonly #clock: Pick<Clock, 'now'>;

  constructor({ sink, level = 'info', format = jsonFormat, clock = systemClock }: LogOptions) {
    this.level = level;
    this.#sink = sink;
    this.#format = format;
    this.#clock = clock;
  }

  write(level: Level, msg: string, bound: Attrs, attrs: Attrs | undefined): void {
    if (!atLeast(level, this.level)) return;
    try {
      this.#put(level, plainText(String(msg), this), plainAttrs([bound, attrs], this));
      const count = this.#sink.takeDropped();
      if (count > 0) this.#put(linesDropped.level, linesDropped.msg, { count });
    } catch {
      // A clock, a format or a sink that throws must not take the program with it, and there is nobody to tell.
    }
  }

  #put(level: Level, msg: string, attrs: PlainObject): void {
    this.#sink.write(`${this.#format({ time: this.#clock.now(), level, msg, attrs })}\n`);
  }
}

class Logger implements Log {
  readonly #bound: Attrs;
  protected readonly core: Core;

  constructor(core: Core, bound: Attrs) {
    this.core = core;
    this.#bound = bound;
  }

  debug(msg: string, attrs?: Attrs): void {
    this.write('debug', msg, attrs);
  }

  info(msg: string, attrs?: Attrs): void {
    this.write('info', msg, attrs);
  }

  warn(msg: string, attrs?: Attrs): void {
    this.write('warn', msg, attrs);
  }

  error(msg: string, attrs?: Attrs): void {
    this.write('error', msg, attrs);
  }

  write(level: Level, msg: string, attrs?: Attrs): void {
    this.core.write(level, msg, this.#bound, attrs);
  }

  say<Attr extends string>({ level, msg }: Message<Attr>, ...[attrs]: MessageArgs<Attr>): void {
    this.write(level, msg, attrs);
  }

  enabled(level: Level): boolean {
    return atLeast(level, this.core.level);
  }

  with(attrs: Attrs): Log {
    return new Logger(this.core, { ...this.#bound, ...attrs });
  }
}

class RootLogger extends Logger implements RootLog {
  setLevel(level: Level): void {
    this.core.level = level;
  }

  hide(...secrets: readonly Secret[]): void {
    this.core.hidden.push(...secrets);
  }
}
