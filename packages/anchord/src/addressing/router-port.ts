import {
  decodeIcmp6Frame,
  decodeRouterAdvertisement,
  encodeIcmp6Frame,
  type Ipv6,
  type RouterAdvertisement,
  routerSolicitation,
  unsolicitedAdvertisement,
} from '@berth/dhcp';
import { etherType, PacketSocket, routerAdvertisements } from '@berth/kernel/frames';
import type { Netns } from '@berth/kernel/netns';
import { type ExternalLink, wireMac } from './external-link.ts';

export interface RouterPortEvents {
  heardRouter(source: Ipv6, advertisement: RouterAdvertisement): void;
  /** A frame that is no advertisement of a router on this link. */
  refused(): void;
  /** The port is of no use any more. */
  failed(error: unknown): void;
}

/** What a host says to, and hears from, the routers and neighbours on its link. */
export class RouterPort implements Disposable {
  readonly #link: ExternalLink;
  readonly #events: RouterPortEvents;
  readonly #socket: PacketSocket;

  /** Throws where the link, or the right to open packet sockets on it, is missing. */
  constructor(namespace: Netns, link: ExternalLink, events: RouterPortEvents) {
    this.#link = link;
    this.#events = events;
    this.#socket = PacketSocket.open(
      { namespace, link: link.index, etherType: etherType.ipv6, filter: routerAdvertisements },
      ({ bytes }) => this.#hear(bytes),
      (error) => events.failed(error),
    );
  }

  solicitRouters(linkLocal: Ipv6): void {
    this.#socket.send(encodeIcmp6Frame(routerSolicitation(wireMac(this.#link), linkLocal)));
  }

  announce(address: Ipv6): void {
    this.#socket.send(encodeIcmp6Frame(unsolicitedAdvertisement(wireMac(this.#link), address)));
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  #hear(bytes: Uint8Array): void {
    const frame = decodeIcmp6Frame(bytes);
    const advertisement = frame.ok ? decodeRouterAdvertisement(frame.value) : undefined;
    if (frame.ok && advertisement?.ok === true) {
      this.#events.heardRouter(frame.value.source, advertisement.value);
    } else this.#events.refused();
  }
}
