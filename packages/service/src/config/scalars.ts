/** Kinds of single values. */
import { formatDuration, parseBareSeconds, parseDuration } from '../duration.ts';
import { Secret } from '../secret.ts';
import type { Kind } from './kind.ts';
import { type Invalid, nameOf, quoted, type SourceNode, type Spot } from './source.ts';

/** The text of a scalar; a number or a boolean counts as the text that was written. */
function textOf(node: SourceNode, spot: Spot): string | Invalid {
  if (node.type !== 'scalar' || node.value === null)
    return spot.fail(`${spot.name} must be a text, not ${nameOf(node)}`, node);
  // For most of those who are given it, it would end there.
  if (node.text.includes('\0')) return spot.fail(`${spot.name} must not have a NUL character in it`, node);
  return node.text;
}

export interface TextOptions {
  /** Take blanks off both ends. */
  readonly trim?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
}

export function text(options: TextOptions = {}): Kind<string> {
  const { trim = false, minLength = 0, maxLength } = options;
  return {
    title: 'text',
    trims: trim,
    jsonSchema: {
      type: ['string', 'number', 'boolean'],
      ...(minLength > 0 ? { minLength } : {}),
      ...(maxLength === undefined ? {} : { maxLength }),
    },
    read(node, spot) {
      const raw = textOf(node, spot);
      if (typeof raw === 'symbol') return raw;
      const value = trim ? raw.trim() : raw;
      if (value === '' && minLength > 0) return spot.fail(`${spot.name} must not be empty`, node);
      if (value.length < minLength) {
        return spot.fail(`${spot.name} must have at least ${minLength} characters`, node);
      }
      if (maxLength !== undefined && value.length > maxLength) {
        return spot.fail(`${spot.name} must have at most ${maxLength} characters`, node);
      }
      return value;
    },
    print: (value) => value,
  };
}

/** Text that nobody may see; whoever needs it calls `reveal`. */
export function secret(options: TextOptions = {}): Kind<Secret> {
  const plain = text(options);
  return {
    ...plain,
    title: 'secret text',
    secret: true,
    read(node, spot) {
      const value = plain.read(node, spot);
      return typeof value === 'symbol' ? value : new Secret(value);
    },
    print: (value) => (value.isEmpty ? '' : String(value)),
  };
}

/** A path of a file or folder. */
export const path = (options: Pick<TextOptions, 'trim' | 'minLength'> = {}): Kind<string> => ({
  ...text(options),
  title: 'path',
});

export interface ChoiceOptions {
  readonly trim?: boolean;
  readonly anyCase?: boolean;
}

/** One of a few words, compared exactly. */
export function oneOf<const Word extends string>(
  words: readonly Word[],
  { trim = false, anyCase = false }: ChoiceOptions = {},
): Kind<Word> {
  return {
    title: words.map((word) => `\`${word}\``).join(', '),
    trims: trim,
    jsonSchema: { enum: words },
    read(node, spot) {
      const raw = textOf(node, spot);
      if (typeof raw === 'symbol') return raw;
      const wanted = trim ? raw.trim() : raw;
      const same = (word: string): boolean =>
        word === wanted || (anyCase && word.toLowerCase() === wanted.toLowerCase());
      return (
        words.find(same) ?? spot.fail(`invalid ${spot.name} ${quoted(raw)} (want ${choice(words)})`, node)
      );
    },
    print: (value) => value,
  };
}

/** `"a", "b", or "c"` */
function choice(words: readonly string[]): string {
  const quoted = words.map((word) => `"${word}"`);
  const last = quoted.pop() ?? '';
  if (quoted.length === 0) return last;
  return quoted.length === 1 ? `${quoted[0]} or ${last}` : `${quoted.join(', ')}, or ${last}`;
}

const TRUE: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE: ReadonlySet<string> = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);
/** Words of older YAML, which a YAML file may use where a boolean is expected; an environment may not. */
const YAML_TRUE: ReadonlySet<string> = new Set(['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON']);
const YAML_FALSE: ReadonlySet<string> = new Set(['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF']);

