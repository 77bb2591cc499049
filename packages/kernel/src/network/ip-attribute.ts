import { type IpAddress, ipFromBytes } from '../ip/index.ts';
import { type Attributes, malformed } from '../netlink/index.ts';

/** An attribute that holds an address of either family. */
export function ipAttribute(attributes: Attributes, type: number): IpAddress | undefined {
  const bytes = attributes.binary(type);
  return bytes === undefined ? undefined : ipValue(bytes);
}

export function ipValue(bytes: Uint8Array): IpAddress {
  if (bytes.length !== 4 && bytes.length !== 16) throw malformed(`an address has ${bytes.length} bytes`);
  return ipFromBytes(bytes);
}
