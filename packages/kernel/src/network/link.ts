/** Links as values, and their form on the wire. */
import { type Mac, macBytes, macFromBytes } from '../ip/index.ts';
import {
  Attributes,
  familyHeader,
  type MessageWriter,
  type NetlinkMessage,
  nameOf,
} from '../netlink/index.ts';
import type { Netns } from '../netns/index.ts';
import { AF_UNSPEC } from '../sys/index.ts';

const HEADER_BYTES = 16;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_OPERSTATE = 16;
const IFLA_LINKINFO = 18;
const IFLA_IFALIAS = 20;
const IFLA_NET_NS_FD = 28;
const IFLA_EXT_MASK = 29;
const IFLA_LINK_NETNSID = 37;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const IFLA_MACVLAN_MODE = 1;
const IFLA_VLAN_ID = 1;
/** Leaves the counters out, which are half of every answer. */
const RTEXT_FILTER_SKIP_STATS = 8;

const IFF_UP = 0x1;
const IFF_LOOPBACK = 0x8;
const IFF_LOWER_UP = 0x1_0000;

const operationalStates = {
  unknown: 0,
  notPresent: 1,
  down: 2,
  lowerLayerDown: 3,
  testing: 4,
  dormant: 5,
  up: 6,
} as const;

const macvlanModes = { private: 1, vepa: 2, bridge: 4, passthru: 8, source: 16 } as const;
export type MacvlanMode = keyof typeof macvlanModes;

export interface Link {
  readonly index: number;
  readonly name: string;
  /** `veth`, `macvlan`, `bridge`, ...; nothing for loopback and hardware. */
  readonly kind: string | undefined;
  readonly mac: Mac | undefined;
  readonly mtu: number;
  readonly loopback: boolean;
  /** Somebody set it up. */
  readonly up: boolean;
  /** It has a carrier: the cable is in, the peer is up. */
  readonly carrier: boolean;
  readonly operationalState: keyof typeof operationalStates | `${number}`;
  /** The index of the link that it stands on (macvlan, vlan) or that is its other end (veth). */
  readonly parent: number | undefined;
  /** Set when `parent` counts in another namespace: the kernel's name for that one. */
  readonly parentNamespaceId: number | undefined;
  /** The index of the bridge (or bond, or VRF) that it is a port of. */
  readonly master: number | undefined;
  readonly alias: string | undefined;
  readonly macvlanMode: MacvlanMode | `${number}` | undefined;
  readonly vlanId: number | undefined;
}

/** What can be changed on a link that exists. */
export interface LinkChange {
  readonly name?: string;
  readonly up?: boolean;
  readonly mac?: Mac;
  readonly mtu?: number;
  /** The bridge to join, or `null` to leave it. */
  readonly master?: number | null;
  readonly alias?: string;
}

/** What every new link may be given. */
interface NewLinkCommon extends Omit<LinkChange, 'name'> {
  readonly name: string;
}

export interface NewVethEnd {
  readonly name: string;
  readonly mac?: Mac;
  readonly mtu?: number;
  /** Where this end goes; by default where the link is made. */
  readonly namespace?: Netns;
}

export type NewLink =
  | (NewLinkCommon & { readonly kind: 'veth'; readonly peer: NewVethEnd })
  | (NewLinkCommon & { readonly kind: 'macvlan'; readonly parent: number; readonly mode: MacvlanMode })
  | (NewLinkCommon & { readonly kind: 'vlan'; readonly parent: number; readonly vlanId: number })
  | (NewLinkCommon & { readonly kind: 'bridge' });

