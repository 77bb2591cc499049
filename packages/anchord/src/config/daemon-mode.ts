/** Whether this process is to run until it is stopped, and as what. Read before anything else is loaded: it imports nothing. */
export const modes = [
  'network-anchor',
  'service-anchor',
  'doctor',
  'external-rebinder',
  'wrap-rebinder',
] as const;

export type Mode = (typeof modes)[number];
/** One that runs until it is stopped. */
export type DaemonMode = Exclude<Mode, 'doctor'>;

type Variables = Readonly<Record<string, string | undefined>>;

const asksForHelp = (word: string | undefined): boolean => word === '-h' || word === '--help';

/** The mode that runs until it is stopped, where that is what the words ask for; undefined: some other command. */
export function daemonModeOf(argv: readonly string[], env: Variables): DaemonMode | undefined {
  const [first = '', second] = argv;
  const wanted = first.startsWith('-') || first === '' ? env['ANCHORD_MODE'] || 'network-anchor' : first;
  if (asksForHelp(first) || first === '--version' || asksForHelp(second)) return undefined;
  const mode = modes.find((known) => known === wanted);
  return mode === 'doctor' ? undefined : mode;
}
