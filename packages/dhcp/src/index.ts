/** DHCPv4, DHCPv6 and router advertisements: codecs and pure client machines. No I/O; time and chance come in. */
export * from './advertised/index.ts';
export * from './frames/index.ts';
export * from './v4/index.ts';
export * from './v6/index.ts';
export type { Decoded, DecodeFault, Ipv4, Ipv6, Mac } from './wire/index.ts';
export { broadcastIpv4, broadcastMac, parseIpv4, parseIpv6, parseMac, toHex } from './wire/index.ts';
