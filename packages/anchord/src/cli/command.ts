/** What a command is. Dispatch, help, completion, the man page and the reference are all made from such values. */
import type { Environment } from '@berth/service/config';

export interface Option {
  /** `--json` */
  readonly flag: string;
  /** What stands behind it, where something does: `MODE`. */
  readonly value?: string;
  /** The words that may stand behind it. */
  readonly oneOf?: readonly string[];
  readonly many?: boolean;
  /** Completes "anchord NAME FLAG ...". */
  readonly about: string;
}

interface Argument {
  /** `SHELL` */
  readonly name: string;
  readonly oneOf: readonly string[];
  readonly about: string;
}

export interface Example {
  readonly what: string;
  readonly line: string;
}

export interface Command {
  /** `config check` */
  readonly name: string;
  /** A mode runs until it is stopped, and looks at nothing that stands behind its name. */
  readonly kind: 'mode' | 'tool';
  readonly summary: string;
  readonly about: readonly string[];
  readonly argument?: Argument;
  readonly options: readonly Option[];
  readonly examples: readonly Example[];
  /** What each exit code says. */
  readonly exits: Readonly<Record<number, string>>;
}

/** What somebody typed, understood. */
export interface Given {
  readonly argument: string | undefined;
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** Where a command looks, and what it says. */
export interface CommandLineHost {
  readonly env: Environment;
  /** Whole lines. */
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** What a command does; resolves to the exit code. */
export type Tool = (given: Given, host: CommandLineHost) => Promise<number>;
