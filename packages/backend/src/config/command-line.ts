/** What the program was asked to do. */
export type Command =
  | { readonly kind: 'serve' | 'check' | 'print'; readonly configFile: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'help' }
  | { readonly kind: 'mistake'; readonly problem: string };

export const usage = `Usage: docker-backend [-config FILE]
       docker-backend config check [-config FILE]
       docker-backend config print [-config FILE]

  -config FILE  configuration file (default docker-backend.yaml)
  -version      print the version and exit
  -help         print this and exit

config check says everything that is wrong with the configuration; config print shows all
settings as they are in effect, without secrets.
`;

const subcommands = new Map<string, 'check' | 'print'>([
  ['config check', 'check'],
  ['config print', 'print'],
]);

/** Flags take one or two dashes; a value follows as the next argument or after an equal sign. */
export function parseCommandLine(argv: readonly string[]): Command {
  let configFile = 'docker-backend.yaml';
  const words: string[] = [];
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    const [, flag, inline] = /^--?([^=-][^=]*)(?:=(.*))?$/s.exec(argument) ?? [];
    if (flag === undefined) words.push(argument);
    else if (flag === 'h' || flag === 'help') return { kind: 'help' };
    else if (flag === 'version') return { kind: 'version' };
    else if (flag === 'config') {
      const value = inline ?? rest.shift();
      if (value === undefined || value === '')
        return { kind: 'mistake', problem: 'flag needs a file: -config' };
      configFile = value;
    } else return { kind: 'mistake', problem: `unknown flag: -${flag}` };
  }
  const asked = words.join(' ');
  if (asked === '') return { kind: 'serve', configFile };
  const kind = subcommands.get(asked);
  return kind === undefined
    ? { kind: 'mistake', problem: `unknown command: ${asked}` }
    : { kind, configFile };
}