/** Reads a link out of an answer or an event. Nothing for what bridges say about their ports in the same messages. */
export function readLink({ payload }: NetlinkMessage): Link | undefined {
  const header = familyHeader(payload, HEADER_BYTES);
  if (header.readUInt8(0) !== AF_UNSPEC) return undefined;
  const attributes = Attributes.after(payload, HEADER_BYTES);
  const flags = header.readUInt32LE(8);
  const kindInfo = attributes.nested(IFLA_LINKINFO);
  const kind = kindInfo?.string(IFLA_INFO_KIND);
  const data = kindInfo?.nested(IFLA_INFO_DATA);
  const macvlanMode = kind === 'macvlan' ? data?.u32(IFLA_MACVLAN_MODE) : undefined;
  // Zero is what the kernel says for "none".
  const parent = attributes.u32(IFLA_LINK) || undefined;
  return {
    index: header.readInt32LE(4),
    name: attributes.string(IFLA_IFNAME) ?? '',
    kind,
    mac: macFromBytes(attributes.binary(IFLA_ADDRESS) ?? new Uint8Array()),
    mtu: attributes.u32(IFLA_MTU) ?? 0,
    loopback: (flags & IFF_LOOPBACK) !== 0,
    up: (flags & IFF_UP) !== 0,
    carrier: (flags & IFF_LOWER_UP) !== 0,
    operationalState: nameOf(operationalStates, attributes.u8(IFLA_OPERSTATE) ?? 0),
    parent,
    parentNamespaceId: attributes.i32(IFLA_LINK_NETNSID),
    master: attributes.u32(IFLA_MASTER) || undefined,
    alias: attributes.string(IFLA_IFALIAS),
    macvlanMode: macvlanMode === undefined ? undefined : nameOf(macvlanModes, macvlanMode),
    vlanId: kind === 'vlan' ? data?.u16(IFLA_VLAN_ID) : undefined,
  };
}

export interface LinkSelection {
  readonly index?: number;
  readonly name?: string;
}

/** The question for one link or, if nothing is selected, for all of them. */
export function writeLinkQuestion(writer: MessageWriter, selection: LinkSelection): void {
  writeHeader(writer, selection.index ?? 0, undefined);
  if (selection.name !== undefined) writer.string(IFLA_IFNAME, selection.name);
  writer.u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

export function writeLinkChange(
  writer: MessageWriter,
  index: number,
  change: LinkChange,
  namespaceFd?: number,
): void {
  writeHeader(writer, index, change.up);
  writeChange(writer, change);
  if (namespaceFd !== undefined) writer.u32(IFLA_NET_NS_FD, namespaceFd);
}

/** Descriptors of the namespaces that a new link, or the other end of a veth, goes to. */
export interface LinkDestinations {
  readonly link: number | undefined;
  readonly peer: number | undefined;
}

export function writeNewLink(writer: MessageWriter, link: NewLink, destinations: LinkDestinations): void {
  writeHeader(writer, 0, link.up);
  writeChange(writer, link);
  if (destinations.link !== undefined) writer.u32(IFLA_NET_NS_FD, destinations.link);
  if (link.kind === 'macvlan' || link.kind === 'vlan') writer.u32(IFLA_LINK, link.parent);
  writer.nested(IFLA_LINKINFO, () => {
    writer.string(IFLA_INFO_KIND, link.kind);
    if (link.kind !== 'bridge')
      writer.nested(IFLA_INFO_DATA, () => writeKind(writer, link, destinations.peer));
  });
}

function writeKind(
  writer: MessageWriter,
  link: Exclude<NewLink, { kind: 'bridge' }>,
  peerFd: number | undefined,
): void {
  switch (link.kind) {
    case 'veth':
      writer.nested(VETH_INFO_PEER, () => {
        writeHeader(writer, 0, undefined);
        writeChange(writer, link.peer);
        if (peerFd !== undefined) writer.u32(IFLA_NET_NS_FD, peerFd);
      });
      return;
    case 'macvlan':
      writer.u32(IFLA_MACVLAN_MODE, macvlanModes[link.mode]);
      return;
    case 'vlan':
      writer.u16(IFLA_VLAN_ID, link.vlanId);
      return;
    default:
      link satisfies never;
  }
}

function writeHeader(writer: MessageWriter, index: number, up: boolean | undefined): void {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeInt32LE(index, 4);
  header.writeUInt32LE(up === true ? IFF_UP : 0, 8);
  // Which of the flags are meant.
  header.writeUInt32LE(up === undefined ? 0 : IFF_UP, 12);
  writer.raw(header);
}

function writeChange(writer: MessageWriter, change: LinkChange): void {
  if (change.name !== undefined) writer.string(IFLA_IFNAME, change.name);
  if (change.mac !== undefined) writer.binary(IFLA_ADDRESS, macBytes(change.mac));
  if (change.mtu !== undefined) writer.u32(IFLA_MTU, change.mtu);
  if (change.master !== undefined) writer.u32(IFLA_MASTER, change.master ?? 0);
  if (change.alias !== undefined) writer.string(IFLA_IFALIAS, change.alias);
}
