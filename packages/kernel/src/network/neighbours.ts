import { familyOf } from '../ip/index.ts';
import { type NetlinkRequest, type NetlinkSocket, NLM_F_CREATE, NLM_F_REPLACE } from '../netlink/index.ts';
import { removeIfPresent, unlessAbsent } from './absence.ts';
import {
  type Neighbour,
  type NeighbourFilter,
  type NeighbourIdentity,
  type NewNeighbour,
  readNeighbour,
  writeNeighbour,
  writeNeighbourQuestion,
  writeNeighbourRemoval,
} from './neighbour.ts';
import { RTM_DELNEIGH, RTM_GETNEIGH, RTM_NEWNEIGH } from './numbers.ts';

/** Who was seen on the links of one namespace. */
export class Neighbours {
  readonly #socket: NetlinkSocket;

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  list(filter: NeighbourFilter = {}): Neighbour[] {
    const request: NetlinkRequest = {
      type: RTM_GETNEIGH,
      body: (writer) => writeNeighbourQuestion(writer, filter),
      what: 'listing neighbours',
    };
    return unlessAbsent(() => this.#socket.dump(request, readNeighbour), [], ['ENODEV']).filter(
      ({ link, address }) =>
        (filter.link === undefined || link === filter.link) &&
        (filter.family === undefined || familyOf(address) === filter.family),
    );
  }

  replace(neighbour: NewNeighbour): void {
    this.#socket.ask({
      type: RTM_NEWNEIGH,
      flags: NLM_F_CREATE | NLM_F_REPLACE,
      body: (writer) => writeNeighbour(writer, neighbour),
      what: `replacing neighbour ${neighbour.address} on link ${neighbour.link}`,
    });
  }

  /** Forgets it; says whether it was known. */
  delete(neighbour: NeighbourIdentity): boolean {
    const request: NetlinkRequest = {
      type: RTM_DELNEIGH,
      body: (writer) => writeNeighbourRemoval(writer, neighbour),
      what: `deleting neighbour ${neighbour.address} on link ${neighbour.link}`,
    };
    return removeIfPresent(() => this.#socket.ask(request), ['ENOENT', 'ENODEV']);
  }
}
