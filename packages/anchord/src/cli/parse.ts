/** From words to a command and what was given to it, or to what is wrong with them. */
import { nearest } from '@berth/service/config';
import type { Command, Given, Option } from './command.ts';

export type Parsed =
  | { readonly kind: 'run'; readonly command: Command; readonly given: Given }
  | { readonly kind: 'help'; readonly command: Command | undefined }
  | { readonly kind: 'mistake'; readonly problem: string; readonly command: Command | undefined };

const helpFlags: readonly string[] = ['-h', '--help'];
export const isHelp = (word: string | undefined): boolean => helpFlags.includes(word ?? '');

/** A sentence's end when a word was probably mistyped. */
function didYouMean(written: string, words: Iterable<string>): string {
  const meant = nearest(written, words);
  return meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`;
}

/** The command that the first words name; the rest is what stands behind. */
function findCommand(
  table: readonly Command[],
  words: readonly string[],
): { readonly command: Command; readonly rest: readonly string[] } | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    const command = table.find((one) => one.name === name);
    if (command !== undefined) return { command, rest: words.slice(length) };
  }
  return undefined;
}

export function parse(table: readonly Command[], argv: readonly string[]): Parsed {
  if (isHelp(argv[0])) return { kind: 'help', command: undefined };
  const found = findCommand(table, argv);
  if (found === undefined) return groupMistake(table, argv);
  const { command, rest } = found;
  if (rest.some(isHelp)) return { kind: 'help', command };
  if (command.kind === 'mode') return { kind: 'run', command, given: nothing };
  const given = readGiven(command, rest);
  return typeof given === 'string'
    ? { kind: 'mistake', problem: given, command }
    : { kind: 'run', command, given };
}

const nothing: Given = { argument: undefined, flags: new Set(), values: new Map() };

/** `config` without its second word, or a word that nobody knows. */
function groupMistake(table: readonly Command[], [first = '', second]: readonly string[]): Parsed {
  const inGroup = table.flatMap(({ name }) =>
    name.startsWith(`${first} `) ? [name.slice(first.length + 1)] : [],
  );
  const mistake = (problem: string): Parsed => ({ kind: 'mistake', problem, command: undefined });
  if (inGroup.length === 0) {
    const names = table.map(({ name }) => name.split(' ')[0] ?? name);
    return mistake(`unknown command ${JSON.stringify(first)}${didYouMean(first, names)}`);
  }
  const want = `${first} wants ${inGroup.join(' or ')}`;
  if (second === undefined || isHelp(second)) return mistake(want);
  return mistake(`${want}, not ${JSON.stringify(second)}${didYouMean(second, inGroup)}`);
}

/** What stands behind the command's name, or the sentence about what is wrong with it. */
function readGiven(command: Command, words: readonly string[]): Given | string {
  const reader = new Reader(command);
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    const problem = word.startsWith('-') ? reader.option(word, queue) : reader.word(word);
    if (problem !== undefined) return problem;
  }
  return reader.given();
}

/** Takes word after word; each answers what is wrong with it, or nothing. */
class Reader {
  readonly #command: Command;
  readonly #flags = new Set<string>();
  readonly #values = new Map<string, readonly string[]>();
  #argument: string | undefined;

  constructor(command: Command) {
    this.#command = command;
  }

  word(word: string): string | undefined {
    const { argument } = this.#command;
    if (argument === undefined || this.#argument !== undefined)
      return `unexpected argument ${JSON.stringify(word)}`;
    if (!argument.oneOf.includes(word)) return refusal(argument.name, word, argument.oneOf);
    this.#argument = word;
    return undefined;
  }

  /** A value may stand behind an equals sign, or be the next word. */
  option(word: string, next: string[]): string | undefined {
    const [flag = word, ...inline] = word.split('=');
    const { options } = this.#command;
    const option = options.find((one) => one.flag === flag);
    if (option === undefined) {
      const known = options.map((one) => one.flag);
      return `unknown option ${JSON.stringify(flag)}${didYouMean(flag, known)}`;
    }
    if (option.value === undefined) {
      this.#flags.add(flag);
      return inline.length > 0 ? `${flag} takes no value` : undefined;
    }
    const value = inline.length > 0 ? inline.join('=') : next.shift();
    if (value === undefined) return `${flag} wants ${option.value}`;
    const before = this.#values.get(flag) ?? [];
    if (before.length > 0 && option.many !== true) return `${flag} may be given once`;
    this.#values.set(flag, [...before, value]);
    return whyNot(option, value);
  }

  given(): Given | string {
    const { argument } = this.#command;
    if (argument !== undefined && this.#argument === undefined)
      return `${argument.name} is missing: ${argument.oneOf.join(', ')}`;
    return { argument: this.#argument, flags: this.#flags, values: this.#values };
  }
}

const whyNot = ({ flag, oneOf }: Option, value: string): string | undefined =>
  oneOf === undefined || oneOf.includes(value) ? undefined : refusal(flag, value, oneOf);

const refusal = (what: string, value: string, oneOf: readonly string[]): string =>
  `${what} cannot be ${JSON.stringify(value)}${didYouMean(value, oneOf) || ` (want ${oneOf.join(', ')})`}`;
