/** What this process is. There is no guessing: the first word of the command line, else the variable, else the default. */
import { anchordErrors } from '../errors.ts';
import { type Mode, modes } from './daemon-mode.ts';

export interface Invocation {
  readonly mode: Mode;
  /** What stands behind the mode; only the doctor looks at it. */
  readonly args: readonly string[];
}

type Variables = Readonly<Record<string, string | undefined>>;

/** `argv` without the program itself. Throws `MODE_UNKNOWN`. */
export function readInvocation(argv: readonly string[], env: Variables): Invocation {
  const [first = '', ...rest] = argv;
  const word = first.startsWith('-') ? '' : first;
  const wanted = word || env['ANCHORD_MODE'] || 'network-anchor';
  const mode = modes.find((known) => known === wanted);
  if (mode === undefined) {
    const names = modes.map((known) => JSON.stringify(known));
    throw anchordErrors.error(
      'MODE_UNKNOWN',
      `unknown mode ${JSON.stringify(wanted)} (want ${names.slice(0, -1).join(', ')}, or ${names.at(-1)})`,
    );
  }
  return { mode, args: word === '' ? argv : rest };
}
