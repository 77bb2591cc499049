/** What `--help` says, for a screen of 80 columns. */
import type { Command } from './command.ts';
import { hanging, wrap } from './text.ts';

const indent = '  ';

export const usageLine = ({ name, argument, options }: Command): string => {
  const given = options.map(({ flag, value, many }) => {
    const text = value === undefined ? flag : `${flag} ${value}`;
    return many === true ? `[${text}]...` : `[${text}]`;
  });
  return ['anchord', name, argument?.name ?? '', ...given].filter((word) => word !== '').join(' ');
};

/** Of the program: every command in one line. */
export function programHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  const listed = (kind: Command['kind']): string =>
    commands
      .filter((command) => command.kind === kind)
      .map(({ name, summary }) => hanging(indent + name.padEnd(width), summary))
      .join('\n');
  return `anchord gives a Docker Compose project one address of its own on the LAN.

Usage: anchord [MODE]
       anchord COMMAND [OPTION]...

Modes, which run until they are stopped (default: ANCHORD_MODE, network-anchor):
${listed('mode')}

Commands:
${listed('tool')}

anchord COMMAND --help says more about one of them, with examples.
Settings are environment variables: anchord config print shows them.
`;
}

export function commandHelp(command: Command): string {
  const { argument, options, about, examples, summary, exits } = command;
  const terms = [
    ...(argument === undefined
      ? []
      : [{ term: argument.name, about: `${argument.about} One of ${argument.oneOf.join(', ')}.` }]),
    ...options.map(({ flag, value, about: text, oneOf }) => ({
      term: value === undefined ? flag : `${flag} ${value}`,
      about: oneOf === undefined ? text : `${text} One of ${oneOf.join(', ')}.`,
    })),
  ];
  const width = Math.max(0, ...terms.map(({ term }) => term.length)) + 2;
  const sections = [
    wrap(summary),
    hanging('Usage: ', usageLine(command)),
    ...about.map((text) => wrap(text)),
    section(
      'Options:',
      terms.map(({ term, about: text }) => hanging(indent + term.padEnd(width), text)),
    ),
    // A command line is copied, so it is never broken.
    section(
      'Examples:',
      examples.map(({ what, line }) => `${indent}${what}\n${indent}${indent}${line}`),
    ),
    section(
      'Exit codes:',
      Object.entries(exits).map(([code, meaning]) => hanging(`${indent}${code}  `, meaning)),
    ),
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : [title, ...lines].join('\n');
