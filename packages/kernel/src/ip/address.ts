/**
 * IP addresses. An address is its one canonical text, so equal addresses are equal strings and make good keys: dotted
 * decimal without leading zeroes, or lower-case hexadecimal with the longest run of zero groups as "::" (RFC 5952).
 */
import { kernelErrors } from '../errors.ts';
import { readIpv6, writeIpv4, writeIpv6 } from './bytes.ts';

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
  return writeIpv4(text, bytes, 0) ? bytes : undefined;
}

function ipv6Bytes(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(16);
  return writeIpv6(text, bytes, 0) ? bytes : undefined;
}

const ipv6Text = (bytes: Uint8Array): Ipv6 => readIpv6(bytes, 0) as Ipv6;
