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

const COLON = 0x3a;
const IPV6_BYTES = 16;

/** Writes the sixteen bytes of an address; `false` when the text is none. A zone (`%eth0`) is no part of an address. */
export function writeIpv6(text: string, into: Uint8Array, at: number): boolean {
  const gap = text.indexOf('::');
  if (gap < 0) return writeGroups(text, 0, text.length, into, at) === IPV6_BYTES;
  const head = writeGroups(text, 0, gap, into, at);
  const tail = head < 0 ? -1 : writeGroups(text, gap + 2, text.length, into, at + head, IPV6_BYTES - head);
  // The gap stands for at least one group.
  if (tail < 0 || head + tail > IPV6_BYTES - 2) return false;
  const behind = at + IPV6_BYTES - tail;
  into.copyWithin(behind, at + head, at + head + tail);
  into.fill(0, at + head, behind);
  return true;
}

/** Writes the groups between two places of the text; answers how many bytes they are, or -1. */
function writeGroups(
  text: string,
  start: number,
  end: number,
  into: Uint8Array,
  at: number,
  room = IPV6_BYTES,
): number {
  if (start === end) return 0;
  let written = 0;
  for (let index = start; ; index += 1) {
    const first = index;
    let group = 0;
    for (let digit = hexDigit(text, index); digit >= 0; digit = hexDigit(text, index)) {
      group = group * 16 + digit;
      index += 1;
    }
    if (text.charCodeAt(index) === DOT && end === text.length) {
      // The last four bytes may be written as an IPv4 address.
      return room - written >= 4 && writeIpv4(text.slice(first), into, at + written) ? written + 4 : -1;
    }
    if (index === first || index - first > 4 || written === room) return -1;
    into[at + written] = group >> 8;
    into[at + written + 1] = group & 0xff;
    written += 2;
    if (index === end) return written;
    if (text.charCodeAt(index) !== COLON) return -1;
  }
}

/** The value of the digit there, or -1. */
function hexDigit(text: string, index: number): number {
  const code = text.charCodeAt(index);
  if (code >= ZERO && code <= NINE) return code - ZERO;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** The one text of an address (RFC 5952): lower case, the first of the longest runs of zero groups as "::". */
export function readIpv6(from: Uint8Array, at: number): string {
  let best = 0;
  let bestLength = 1;
  for (let group = 0; group < 8; group++) {
    const start = group;
    while (group < 8 && groupAt(from, at, group) === 0) group++;
    if (group - start > bestLength) {
      best = start;
      bestLength = group - start;
    }
  }
  let text = '';
  for (let group = 0; group < 8; group++) {
    if (bestLength > 1 && group === best) {
      text += '::';
      group += bestLength - 1;
    } else {
      if (text !== '' && !text.endsWith(':')) text += ':';
      text += groupAt(from, at, group).toString(16);
    }
  }
  return text;
}

const groupAt = (from: Uint8Array, at: number, group: number): number =>
  ((from[at + 2 * group] ?? 0) << 8) | (from[at + 2 * group + 1] ?? 0);
