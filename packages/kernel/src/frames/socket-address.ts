/** Socket addresses as the kernel lays them out. */
import { type IpAddress, type Ipv6, ipBytes, ipFromBytes, isIpv4 } from '../ip/index.ts';
import { AF_INET, AF_INET6, AF_PACKET } from '../sys/index.ts';

export const SOCKADDR_IN6_BYTES = 28;

/** Every frame of one kind on one link. Protocol 0: none yet. */
export function packetAddress(protocol: number, link: number): Uint8Array {
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(protocol, 2);
  address.writeInt32LE(link, 4);
  return address;
}

/** `link` gives a link-local address its meaning; for others it may be 0. */
export function inetAddress(ip: IpAddress, port: number, link: number): Uint8Array {
  const v4 = isIpv4(ip);
  const address = Buffer.alloc(v4 ? 16 : SOCKADDR_IN6_BYTES);
  address.writeUInt16LE(v4 ? AF_INET : AF_INET6, 0);
  address.writeUInt16BE(port, 2);
  address.set(ipBytes(ip), v4 ? 4 : 8);
  if (!v4) address.writeUInt32LE(link, 24);
  return address;
}

/** The IPv6 address in a sockaddr_in6. */
export const inet6Source = (address: Uint8Array): Ipv6 => ipFromBytes(address.slice(8, 24)) as Ipv6;
