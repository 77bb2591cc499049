/** What this process is. There is no guessing: the first word of the command line, else the variable, else the default. */
import { anchordErrors } from '../errors.ts';

const modes = ['network-anchor', 'service-anchor', 'doctor', 'external-rebinder', 'wrap-rebinder'] as const;

type Mode = (typeof modes)[number];
/** One that runs until it is stopped. */
export type DaemonMode = Exclude<Mode, 'doctor'>;

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

const asksForHelp = (word: string | undefined): boolean => word === '-h' || word === '--help';

/** The mode that runs until it is stopped, where that is what the words ask for; undefined: some other command. */
export function daemonModeOf(argv: readonly string[], env: Variables): DaemonMode | undefined {
  const [first = '', second] = argv;
  const wanted = first.startsWith('-') || first === '' ? env['ANCHORD_MODE'] || 'network-anchor' : first;
  if (asksForHelp(first) || first === '--version' || asksForHelp(second)) return undefined;
  const mode = modes.find((known) => known === wanted);
  return mode === 'doctor' ? undefined : mode;
}
