import { parseDuration } from '@berth/service';
import { invalid, type Shape, shown } from './shape.ts';

/** What fits the 64 bits that the container engine has for a duration. */
const longestNs = 2 ** 63 - 1;

/** Nanoseconds of a duration such as `1m30s`, or undefined if it is none. */
export function nanoseconds(written: string): number | undefined {
  const parsed = parseDuration(written);
  return parsed.ok ? Math.round(parsed.ms * 1e6) : undefined;
}

/** A duration string, or a JSON integer that means nanoseconds. */
export const duration: Shape<number> = {
  schema: {
    type: ['string', 'integer'],
    description: 'A duration such as "1m30s", or an integer of nanoseconds.',
  },
  decode: (value, place) => {
    const ns = typeof value === 'string' ? nanoseconds(value) : value;
    if (typeof ns !== 'number' || !Number.isInteger(ns) || Math.abs(ns) > longestNs)
      throw invalid(
        place,
        `expected a duration such as "30s" or an integer of nanoseconds, got ${shown(value)}`,
      );
    return ns;
  },
};
