import {
  type ArpPacket,
  broadcastIpv4,
  broadcastMac,
  type Dhcp4Message,
  decodeArpFrame,
  decodeDhcp4,
  decodeUdpFrame,
  dhcp4Port,
  encodeArpFrame,
  encodeDhcp4,
  encodeUdpFrame,
  type Ipv4,
  type Mac,
} from '@berth/dhcp';
import {
  arpAbout,
  DeafUdpSocket,
  dhcpForClient,
  etherType,
  PacketSocket,
  type ReceivedFrame,
} from '@berth/kernel/frames';
import { parseIpv4 } from '@berth/kernel/ip';
import type { Netns } from '@berth/kernel/netns';
import { type ExternalLink, wireMac } from './external-link.ts';

export interface Port4Events {
  received(message: Dhcp4Message, sourceMac: Mac): void;
  heardArp(packet: ArpPacket): void;
  /** A packet that is no DHCP. */
  refused(): void;
  /** The port is of no use any more. */
  failed(error: unknown): void;
}

/** How a DHCPv4 client speaks on its link: as frames while it has no address, by the kernel's routes when it has one. */
export class Dhcp4Port implements Disposable {
  readonly #namespace: Netns;
  readonly #link: ExternalLink;
  readonly #events: Port4Events;
  readonly #dhcp: PacketSocket;
  readonly #arp: PacketSocket;
  #watched: readonly Ipv4[] = [];
  #own: { readonly address: Ipv4; readonly socket: DeafUdpSocket } | undefined;

  constructor(namespace: Netns, link: ExternalLink, events: Port4Events) {
    this.#namespace = namespace;
    this.#link = link;
    this.#events = events;
    const on = { namespace, link: link.index };
    const failed = (error: unknown): void => events.failed(error);
    this.#dhcp = PacketSocket.open(
      { ...on, etherType: etherType.ipv4, filter: dhcpForClient(link.mac) },
      (frame) => this.#receive(frame),
      failed,
    );
    try {
      this.#arp = PacketSocket.open(
        { ...on, etherType: etherType.arp, filter: arpAbout([]) },
        (frame) => this.#hear(frame),
        failed,
      );
    } catch (error) {
      this.#dhcp[Symbol.dispose]();
      throw error;
    }
  }

  /** To everybody on the link, from the address that the message claims (none, mostly). */
  broadcast(message: Dhcp4Message): void {
    this.#sendFrame(message, message.ciaddr, broadcastIpv4, broadcastMac);
  }

  /** The way that the kernel's routes lead; straight to the MAC if the kernel does not let us. */
  unicast(message: Dhcp4Message, from: Ipv4, to: Ipv4, toMac: Mac): void {
    try {
      this.own(from);
      this.#own?.socket.send(encodeDhcp4(message), parseIpv4(to), dhcp4Port.server);
    } catch {
      this.#sendFrame(message, from, to, toMac);
    }
  }

  /** Straight to a MAC: needs no neighbour to answer first. */
  unicastFrame(message: Dhcp4Message, from: Ipv4, to: Ipv4, toMac: Mac): void {
    this.#sendFrame(message, from, to, toMac);
  }

  arp(packet: ArpPacket): void {
    this.#arp.send(encodeArpFrame(packet));
  }

  /** From here on we hear whoever claims or probes these addresses. */
  watch(addresses: readonly Ipv4[]): void {
    if (addresses.join() === this.#watched.join()) return;
    this.#arp.setFilter(arpAbout(addresses.map((address) => parseIpv4(address))));
    this.#watched = addresses;
  }

  /** While we own an address the DHCP port on it is ours, so that the kernel does not refuse what servers send there. */
  own(address: Ipv4 | undefined): void {
    if (this.#own?.address === address) return;
    this.#own?.socket[Symbol.dispose]();
    this.#own = undefined;
    if (address === undefined) return;
    const { index, name } = this.#link;
    const socket = DeafUdpSocket.open({
      namespace: this.#namespace,
      link: { index, name },
      address: parseIpv4(address),
      port: dhcp4Port.client,
    });
    this.#own = { address, socket };
  }

  [Symbol.dispose](): void {
    this.own(undefined);
    this.#dhcp[Symbol.dispose]();
    this.#arp[Symbol.dispose]();
  }

  #sendFrame(message: Dhcp4Message, source: Ipv4, destination: Ipv4, destinationMac: Mac): void {
    this.#dhcp.send(
      encodeUdpFrame({
        sourceMac: wireMac(this.#link),
        destinationMac,
        source,
        destination,
        sourcePort: dhcp4Port.client,
        destinationPort: dhcp4Port.server,
        payload: encodeDhcp4(message),
      }),
    );
  }

  #receive({ bytes, truncated, checksumPending }: ReceivedFrame): void {
    const datagram = truncated
      ? undefined
      : decodeUdpFrame(bytes, checksumPending ? 'not-computed' : 'verify');
    const message = datagram?.ok === true ? decodeDhcp4(datagram.value.payload) : undefined;
    if (datagram?.ok === true && message?.ok === true) {
      this.#events.received(message.value, datagram.value.sourceMac);
    } else this.#events.refused();
  }

  #hear({ bytes }: ReceivedFrame): void {
    const packet = decodeArpFrame(bytes);
    if (packet.ok) this.#events.heardArp(packet.value);
    else this.#events.refused();
  }
}