export function boolean(): Kind<boolean> {
  return {
    title: 'boolean',
    trims: true,
    jsonSchema: { type: 'boolean' },
    read(node, spot) {
      if (node.type === 'scalar') {
        const word = node.text.trim();
        const inYaml = node.place !== undefined;
        if (TRUE.has(word) || (inYaml && YAML_TRUE.has(word))) return true;
        if (FALSE.has(word) || (inYaml && YAML_FALSE.has(word))) return false;
      }
      const raw = node.type === 'scalar' ? quoted(node.text) : nameOf(node);
      return spot.fail(`invalid ${spot.name}=${raw}: must be true/false (or 1/0)`, node);
    },
    print: String,
  };
}

export interface DurationOptions {
  /** Which spans make sense. */
  readonly range?: 'positive' | 'non-negative' | 'any';
  /** Is a bare integer a number of seconds? A bare `0` is no time at all in any case. */
  readonly bareSeconds?: boolean;
}

/** A span of time, in milliseconds: let the property's name end in `Ms`. */
export function duration({ range = 'any', bareSeconds = true }: DurationOptions = {}): Kind<number> {
  return {
    title: 'duration',
    // Zero needs no unit.
    jsonSchema: bareSeconds ? { type: ['string', 'integer'] } : { anyOf: [{ type: 'string' }, { const: 0 }] },
    read(node, spot) {
      const raw = textOf(node, spot);
      if (typeof raw === 'symbol') return raw;
      const parsed = (bareSeconds ? parseBareSeconds(raw) : undefined) ?? parseDuration(raw);
      if (!parsed.ok) {
        const wanted = bareSeconds ? 'a number of seconds or a duration' : 'a duration';
        return spot.fail(
          `invalid ${spot.name}: ${quoted(raw)} is not ${wanted} like 90s or 1h30m: ${parsed.why}`,
          node,
        );
      }
      if (range === 'positive' && parsed.ms <= 0) return spot.fail(`${spot.name} must be positive`, node);
      if (range === 'non-negative' && parsed.ms < 0) {
        return spot.fail(`${spot.name} must be non-negative`, node);
      }
      return parsed.ms;
    },
    print: formatDuration,
  };
}

export interface NumberOptions {
  readonly min?: number;
  readonly max?: number;
  /** The smallest number that is too small. */
  readonly above?: number;
}

const INTEGER = /^[+-]?(0x[\da-f]+|0o[0-7]+|0b[01]+|\d[\d_]*)$/i;

export function integer(options: NumberOptions = {}): Kind<number> {
  return numberKind('integer', options, (node) => {
    const written = node.text.trim();
    if (INTEGER.test(written)) return signed(written);
    // A float that is a whole number, such as 1e3, is one as well.
    return typeof node.value === 'number' ? node.value : Number.NaN;
  });
}

export function decimal(options: NumberOptions = {}): Kind<number> {
  return numberKind('number', options, (node) => {
    if (typeof node.value === 'number') return node.value;
    const written = node.text.trim().replaceAll('_', '');
    return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(written) ? Number(written) : Number.NaN;
  });
}

function signed(written: string): number {
  const digits = written.replace(/^[+-]/, '').replaceAll('_', '');
  return written.startsWith('-') ? -Number(digits) : Number(digits);
}

function numberKind(
  title: 'integer' | 'number',
  { min, max, above }: NumberOptions,
  parse: (node: SourceNode & { type: 'scalar' }) => number,
): Kind<number> {
  return {
    title,
    trims: true,
    jsonSchema: {
      type: title,
      ...(min === undefined ? {} : { minimum: min }),
      ...(above === undefined ? {} : { exclusiveMinimum: above }),
      ...(max === undefined ? {} : { maximum: max }),
    },
    read(node, spot) {
      const value = node.type === 'scalar' ? parse(node) : Number.NaN;
      const fits = title === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value);
      if (!fits) {
        const wanted = title === 'integer' ? 'a whole number' : 'a number';
        return spot.fail(`invalid ${spot.name}: must be ${wanted}, not ${nameOf(node)}`, node);
      }
      if (min !== undefined && value < min) return spot.fail(`${spot.name} must be at least ${min}`, node);
      if (above !== undefined && value <= above)
        return spot.fail(`${spot.name} must be above ${above}`, node);
      if (max !== undefined && value > max) return spot.fail(`${spot.name} must be at most ${max}`, node);
      return value;
    },
    print: String,
  };
}
