import { type Dhcp6Message, decodeDhcp6, dhcp6Port, encodeDhcp6, type Ipv6 } from '@berth/dhcp';
import { Udp6Socket } from '@berth/kernel/frames';
import { parseIpv6 } from '@berth/kernel/ip';
import type { Netns } from '@berth/kernel/netns';
import type { ExternalLink } from './external-link.ts';
import { RouterPort, type RouterPortEvents } from './router-port.ts';

const allServers = parseIpv6('ff02::1:2');

export interface Port6Events extends RouterPortEvents {
  received(message: Dhcp6Message): void;
}

/** How a DHCPv6 client speaks on its link: from its link-local address, and with the routers. */
export class Dhcp6Port implements Disposable {
  readonly #namespace: Netns;
  readonly #link: ExternalLink;
  readonly #events: Port6Events;
  readonly #routers: RouterPort;
  #dhcp: Udp6Socket | undefined;

  constructor(namespace: Netns, link: ExternalLink, events: Port6Events) {
    this.#namespace = namespace;
    this.#link = link;
    this.#events = events;
    this.#routers = new RouterPort(namespace, link, events);
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
    this.#routers.solicitRouters(linkLocal);
  }

  announce(address: Ipv6): void {
    this.#routers.announce(address);
  }

  [Symbol.dispose](): void {
    this.#dhcp?.[Symbol.dispose]();
    this.#routers[Symbol.dispose]();
  }
}
