import type { ByteReader } from './bytes.ts';

declare const kind: unique symbol;

/** Dotted decimal, canonical: two equal addresses are equal strings. */
export type Ipv4 = string & { readonly [kind]: 'ipv4' };
/** RFC 5952 text, canonical. */
export type Ipv6 = string & { readonly [kind]: 'ipv6' };
/** Six bytes in lower-case hex with colons. */
export type Mac = string & { readonly [kind]: 'mac' };

export const noIpv4 = '0.0.0.0' as Ipv4;
export const broadcastIpv4 = '255.255.255.255' as Ipv4;
const noIpv6 = '::' as Ipv6;
export const broadcastMac = 'ff:ff:ff:ff:ff:ff' as Mac;
export const noMac = '00:00:00:00:00:00' as Mac;

export function ipv4FromBytes(bytes: Uint8Array): Ipv4 {
  return bytes.subarray(0, 4).join('.') as Ipv4;
}

export function parseIpv4(text: string): Ipv4 | undefined {
  const parts = text.split('.');
  const plain = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && +part <= 255);
  return plain ? (text as Ipv4) : undefined;
}

export function ipv4Bytes(address: Ipv4): Uint8Array {
  return Uint8Array.from(address.split('.'), Number);
}

export function ipv4Number(address: Ipv4): number {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4Bytes(address);
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

export function ipv4FromNumber(value: number): Ipv4 {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.') as Ipv4;
}

/** The length of a netmask, or nothing where its bits are not in one run from the left. */
export function prefixLengthOf(mask: Ipv4): number | undefined {
  const inverted = ~ipv4Number(mask) >>> 0;
  return (inverted & (inverted + 1)) === 0 ? Math.clz32(inverted) : undefined;
}

/** Can one host own this address: not "this network", loopback, multicast, reserved or broadcast. */
export function isHostIpv4(address: Ipv4): boolean {
  const first = ipv4Number(address) >>> 24;
  return first !== 0 && first !== 127 && first < 224;
}

export function readIpv4(reader: ByteReader): Ipv4 {
  const bytes = reader.take(4);
  return bytes.length === 4 ? ipv4FromBytes(bytes) : noIpv4;
}

export function macFromBytes(bytes: Uint8Array): Mac {
  return Array.from(bytes.subarray(0, 6), (byte) => byte.toString(16).padStart(2, '0')).join(':') as Mac;
}

export function parseMac(text: string): Mac | undefined {
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text) ? (text.toLowerCase() as Mac) : undefined;
}

export function macBytes(mac: Mac): Uint8Array {
  return Uint8Array.from(mac.split(':'), (part) => Number.parseInt(part, 16));
}

export function readMac(reader: ByteReader): Mac {
  const bytes = reader.take(6);
  return bytes.length === 6 ? macFromBytes(bytes) : noMac;
}

export function ipv6FromBytes(bytes: Uint8Array): Ipv6 {
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  const { start, length } = longestZeroRun(groups);
  if (length < 2) return groups.join(':') as Ipv6;
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}` as Ipv6;
}

function longestZeroRun(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== '0') start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}

/** Takes any RFC 4291 text without a zone and gives the canonical one. */
export function parseIpv6(text: string): Ipv6 | undefined {
  const withoutDots = text.replace(/:(\d+\.\d+\.\d+\.\d+)$/, (whole: string, dotted: string) => {
    const v4 = parseIpv4(dotted);
    if (v4 === undefined) return whole;
    const value = ipv4Number(v4);
    return `:${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`;
  });
  const halves = withoutDots.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return ipv6FromBytes(groupBytes(groups));
}

export function ipv6Bytes(address: Ipv6): Uint8Array {
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  return groupBytes([
    ...left,
    ...Array.from({ length: 8 - left.length - right.length }, () => '0'),
    ...right,
  ]);
}

function groupBytes(groups: readonly string[]): Uint8Array {
  return Uint8Array.from(
    groups.flatMap((group) => [Number.parseInt(group, 16) >>> 8, Number.parseInt(group, 16) & 255]),
  );
}

/** Can one host own this address: not unspecified, loopback, multicast or link-local. */
export function isGlobalHostIpv6(address: Ipv6): boolean {
  const bytes = ipv6Bytes(address);
  const first = bytes[0] ?? 0;
  const linkLocal = first === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;
  return first !== 0 && first !== 0xff && !linkLocal;
}

export function readIpv6(reader: ByteReader): Ipv6 {
  const bytes = reader.take(16);
  return bytes.length === 16 ? ipv6FromBytes(bytes) : noIpv6;
}
