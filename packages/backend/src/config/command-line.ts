/** What the program was asked to do. */
export type Command =
  | { readonly kind: 'serve' | 'check' | 'print'; readonly configFile: string }
  | {
      readonly kind: 'call';
      readonly configFile: string;
      readonly method: string;
      readonly target: string;
      /** The file with the body, `-` for standard input; undefined: none. */
      readonly dataFile: string | undefined;
    }
  | {
      readonly kind: 'import';
      readonly configFile: string;
      readonly from: string;
      readonly dryRun: boolean;
    }
  | {
      readonly kind: 'recover';
      readonly configFile: string;
      readonly dryRun: boolean;
      readonly newRoot: boolean;
    }
  | { readonly kind: 'backup'; readonly configFile: string; readonly to: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'help' }
  | { readonly kind: 'mistake'; readonly problem: string };

export const usage = `Usage: docker-backend [-config FILE]
       docker-backend config check [-config FILE]
       docker-backend config print [-config FILE]
       docker-backend call METHOD TARGET [-data FILE] [-config FILE]
       docker-backend backup -to DIR [-config FILE]
       docker-backend import -from DIR [-dry-run] [-config FILE]
       docker-backend recover [-dry-run] [-new-root] [-config FILE]

  -config FILE  configuration file (default docker-backend.yaml)
  -data FILE    what is sent as the body, - for standard input
  -version      print the version and exit
  -help         print this and exit

config check says everything that is wrong with the configuration; config print shows all
settings as they are in effect, without secrets. call sends one signed request, for example
GET /provisions, to the backend that runs with this configuration on this host.

backup copies the stores while the backend runs. import brings over what an earlier
program wrote (callbacks.db, diagnostics.db, releases.db and retention.db in DIR); recover
makes records anew for kept volumes that the retention store does not know, and with
-new-root takes another disk for the lost one of the volumes, also an empty one. Both need
the backend to be stopped; -dry-run says what they would do and changes nothing.
`;

const subcommands = new Map<string, 'check' | 'print'>([
  ['config check', 'check'],
  ['config print', 'print'],
]);

/** Flags that take a value, and what it names. */
const valued: ReadonlyMap<string, string> = new Map([
  ['config', 'file'],
  ['data', 'file'],
  ['from', 'folder'],
  ['to', 'folder'],
]);

/** Flags that take none. */
const switches: ReadonlySet<string> = new Set(['dry-run', 'new-root']);

/** What a command takes beside `-config`. */
const takes: ReadonlyMap<string, readonly string[]> = new Map([
  ['call', ['data']],
  ['backup', ['to']],
  ['import', ['from', 'dry-run']],
  ['recover', ['dry-run', 'new-root']],
]);

const mistake = (problem: string): Command => ({ kind: 'mistake', problem });

/** Flags take one or two dashes; a value follows as the next argument or after an equal sign. */
export function parseCommandLine(argv: readonly string[]): Command {
  const values = new Map<string, string>();
  const words: string[] = [];
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    const [, flag, inline] = /^--?([^=-][^=]*)(?:=(.*))?$/s.exec(argument) ?? [];
    if (flag === undefined) words.push(argument);
    else if (flag === 'h' || flag === 'help') return { kind: 'help' };
    else if (flag === 'version') return { kind: 'version' };
    else if (switches.has(flag) && inline === undefined) values.set(flag, 'yes');
    else {
      const needed = valued.get(flag);
      if (needed === undefined) return mistake(`unknown flag: -${flag}`);
      const value = inline ?? rest.shift() ?? '';
      if (value === '') return mistake(`flag needs a ${needed}: -${flag}`);
      values.set(flag, value);
    }
  }
  return commandOf(words, values);
}

function commandOf(words: readonly string[], values: ReadonlyMap<string, string>): Command {
  const [name = '', method = '', target = '', ...more] = words;
  const configFile = values.get('config') ?? 'docker-backend.yaml';
  const own = takes.get(name) ?? [];
  const stray = [...values.keys()].find((flag) => flag !== 'config' && !own.includes(flag));
  if (stray === 'data') return mistake('only call takes -data');
  if (stray !== undefined) return mistake(`flag is not for this command: -${stray}`);
  if (name === 'call') {
    const understood = /^[A-Z]+$/.test(method) && target.startsWith('/') && more.length === 0;
    if (!understood) return mistake('call needs a method and a path: call GET /stats');
    return { kind: 'call', configFile, method, target, dataFile: values.get('data') };
  }
  if (words.length === 1) {
    const [from, to, dryRun] = [values.get('from'), values.get('to'), values.has('dry-run')];
    if (name === 'recover') return { kind: 'recover', configFile, dryRun, newRoot: values.has('new-root') };
    if (name === 'import')
      return from === undefined
        ? mistake('import needs a folder: -from')
        : { kind: 'import', configFile, from, dryRun };
    if (name === 'backup')
      return to === undefined ? mistake('backup needs a folder: -to') : { kind: 'backup', configFile, to };
  }
  const asked = words.join(' ');
  if (asked === '') return { kind: 'serve', configFile };
  const kind = subcommands.get(asked);
  return kind === undefined ? mistake(`unknown command: ${asked}`) : { kind, configFile };
}
