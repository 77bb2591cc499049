/** The frames around and beside DHCP: UDP over IPv4, ARP, neighbour discovery, router advertisements. */
export * from './arp.ts';
export * from './icmp6.ts';
export * from './router-advertisement.ts';
export type { UdpChecksum, UdpFrame } from './udp4.ts';
export { decodeUdpFrame, encodeUdpFrame } from './udp4.ts';
