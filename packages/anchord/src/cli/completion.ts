/** Scripts by which shells complete the commands; they ask nobody while somebody types. */
import type { Command } from './command.ts';
import type { shells } from './commands.ts';

type Shell = (typeof shells)[number];

export function completionScript(shell: Shell, commands: readonly Command[]): string {
  switch (shell) {
    case 'bash':
      return bash(commands);
    case 'zsh':
      return zsh(commands);
    case 'fish':
      return fish(commands);
  }
}

/** The first words, each with the second words that may follow it. */
function firstWords(commands: readonly Command[]): ReadonlyMap<string, readonly string[]> {
  const words = new Map<string, string[]>();
  for (const { name } of commands) {
    const [first = name, second] = name.split(' ');
    words.set(first, [...(words.get(first) ?? []), ...(second === undefined ? [] : [second])]);
  }
  return words;
}

/** What may come once the whole name stands there. */
const following = ({ options, argument }: Command): readonly string[] => [
  ...(argument?.oneOf ?? []),
  ...options.map(({ flag }) => flag),
];

function bash(commands: readonly Command[]): string {
  const groups = [...firstWords(commands)].filter(([, seconds]) => seconds.length > 0);
  const cases = [
    ...groups.map(([first, seconds]) => `    "${first}") words='${seconds.join(' ')}' ;;`),
    ...commands.map((command) => `    "${command.name}"*) words='${following(command).join(' ')}' ;;`),
  ];
  const values = commands.flatMap(({ options }) => options.filter(({ oneOf }) => oneOf !== undefined));
  const valueCases = new Map(
    values.map(({ flag, oneOf = [] }) => [flag, `    ${flag}) words='${oneOf.join(' ')}' ;;`]),
  );
  return `# bash completion for anchord
_anchord() {
  local words='' before="\${COMP_WORDS[*]:1:COMP_CWORD-1}"
  case "$before" in
    '') words='${[...firstWords(commands).keys()].join(' ')} --help --version' ;;
${cases.join('\n')}
  esac
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
${[...valueCases.values()].join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _anchord anchord
`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function zsh(commands: readonly Command[]): string {
  const words = firstWords(commands);
  const summaryOf = (first: string): string =>
    commands.find(({ name }) => name === first)?.summary ?? `${(words.get(first) ?? []).join(', ')}`;
  const described = [...words.keys()].map((first) => `    ${quoted(`${first}:${summaryOf(first)}`)}`);
  const groups = [...words].filter(([, seconds]) => seconds.length > 0);
  const cases = [
    ...groups.map(([first, seconds]) => `    ${quoted(first)}) compadd -- ${seconds.join(' ')} ;;`),
    ...commands
      .filter((command) => following(command).length > 0)
      .map((command) => `    ${quoted(command.name)}*) compadd -- ${following(command).join(' ')} ;;`),
  ];
  const values = new Map(
    commands
      .flatMap(({ options }) => options)
      .flatMap(({ flag, oneOf }) =>
        oneOf === undefined ? [] : [[flag, `    ${flag}) compadd -- ${oneOf.join(' ')}; return ;;`]],
      ),
  );
  return `#compdef anchord
_anchord() {
  local -a first=(
${described.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command first
    return
  fi
  case "\${words[CURRENT-1]}" in
${[...values.values()].join('\n')}
  esac
  case "\${words[2,CURRENT-1]}" in
${cases.join('\n')}
  esac
}
compdef _anchord anchord
`;
}

function fish(commands: readonly Command[]): string {
  const words = firstWords(commands);
  const lines = ['# fish completion for anchord', 'complete -c anchord -f'];
  for (const [first, seconds] of words) {
    const summary = commands.find(({ name }) => name === first)?.summary ?? seconds.join(', ');
    lines.push(`complete -c anchord -n __fish_use_subcommand -a ${first} -d ${quoted(summary)}`);
  }
  for (const command of commands) {
    const [first = '', second] = command.name.split(' ');
    const within = `__fish_seen_subcommand_from ${first}`;
    if (second !== undefined) {
      lines.push(
        `complete -c anchord -n '${within}; and not __fish_seen_subcommand_from ${(words.get(first) ?? []).join(' ')}' -a ${second} -d ${quoted(command.summary)}`,
      );
    }
    const here = second === undefined ? within : `${within}; and __fish_seen_subcommand_from ${second}`;
    for (const word of command.argument?.oneOf ?? []) {
      lines.push(`complete -c anchord -n '${here}' -a ${word}`);
    }
    for (const { flag, about, oneOf } of command.options) {
      const takes = oneOf === undefined ? '' : ` -x -a '${oneOf.join(' ')}'`;
      lines.push(`complete -c anchord -n '${here}' -l ${flag.slice(2)}${takes} -d ${quoted(about)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
