/** IPv4 and IPv6 addresses between text and bytes, without a detour, since maps hold thousands of them. */

const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/** Writes the four bytes of a dotted address; `false` (and nothing to rely on in `into`) when the text is none. */
export function writeIpv4(text: string, into: Uint8Array, at: number): boolean {
  let octet = -1;
  let octets = 0;
  for (let index = 0; index <= text.length; index++) {
    const code = index === text.length ? DOT : text.charCodeAt(index);
    if (code === DOT) {
      if (octet < 0 || octets === 4) return false;
      into[at + octets++] = octet;
      octet = -1;
    } else {
      // A leading zero is octal to some programs and decimal to others: neither is meant here.
      if (code < ZERO || code > NINE || octet === 0) return false;
      octet = (octet < 0 ? 0 : octet * 10) + code - ZERO;
      if (octet > 255) return false;
    }
  }
  return octets === 4;
}

export function readIpv4(from: Uint8Array, at: number): string {
  return `${from[at]}.${from[at + 1]}.${from[at + 2]}.${from[at + 3]}`;
}

/** Writes the sixteen bytes of an address; `false` when the text is none. A zone (`%eth0`) is no part of an address. */
export function writeIpv6(text: string, into: Uint8Array, at: number): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const head = groups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? groups(halves[1] ?? '', true) : [];
  if (head === undefined || tail === undefined) return false;
  const missing = 8 - head.length - tail.length;
  // "::" stands for at least one group.
  if (halves.length === 2 ? missing < 1 : missing !== 0) return false;
  into.fill(0, at, at + 16);
  for (const [index, group] of head.entries()) writeGroup(into, at + 2 * index, group);
  for (const [index, group] of tail.entries()) writeGroup(into, at + 2 * (8 - tail.length + index), group);
  return true;
}

function writeGroup(into: Uint8Array, at: number, group: number): void {
  into[at] = group >> 8;
  into[at + 1] = group & 0xff;
}

const readGroup = (from: Uint8Array, at: number): number => ((from[at] ?? 0) << 8) | (from[at + 1] ?? 0);

/** The 16-bit groups of one side of "::"; the last two may be written as an IPv4 address at the end of the text. */
function groups(text: string, atEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const found: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (atEnd && index === parts.length - 1 && part.includes('.')) {
      const octets = new Uint8Array(4);
      if (!writeIpv4(part, octets, 0)) return undefined;
      found.push(readGroup(octets, 0), readGroup(octets, 2));
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(part)) return undefined;
      found.push(Number.parseInt(part, 16));
    }
  }
  return found;
}

/** The one text of an address (RFC 5952): lower case, the longest run of zero groups as "::". */
export function readIpv6(from: Uint8Array, at: number): string {
  const group = Array.from({ length: 8 }, (_, index) => readGroup(from, at + 2 * index));
  const { start, length } = longestZeroRun(group);
  const hex = (from: number, to: number): string =>
    group
      .slice(from, to)
      .map((value) => value.toString(16))
      .join(':');
  return length < 2 ? hex(0, 8) : `${hex(0, start)}::${hex(start + length, 8)}`;
}

function longestZeroRun(group: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < group.length; start++) {
    let length = 0;
    while (group[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
    start += length;
  }
  return best;
}
