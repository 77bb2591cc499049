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
  | { readonly kind: 'version' }
  | { readonly kind: 'help' }
  | { readonly kind: 'mistake'; readonly problem: string };

export const usage = `Usage: docker-backend [-config FILE]
       docker-backend config check [-config FILE]
       docker-backend config print [-config FILE]
       docker-backend call METHOD TARGET [-data FILE] [-config FILE]

  -config FILE  configuration file (default docker-backend.yaml)
  -data FILE    what is sent as the body, - for standard input
  -version      print the version and exit
  -help         print this and exit

config check says everything that is wrong with the configuration; config print shows all
settings as they are in effect, without secrets. call sends one signed request, for example
GET /provisions, to the backend that runs with this configuration on this host.
`;

const subcommands = new Map<string, 'check' | 'print'>([
  ['config check', 'check'],
  ['config print', 'print'],
]);

/** Flags that take a value. */
const valued = new Set(['config', 'data']);

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
    else if (!valued.has(flag)) return { kind: 'mistake', problem: `unknown flag: -${flag}` };
    else {
      const value = inline ?? rest.shift() ?? '';
      if (value === '') return { kind: 'mistake', problem: `flag needs a file: -${flag}` };
      values.set(flag, value);
    }
  }
  return commandOf(words, values.get('config') ?? 'docker-backend.yaml', values.get('data'));
}

function commandOf(words: readonly string[], configFile: string, dataFile: string | undefined): Command {
  const [name, method = '', target = '', ...more] = words;
  if (name === 'call') {
    const understood = /^[A-Z]+$/.test(method) && target.startsWith('/') && more.length === 0;
    if (!understood) return { kind: 'mistake', problem: 'call needs a method and a path: call GET /stats' };
    return { kind: 'call', configFile, method, target, dataFile };
  }
  if (dataFile !== undefined) return { kind: 'mistake', problem: 'only call takes -data' };
  const asked = words.join(' ');
  if (asked === '') return { kind: 'serve', configFile };
  const kind = subcommands.get(asked);
  return kind === undefined
    ? { kind: 'mistake', problem: `unknown command: ${asked}` }
    : { kind, configFile };
}
