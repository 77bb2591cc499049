/** Frames and datagrams on one link: what DHCP, ARP and router advertisements need, filtered by the kernel. */
export { all, any, type Condition, equals, everything, nothing } from './bpf.ts';
export { arpAbout, dhcpForClient, etherType, routerAdvertisements } from './filters.ts';
export { PacketSocket, type PacketSocketOptions, type ReceivedFrame } from './packet-socket.ts';
export { DeafUdpSocket, type ReceivedDatagram, Udp6Socket, type UdpSocketOptions } from './udp-socket.ts';
