/**
 * IP addresses. An address is its one canonical text, so equal addresses are equal strings and make good keys: dotted
 * decimal without leading zeroes, or lower-case hexadecimal with the longest run of zero groups as "::" (RFC 5952).
 */
import { kernelErrors } from '../errors.ts';

declare const kind: unique symbol;

export type Ipv4 = string & { readonly [kind]: 'ipv4' };
export type Ipv6 = string & { readonly [kind]: 'ipv6' };
export type IpAddress = Ipv4 | Ipv6;
export type IpFamily = 4 | 6;

export const anyIpv4 = '0.0.0.0' as Ipv4;
export const anyIpv6 = '::' as Ipv6;

/** How many bits an address of the family has. */
export const bitsOf = (family: IpFamily): 32 | 128 => (family === 4 ? 32 : 128);

export const familyOf = (address: IpAddress): IpFamily => (address.includes(':') ? 6 : 4);

export const isIpv4 = (address: IpAddress): address is Ipv4 => familyOf(address) === 4;
export const isIpv6 = (address: IpAddress): address is Ipv6 => familyOf(address) === 6;

/** Reads any usual text of an address; throws KERNEL_BAD_VALUE where it is none. */
export function parseIp(text: string): IpAddress {
  return parseIpOrNothing(text) ?? badAddress(text, 'an IP address');
}

export function parseIpv4(text: string): Ipv4 {
  const bytes = ipv4Bytes(text);
  return bytes === undefined ? badAddress(text, 'an IPv4 address') : (text as Ipv4);
}

export function parseIpv6(text: string): Ipv6 {
  const bytes = ipv6Bytes(text);
  return bytes === undefined ? badAddress(text, 'an IPv6 address') : ipv6Text(bytes);
}

export function parseIpOrNothing(text: string): IpAddress | undefined {
  if (!text.includes(':')) return ipv4Bytes(text) === undefined ? undefined : (text as Ipv4);
  const bytes = ipv6Bytes(text);
  return bytes === undefined ? undefined : ipv6Text(bytes);
}

/** The bytes of an address, in the order of the wire. */
export function ipBytes(address: IpAddress): Uint8Array {
  const bytes = familyOf(address) === 4 ? ipv4Bytes(address) : ipv6Bytes(address);
  return bytes ?? badAddress(address, 'an IP address');
}

/** Four or sixteen bytes as an address. */
export function ipFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length === 4) return bytes.join('.') as Ipv4;
  if (bytes.length === 16) return ipv6Text(bytes);
  throw kernelErrors.error('KERNEL_BAD_VALUE', `${bytes.length} bytes are not an IP address`);
}

/** fe80::/10: means something only together with a link. */
export function isLinkLocal(address: IpAddress): boolean {
  const [first = 0, second = 0] = ipBytes(address);
  return isIpv4(address) ? first === 169 && second === 254 : first === 0xfe && (second & 0xc0) === 0x80;
}

function badAddress(text: string, wanted: string): never {
  throw kernelErrors.error('KERNEL_BAD_VALUE', `${JSON.stringify(text)} is not ${wanted}`, {
    details: { value: text },
  });
}

function ipv4Bytes(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4);
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  for (const [index, part] of parts.entries()) {
    // A leading zero is octal for some programs and decimal for others, so nobody can mean it.
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes[index] = Number(part);
  }
  return bytes;
}

function ipv6Bytes(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = '', tail] = halves;
  const left = groupBytes(head, tail === undefined);
  const right = tail === undefined ? [] : groupBytes(tail, true);
  if (left === undefined || right === undefined) return undefined;
  const gap = 16 - left.length - right.length;
  // "::" stands for at least one group.
  if (tail === undefined ? gap !== 0 : gap < 2) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(left, 0);
  bytes.set(right, 16 - right.length);
  return bytes;
}

/** The bytes of the groups on one side of "::"; at the end of an address the last 32 bits may stand in dotted decimal. */
function groupBytes(text: string, atEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (atEnd && index === groups.length - 1 && group.includes('.')) {
      const dotted = ipv4Bytes(group);
      if (dotted === undefined) return undefined;
      bytes.push(...dotted);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

function ipv6Text(bytes: Uint8Array): Ipv6 {
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  );
  const { start, length } = longestZeroRun(groups);
  if (length < 2) return groups.join(':') as Ipv6;
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}` as Ipv6;
}

/** The first of the longest runs. */
function longestZeroRun(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== '0') start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}
