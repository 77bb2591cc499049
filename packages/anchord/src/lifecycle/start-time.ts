/** Docker's times have nanoseconds, of which a `Date` would lose what tells two starts in one millisecond apart. */

const rfc3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/** Nanoseconds since the epoch; undefined for what is no time. */
export function nanosecondsOf(time: string): bigint | undefined {
  const [, seconds, fraction = '', zone] = rfc3339.exec(time) ?? [];
  if (seconds === undefined || zone === undefined) return undefined;
  const ms = Date.parse(`${seconds}${zone}`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** Whether the first is known to be before the second. */
export function isBefore(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  const [first, second] = [nanosecondsOf(one), nanosecondsOf(other)];
  return first !== undefined && second !== undefined && first < second;
}
