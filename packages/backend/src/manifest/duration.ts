import { invalid, type Shape, shown } from './shape.ts';

const nsPerUnit: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** What fits the 64 bits that the container engine has for a duration. */
const longestNs = 2 ** 63 - 1;

const whole = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const parts = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;

/** Nanoseconds of a duration in Go's notation (`1m30s`, `300ms`, `0`), or undefined if it is none. */
export function parseGoDuration(written: string): number | undefined {
  if (/^[+-]?0$/.test(written)) return 0;
  const [, sign, units] = whole.exec(written) ?? [];
  if (units === undefined) return undefined;
  let ns = 0;
  for (const [, amount, unit] of units.matchAll(parts))
    ns += Number(amount) * (nsPerUnit[unit ?? ''] ?? Number.NaN);
  if (!(ns <= longestNs)) return undefined;
  const truncated = Math.trunc(ns);
  return sign === '-' ? 0 - truncated : truncated;
}

/** A duration string, or a JSON integer that means nanoseconds. */
export const duration: Shape<number> = {
  schema: {
    type: ['string', 'integer'],
    description: 'A duration such as "1m30s", or an integer of nanoseconds.',
  },
  decode: (value, place) => {
    const ns = typeof value === 'string' ? parseGoDuration(value) : value;
    if (typeof ns !== 'number' || !Number.isInteger(ns) || Math.abs(ns) > longestNs)
      throw invalid(
        place,
        `expected a duration such as "30s" or an integer of nanoseconds, got ${shown(value)}`,
      );
    return ns;
  },
};
