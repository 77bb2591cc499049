import {
  type Dhcp6Message,
  decodeDhcp6,
  decodeIcmp6Frame,
  decodeRouterAdvertisement,
  dhcp6Port,
  encodeDhcp6,
  encodeIcmp6Frame,
  type Ipv6,
  type RouterAdvertisement,
  routerSolicitation,
  unsolicitedAdvertisement,
} from '@berth/dhcp';
import { etherType, PacketSocket, routerAdvertisements, Udp6Socket } from '@berth/kernel/frames';
import { parseIpv6 } from '@berth/kernel/ip';
import type { Netns } from '@berth/kernel/netns';
import { type ExternalLink, wireMac } from './external-link.ts';

const allServers = parseIpv6('ff02::1:2');

export interface Port6Events {
  received(message: Dhcp6Message): void;
  heardRouter(source: Ipv6, advertisement: RouterAdvertisement): void;
  /** A packet that is neither. */
  refused(): void;
  /** The port is of no use any more. */
  failed(error: unknown): void;
}

/** How a DHCPv6 client speaks on its link: from its link-local address, and with the routers. */
export class Dhcp6Port implements Disposable {
  readonly #namespace: Netns;
  readonly #link: ExternalLink;
  readonly #events: Port6Events;
  readonly #neighbours: PacketSocket;
  #dhcp: Udp6Socket | undefined;

  constructor(namespace: Netns, link: ExternalLink, events: Port6Events) {
    this.#namespace = namespace;
    this.#link = link;
    this.#events = events;
    this.#neighbours = PacketSocket.open(
      { namespace, link: link.index, etherType: etherType.ipv6, filter: routerAdvertisements },
      ({ bytes }) => this.#hear(bytes),
      (error) => events.failed(error),
    );
  }

  /** From here on we can speak: the link has a link-local address that can be used. */
  open(linkLocal: Ipv6): void {
    this.#dhcp = Udp6Socket.open(
      {
        namespace: this.#namespace,
        link: this.#link,
        address: parseIpv6(linkLocal),
        port: dhcp6Port.client,
      },
      ({ bytes, truncated }) => {
        const message = decodeDhcp6(bytes);
        if (message.ok && !truncated) this.#events.received(message.value);
        else this.#events.refused();
      },
      (error) => this.#events.failed(error),
    );
  }

  send(message: Dhcp6Message): void {
    this.#dhcp?.send(encodeDhcp6(message), allServers, dhcp6Port.server);
  }

  solicitRouters(linkLocal: Ipv6): void {
    this.#neighbours.send(encodeIcmp6Frame(routerSolicitation(wireMac(this.#link), linkLocal)));
  }

  announce(address: Ipv6): void {
    this.#neighbours.send(encodeIcmp6Frame(unsolicitedAdvertisement(wireMac(this.#link), address)));
  }

  [Symbol.dispose](): void {
    this.#dhcp?.[Symbol.dispose]();
    this.#neighbours[Symbol.dispose]();
  }

  #hear(bytes: Uint8Array): void {
    const frame = decodeIcmp6Frame(bytes);
    const advertisement = frame.ok ? decodeRouterAdvertisement(frame.value) : undefined;
    if (frame.ok && advertisement?.ok === true) {
      this.#events.heardRouter(frame.value.source, advertisement.value);
    } else this.#events.refused();
  }
}
