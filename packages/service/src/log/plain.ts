/** Turns whatever somebody put into a log record into values that every format can write. Never throws. */
import { Duration } from '../duration.ts';
import { Secret } from '../secret.ts';
import { errorText } from './error-text.ts';

/** What formats have to know; a bigint is a whole number of any size. */
export type Plain = string | number | bigint | boolean | null | Duration | readonly Plain[] | PlainObject;
export interface PlainObject {
  readonly [key: string]: Plain;
}

const HIDDEN = '***';
const SECRET_KEY = /(^|[_.-])(secret|password|passwd|token|authorization|cookie|api_?key|private_?key)$/i;
const DEPTH = 6;
const ENTRIES = 200;
const TEXT = 16_384;

export interface PlainOptions {
  /** Literal values that must not be seen, wherever they turn up in a text. */
  readonly hidden: readonly Secret[];
}

/** Attributes of a line from several sources; a later one wins, in the place of the earlier one. */
export function plainAttrs(sources: readonly (object | undefined)[], options: PlainOptions): PlainObject {
  const plain: Record<string, Plain> = Object.create(null);
  for (const source of sources) {
    if (typeof source !== 'object' || source === null) continue;
    for (const key of Object.keys(source)) {
      const value = attempt(() => Reflect.get(source, key));
      if (value === undefined) continue;
      // Most are texts that need no walk.
      if (typeof value === 'string' && !SECRET_KEY.test(key)) plain[key] = plainText(value, options);
      else plain[key] = new Flattening(options).attribute(key, value);
    }
  }
  return plain;
}

/** A text cut to a bearable length, without the secrets in it. */
export function plainText(text: string, options: PlainOptions): string {
  let seen = text;
  for (const secret of options.hidden) {
    if (!secret.isEmpty) seen = seen.replaceAll(secret.reveal(), HIDDEN);
  }
  return seen.length <= TEXT ? seen : `${seen.slice(0, TEXT)}… (${seen.length - TEXT} characters more)`;
}

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return `!unreadable: ${errorText(error)}`;
  }
}

/** One walk through one attribute, with the path behind it (for circles) and a budget of entries. */
class Flattening {
  readonly #options: PlainOptions;
  readonly #path: object[] = [];
  #entries = 0;

  constructor(options: PlainOptions) {
    this.#options = options;
  }

  attribute(key: string, value: unknown): Plain {
    if (SECRET_KEY.test(key) && value !== null && value !== '') return HIDDEN;
    return this.#value(value);
  }

  #value(value: unknown): Plain {
    switch (typeof value) {
      case 'string':
        return plainText(value, this.#options);
      case 'number':
        return Number.isFinite(value) ? value : spelledNumber(value);
      case 'bigint':
      case 'boolean':
        return value;
      case 'undefined':
        return null;
      case 'object':
        return value === null ? null : this.#object(value);
      default:
        return plainText(String(value), this.#options);
    }
  }

  #object(value: object): Plain {
    try {
      if (value instanceof Duration) return value;
      if (value instanceof Secret) return value.isEmpty ? '' : HIDDEN;
      if (value instanceof Error) return plainText(errorText(value), this.#options);
      if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
      if (ArrayBuffer.isView(value)) {
        return Buffer.from(value.buffer, value.byteOffset, Math.min(value.byteLength, TEXT)).toString(
          'base64',
        );
      }
      if (this.#path.includes(value)) return '[circular]';
      if (this.#path.length >= DEPTH) return '[deeper]';
      this.#path.push(value);
      const inside = this.#inside(value);
      this.#path.pop();
      return inside;
    } catch (error) {
      return `!unreadable: ${errorText(error)}`;
    }
  }

  #inside(value: object): Plain {
    if ('toJSON' in value && typeof value.toJSON === 'function') return this.#value(value.toJSON());
    if (value instanceof Map) return this.#record(value.entries());
    if (Array.isArray(value) || value instanceof Set) return this.#list(value);
    return this.#record(
      Object.keys(value).map((key) => [key, attempt(() => Reflect.get(value, key))] as const),
    );
  }

  #list(values: Iterable<unknown>): Plain {
    const list: Plain[] = [];
    for (const value of values) {
      if (this.#entries++ >= ENTRIES) {
        list.push('…');
        break;
      }
      list.push(this.#value(value));
    }
    return list;
  }

  #record(entries: Iterable<readonly [unknown, unknown]>): Plain {
    const record: Record<string, Plain> = Object.create(null);
    for (const [name, value] of entries) {
      if (value === undefined) continue;
      const key = plainText(String(name), this.#options);
      if (this.#entries++ >= ENTRIES) {
        record['…'] = true;
        break;
      }
      record[key] = this.attribute(key, value);
    }
    return record;
  }
}

function spelledNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}
