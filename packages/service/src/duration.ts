/**
 * Spans of time as the contracts write them: `90s`, `1h30m`, `1.5m`, `500ms`. In code a span is a number of
 * milliseconds, and its name ends in `Ms`.
 */

const NANOSECONDS_PER_UNIT: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  // Two code points that look alike: the micro sign and the Greek letter.
  ['\u00b5s', 1_000n],
  ['\u03bcs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);

const NANOSECONDS_PER_MS = 1_000_000;
/** A span has to fit into 64 bits of nanoseconds (292 years), because that is what other readers of it hold. */
const LONGEST_NS = 2n ** 63n - 1n;
const GROUP = /(\d*)(?:\.(\d*))?([a-z\u00b5\u03bc]+)/y;

export type DurationParse =
  | { readonly ok: true; readonly ms: number }
  | { readonly ok: false; readonly why: string };

const wrong = (why: string): DurationParse => ({ ok: false, why });

function fromNanoseconds(negative: boolean, ns: bigint): DurationParse {
  if (ns > (negative ? LONGEST_NS + 1n : LONGEST_NS)) return wrong('it is longer than 292 years');
  const ms = Number(ns) / NANOSECONDS_PER_MS;
  return { ok: true, ms: negative && ns !== 0n ? -ms : ms };
}

/** A duration literal: a sign if wanted, then one or more groups of number and unit without spaces. A lone `0` counts. */
export function parseDuration(text: string): DurationParse {
  const signed = /^[+-]/.test(text);
  const negative = text.startsWith('-');
  const body = signed ? text.slice(1) : text;
  if (body === '0') return { ok: true, ms: 0 };
  if (body === '') return wrong('it is empty');
  let total = 0n;
  GROUP.lastIndex = 0;
  while (GROUP.lastIndex < body.length) {
    const at = GROUP.lastIndex;
    const group = GROUP.exec(body);
    if (group === null) return wrong(whyNoGroup(body.slice(at)));
    const [, whole = '', fraction = '', unit = ''] = group;
    if (whole === '' && fraction === '') return wrong(`there is no number before the unit "${unit}"`);
    const scale = NANOSECONDS_PER_UNIT.get(unit);
    if (scale === undefined) return wrong(`"${unit}" is not a unit (ns, us, ms, s, m, h)`);
    total += BigInt(whole) * scale + (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
    if (total > LONGEST_NS + 1n) return wrong('it is longer than 292 years');
  }
  return fromNanoseconds(negative, total);
}

function whyNoGroup(rest: string): string {
  return /^[\d.]+$/.test(rest)
    ? `the unit is missing after "${rest.slice(-20)}" (ns, us, ms, s, m, h)`
    : 'it is no duration';
}

/** A bare integer with an optional sign, taken for seconds; undefined when the text is something else. */
export function parseBareSeconds(text: string): DurationParse | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const digits = text.replace(/^[+-]/, '');
  return fromNanoseconds(text.startsWith('-'), BigInt(digits) * 1_000_000_000n);
}

/** Whole nanoseconds, the unit of durations in log records. */
export function toNanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * NANOSECONDS_PER_MS));
}

/** The canonical literal: `1h30m0s`, `1.5s`, `500ms`, `0s`. Parsing it gives the same span again. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return String(ms);
  const ns = toNanoseconds(ms);
  if (ns === 0n) return '0s';
  const sign = ns < 0n ? '-' : '';
  const size = ns < 0n ? -ns : ns;
  if (size < 1_000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${decimal(size, 3)}\u00b5s`;
  if (size < 1_000_000_000n) return `${sign}${decimal(size, 6)}ms`;
  const minutes = size / 60_000_000_000n;
  const seconds = `${decimal(size % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return `${sign}${seconds}`;
  if (minutes < 60n) return `${sign}${minutes}m${seconds}`;
  return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

/** `value / 10^places` without trailing zeros. */
function decimal(value: bigint, places: number): string {
  const digits = value.toString().padStart(places + 1, '0');
  const fraction = digits.slice(-places).replace(/0+$/, '');
  return fraction === '' ? digits.slice(0, -places) : `${digits.slice(0, -places)}.${fraction}`;
}

/** A span on its way into a log record or a printout; knows that it is a span and not just any number. */
export class Duration {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }

  toString(): string {
    return formatDuration(this.ms);
  }
}

/** Marks a number of milliseconds as a span of time: `log.info('lease acquired', { lease: duration(leaseMs) })`. */
export const duration = (ms: number): Duration => new Duration(ms);
