import { NETLINK_ROUTE, NetlinkSocket } from '../netlink/index.ts';
import type { Netns } from '../netns/index.ts';
import { Addresses } from './addresses.ts';
import { Links } from './links.ts';
import { Neighbours } from './neighbours.ts';
import { Routes } from './routes.ts';
import { Rules } from './rule.ts';

/** The network configuration of one namespace: read it, change it. To hear of changes see `NetworkWatch`. */
export class Network implements Disposable {
  readonly links: Links;
  readonly addresses: Addresses;
  readonly routes: Routes;
  readonly neighbours: Neighbours;
  readonly rules: Rules;
  /** Events about changes that were made through this object carry this number. */
  readonly portId: number;
  readonly #socket: NetlinkSocket;

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket;
    this.portId = socket.portId;
    this.links = new Links(socket);
    this.addresses = new Addresses(socket);
    this.routes = new Routes(socket);
    this.neighbours = new Neighbours(socket);
    this.rules = new Rules(socket);
  }

  static open(namespace?: Netns): Network {
    return new Network(
      NetlinkSocket.open({ protocol: NETLINK_ROUTE, ...(namespace === undefined ? {} : { namespace }) }),
    );
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}
