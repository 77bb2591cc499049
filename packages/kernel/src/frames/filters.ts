/** The conditions under which a frame concerns the addressing of one interface. */
import { type Ipv4, ipBytes, type Mac, macBytes } from '../ip/index.ts';
import { all, any, type Condition, equals } from './bpf.ts';

export const etherType = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;

const ETHERNET_TYPE = 12;
const IPV4_FRAGMENT = 14 + 6;
const IPV4_PROTOCOL = 14 + 9;
const UDP_DESTINATION_PORT = 2;
const ARP_OPERATION = 14 + 6;
const ARP_SENDER_IP = 14 + 14;
const ARP_TARGET_IP = 14 + 24;
const IPV6_NEXT_HEADER = 14 + 6;
const IPV6_HOP_LIMIT = 14 + 7;
const ICMPV6_TYPE = 14 + 40;

const UDP = 17;
const ICMPV6 = 58;
const ROUTER_ADVERTISEMENT = 134;
const DHCP_CLIENT_PORT = 68;

const broadcast = Uint8Array.of(255, 255, 255, 255, 255, 255);

const u32 = (bytes: Uint8Array, at = 0): number => Buffer.from(bytes).readUInt32BE(at);
const u16 = (bytes: Uint8Array, at: number): number => Buffer.from(bytes).readUInt16BE(at);

const sentTo = (mac: Uint8Array): Condition => all(equals(0, 4, u32(mac)), equals(4, 2, u16(mac, 4)));

/** What DHCP servers send to a client with that MAC, to it alone or to everybody. */
export const dhcpForClient = (mac: Mac): Condition =>
  all(
    equals(ETHERNET_TYPE, 2, etherType.ipv4),
    equals(IPV4_PROTOCOL, 1, UDP),
    // A later fragment has no ports, and a DHCP server sends none.
    equals(IPV4_FRAGMENT, 2, 0, 0x3fff),
    equals({ afterIpv4Header: UDP_DESTINATION_PORT }, 2, DHCP_CLIENT_PORT),
    any(sentTo(macBytes(mac)), sentTo(broadcast)),
  );

/** ARP by which somebody claims one of the addresses as sender, or probes for it. */
export const arpAbout = (addresses: readonly Ipv4[]): Condition =>
  all(
    equals(ETHERNET_TYPE, 2, etherType.arp),
    any(equals(ARP_OPERATION, 2, 1), equals(ARP_OPERATION, 2, 2)),
    any(
      ...addresses.map((address) => {
        const value = u32(ipBytes(address));
        return any(
          equals(ARP_SENDER_IP, 4, value),
          all(equals(ARP_SENDER_IP, 4, 0), equals(ARP_TARGET_IP, 4, value)),
        );
      }),
    ),
  );

/** Router advertisements that come from this link. */
export const routerAdvertisements: Condition = all(
  equals(ETHERNET_TYPE, 2, etherType.ipv6),
  equals(IPV6_NEXT_HEADER, 1, ICMPV6),
  equals(IPV6_HOP_LIMIT, 1, 255),
  equals(ICMPV6_TYPE, 1, ROUTER_ADVERTISEMENT),
);
