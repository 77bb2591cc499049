import type { Mac } from '../ip/index.ts';
import { type NetlinkRequest, type NetlinkSocket, NLM_F_CREATE, NLM_F_EXCL } from '../netlink/index.ts';
import type { Netns } from '../netns/index.ts';
import { unlessAbsent } from './absence.ts';
import {
  type Link,
  type LinkChange,
  type LinkSelection,
  type NewLink,
  readLink,
  writeLinkChange,
  writeLinkQuestion,
  writeNewLink,
} from './link.ts';
import { RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK } from './numbers.ts';

/** The network interfaces of one namespace. */
export class Links {
  readonly #socket: NetlinkSocket;

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  list(): Link[] {
    return this.#socket.dump(
      { type: RTM_GETLINK, body: (writer) => writeLinkQuestion(writer, {}), what: 'listing links' },
      readLink,
    );
  }

  byName(name: string): Link | undefined {
    return this.#find({ name }, `reading link ${name}`);
  }

  byIndex(index: number): Link | undefined {
    return this.#find({ index }, `reading link ${index}`);
  }

  /** All links with that address: a vlan shares it with its parent, a bridge with one of its ports. */
  byMac(mac: Mac): Link[] {
    return this.list().filter((link) => link.mac === mac);
  }

  /** Makes a link here, or in `namespace` (then `parent` still counts here). */
  create(link: NewLink, namespace?: Netns): void {
    withDescriptor(link.kind === 'veth' ? link.peer.namespace : undefined, (peerFd) =>
      withDescriptor(namespace, (linkFd) => {
        this.#socket.ask({
          type: RTM_NEWLINK,
          flags: NLM_F_CREATE | NLM_F_EXCL,
          body: (writer) => writeNewLink(writer, link, { link: linkFd, peer: peerFd }),
          what: `creating ${link.kind} ${link.name}`,
        });
      }),
    );
  }

  change(index: number, change: LinkChange): void {
    this.#socket.ask({
      type: RTM_NEWLINK,
      body: (writer) => writeLinkChange(writer, index, change),
      what: `changing link ${index} (${Object.keys(change).join(', ')})`,
    });
  }

  /** Moves a link to another namespace, where it is down and without addresses, with its name or with a new one. */
  move(index: number, namespace: Netns, name?: string): void {
    namespace.withDescriptor((fd) =>
      this.#socket.ask({
        type: RTM_NEWLINK,
        body: (writer) => writeLinkChange(writer, index, name === undefined ? {} : { name }, fd),
        what: `moving link ${index} to ${namespace.name}`,
      }),
    );
  }

  delete(index: number): void {
    this.#socket.ask({
      type: RTM_DELLINK,
      body: (writer) => writeLinkChange(writer, index, {}),
      what: `deleting link ${index}`,
    });
  }

  #find(selection: LinkSelection, what: string): Link | undefined {
    const request: NetlinkRequest = {
      type: RTM_GETLINK,
      body: (writer) => writeLinkQuestion(writer, selection),
      what,
    };
    const [answer] = unlessAbsent(() => this.#socket.ask(request), [], ['ENODEV']);
    return answer === undefined ? undefined : readLink(answer);
  }
}

function withDescriptor(namespace: Netns | undefined, use: (fd: number | undefined) => void): void {
  if (namespace === undefined) use(undefined);
  else namespace.withDescriptor(use);
}
