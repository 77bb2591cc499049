/** The manual page, in the language of man. */
import type { Command } from './command.ts';
import { usageLine } from './help.ts';

/** Backslashes and dashes mean something there, and so does a dot at the beginning of a line. */
const escaped = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/, '\\&');

const bold = (text: string): string => `.B ${escaped(text)}`;

export function manualPage(commands: readonly Command[]): string {
  const ofKind = (kind: Command['kind']) => commands.filter((command) => command.kind === kind);
  return `${[
    '.TH ANCHORD 1 "" Berth "User commands"',
    '.SH NAME',
    'anchord \\- one address on the LAN for a Docker Compose project',
    '.SH SYNOPSIS',
    '.B anchord',
    '[\\fIMODE\\fR]',
    '.br',
    '.B anchord',
    '\\fICOMMAND\\fR [\\fIOPTION\\fR]...',
    '.SH DESCRIPTION',
    escaped(
      'anchord runs in containers. The first word of the command line says what it is; without one the variable ANCHORD_MODE does, and without that it is a network-anchor. All settings are environment variables.',
    ),
    '.SH MODES',
    ...ofKind('mode').flatMap(described),
    '.SH COMMANDS',
    ...ofKind('tool').flatMap(described),
    '.SH FILES',
    '.TP',
    bold('/run/anchord/status.sock'),
    escaped('Where the running process tells its state to the commands status, health and doctor.'),
    '.SH SEE ALSO',
    '.BR docker (1),',
    '.BR nft (8),',
    '.BR ip (8)',
  ].join('\n')}\n`;
}

function described(command: Command): readonly string[] {
  const { name, summary, about, options, argument, examples, exits } = command;
  return [
    `.SS ${escaped(name)}`,
    escaped(summary),
    '.PP',
    bold(usageLine(command)),
    ...about.flatMap((text) => ['.PP', escaped(text)]),
    ...(argument === undefined ? [] : term(argument.name, `${argument.about} ${choices(argument.oneOf)}`)),
    ...options.flatMap(({ flag, value, about: text, oneOf }) =>
      term(value === undefined ? flag : `${flag} ${value}`, `${text} ${choices(oneOf)}`.trim()),
    ),
    ...examples.flatMap(({ what, line }) => [
      '.PP',
      escaped(what),
      '.PP',
      '.nf',
      '.RS',
      escaped(line),
      '.RE',
      '.fi',
    ]),
    '.PP',
    'Exit codes:',
    ...Object.entries(exits).flatMap(([code, meaning]) => term(code, meaning)),
  ];
}

const term = (name: string, text: string): readonly string[] => ['.TP', bold(name), escaped(text)];

const choices = (words: readonly string[] | undefined): string =>
  words === undefined ? '' : `One of ${words.join(', ')}.`;
