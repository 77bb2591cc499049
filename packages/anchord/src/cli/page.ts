/** The commands as a page of the reference. */
import type { Command } from './command.ts';
import { usageLine } from './help.ts';

export function commandsPage(commands: readonly Command[]): string {
  return `${[
    '# Commands of anchord',
    'The first word says what anchord is; without one the variable `ANCHORD_MODE` does, and without that it is a network-anchor. A first word that begins with a dash does not count as a mode. `anchord --help`, and `--help` behind each command, say what stands here; `anchord completion SHELL` prints completions, `anchord help --man` [the manual page](anchord.1).',
    'Made from the table of commands; `npm run fix` writes it anew, and `npm run check` fails when it is out of date.',
    ...commands.flatMap(sectionsOf),
  ].join('\n\n')}\n`;
}

function sectionsOf(command: Command): readonly string[] {
  const { name, summary, about, options, argument, examples, exits } = command;
  const listed = [
    ...(argument === undefined
      ? []
      : [`- \`${argument.name}\`: ${argument.about} One of ${words(argument.oneOf)}.`]),
    ...options.map(({ flag, value, about: text, oneOf }) => {
      const shown = value === undefined ? flag : `${flag} ${value}`;
      return `- \`${shown}\`: ${text}${oneOf === undefined ? '' : ` One of ${words(oneOf)}.`}`;
    }),
  ];
  return [
    `## ${name}`,
    summary,
    `\`\`\`\n${usageLine(command)}\n\`\`\``,
    ...about,
    ...(listed.length === 0 ? [] : [listed.join('\n')]),
    ...examples.map(({ what, line }) => `${what}\n\n\`\`\`sh\n${line}\n\`\`\``),
    [
      '| Exit code | Meaning |',
      '|---|---|',
      ...Object.entries(exits).map(([code, text]) => `| ${code} | ${text} |`),
    ].join('\n'),
  ];
}

const words = (all: readonly string[]): string => all.map((word) => `\`${word}\``).join(', ');
