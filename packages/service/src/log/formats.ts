/** The three ways to write a line: JSON and key=value for machines, one for people at a terminal. */
import { Duration, toNanoseconds } from '../duration.ts';
import { isoTime } from '../iso-time.ts';
import type { Level } from './level.ts';
import type { Plain, PlainObject } from './plain.ts';

export interface LogRecord {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly level: Level;
  readonly msg: string;
  readonly attrs: PlainObject;
}

/** A whole line, without its line feed. */
export type LogFormat = (record: LogRecord) => string;

/** Names of the record itself; an attribute of that name steps aside, so that a reader never takes it for the record's. */
const OWN_KEYS: ReadonlySet<string> = new Set(['time', 'level', 'msg']);
const attrKey = (key: string): string => (OWN_KEYS.has(key) ? `${key}_` : key);

/** One JSON object a line: time, level, msg, then the attributes. Spans are whole nanoseconds. */
export const jsonFormat: LogFormat = ({ time, level, msg, attrs }) => {
  let line = `{"time":"${isoTime(time)}","level":"${level.toUpperCase()}","msg":${JSON.stringify(msg)}`;
  for (const key of Object.keys(attrs)) {
    line += `,${JSON.stringify(attrKey(key))}:${json(attrs[key] ?? null)}`;
  }
  return `${line}}`;
};

function json(value: Plain): string {
  if (value instanceof Duration) return toNanoseconds(value.ms).toString();
  if (typeof value === 'bigint') return value.toString();
  if (isList(value)) return `[${value.map(json).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.keys(value).map((key) => `${JSON.stringify(key)}:${json(value[key] ?? null)}`);
    return `{${fields.join(',')}}`;
  }
  return JSON.stringify(value);
}

/** `key=value` pairs in one line; values with spaces, quotes or equal signs are quoted. Objects become dotted keys. */
export const textFormat: LogFormat = ({ time, level, msg, attrs }) =>
  `time=${isoTime(time)} level=${level.toUpperCase()} msg=${quoted(msg)}${pairs(attrs, '')}`;

function pairs(attrs: PlainObject, prefix: string): string {
  let text = '';
  for (const key of Object.keys(attrs)) {
    const value = attrs[key] ?? null;
    const name = `${prefix}${prefix === '' ? attrKey(key) : key}`;
    text += isObject(value) ? pairs(value, `${name}.`) : ` ${quoted(name)}=${quoted(word(value))}`;
  }
  return text;
}

function word(value: Plain): string {
  if (isList(value)) return `[${value.map((item) => (isObject(item) ? json(item) : word(item))).join(' ')}]`;
  return String(value);
}

const quoted = (text: string): string => (/^[^\s"=\p{C}]+$/u.test(text) ? text : JSON.stringify(text));

export interface ConsoleFormatOptions {
  readonly color: boolean;
}

const PAINT: Readonly<Record<Level, string>> = { debug: '2', info: '36', warn: '33', error: '31' };

/** For people: the time of day, the level where it matters, the message, the attributes. */
export function consoleFormat({ color }: ConsoleFormatOptions): LogFormat {
  const paint = (code: string, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  return ({ time, level, msg, attrs }) => {
    const clock = paint('2', isoTime(time).slice(11, 19));
    const tag = level === 'info' ? '' : `${paint(PAINT[level], level.toUpperCase())} `;
    return `${clock} ${tag}${printable(msg)}${paint('2', pairs(attrs, ''))}`;
  };
}

/** No control character of a foreign text may reach a terminal. */
const printable = (text: string): string =>
  text.replace(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1));

const isList = (value: Plain): value is readonly Plain[] => Array.isArray(value);
const isObject = (value: Plain): value is PlainObject =>
  typeof value === 'object' && value !== null && !isList(value) && !(value instanceof Duration);
