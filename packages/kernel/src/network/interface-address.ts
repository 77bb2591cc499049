/** Addresses of links as values, and their form on the wire. */
import {
  type Cidr,
  familyOf,
  type IpAddress,
  type IpFamily,
  type Ipv4,
  ipBytes,
  isIpv4,
} from '../ip/index.ts';
import {
  Attributes,
  familyFromNumber,
  familyHeader,
  familyNumber,
  type MessageWriter,
  type NetlinkMessage,
  nameOf,
  numberIn,
} from '../netlink/index.ts';
import { ipAttribute } from './ip-attribute.ts';

const HEADER_BYTES = 8;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_LABEL = 3;
const IFA_BROADCAST = 4;
const IFA_CACHEINFO = 6;
const IFA_FLAGS = 8;
const IFA_PROTO = 11;

const IFA_F_SECONDARY = 0x01;
const IFA_F_NODAD = 0x02;
const IFA_F_OPTIMISTIC = 0x04;
const IFA_F_DADFAILED = 0x08;
const IFA_F_DEPRECATED = 0x20;
const IFA_F_TENTATIVE = 0x40;
const IFA_F_PERMANENT = 0x80;
const IFA_F_NOPREFIXROUTE = 0x200;

/** How the kernel writes "for ever". */
const FOR_EVER = 0xffff_ffff;

const scopes = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const;
export type AddressScope = keyof typeof scopes;

export interface InterfaceAddress extends Cidr {
  /** Index of the link that has it. */
  readonly link: number;
  /** The other end of a point-to-point link, if it is one. */
  readonly peer: IpAddress | undefined;
  readonly broadcast: Ipv4 | undefined;
  readonly label: string | undefined;
  readonly scope: AddressScope | `${number}`;
  /** Until it is removed; Infinity: for ever. */
  readonly validSeconds: number;
  /** Until it is deprecated; 0: it is. Infinity: never. */
  readonly preferredSeconds: number;
  /** Not used for new connections any more. */
  readonly deprecated: boolean;
  /** Duplicate address detection is still at it; the address cannot be used yet. */
  readonly tentative: boolean;
  /** Somebody else on the link has it. */
  readonly dadFailed: boolean;
  /** Not the first one of its subnet (IPv4), or a temporary one for privacy (IPv6). */
  readonly secondary: boolean;
  readonly permanent: boolean;
  /** The kernel added no route to its subnet on its behalf. */
  readonly noPrefixRoute: boolean;
  /** Who added it: 1 to 3 are the kernel's own (loopback, router advertisement, link-local). Needs Linux 5.18. */
  readonly protocol: number | undefined;
}

export interface NewInterfaceAddress extends Cidr {
  readonly link: number;
  readonly peer?: IpAddress;
  readonly broadcast?: Ipv4;
  /** IPv4 only: begins with the name of the link. */
  readonly label?: string;
  /** Default: global. */
  readonly scope?: AddressScope | `${number}`;
  /** Default: for ever. */
  readonly validSeconds?: number;
  readonly preferredSeconds?: number;
  /** Leave the route to its subnet to us. */
  readonly noPrefixRoute?: boolean;
  /** Use it without asking whether somebody else has it (IPv6). */
  readonly noDad?: boolean;
  /** Use it before that question is answered (IPv6). */
  readonly optimistic?: boolean;
  readonly protocol?: number;
}

/** What says which address is meant when one is removed. */
export type AddressIdentity = Cidr & Pick<NewInterfaceAddress, 'link' | 'peer'>;

export function readAddress({ payload }: NetlinkMessage): InterfaceAddress | undefined {
  const header = familyHeader(payload, HEADER_BYTES);
  if (familyFromNumber(header.readUInt8(0)) === undefined) return undefined;
  const attributes = Attributes.after(payload, HEADER_BYTES);
  const other = ipAttribute(attributes, IFA_ADDRESS);
  const address = ipAttribute(attributes, IFA_LOCAL) ?? other;
  if (address === undefined) return undefined;
  const broadcast = ipAttribute(attributes, IFA_BROADCAST);
  const flags = attributes.u32(IFA_FLAGS) ?? header.readUInt8(2);
  const cacheInfo = attributes.binary(IFA_CACHEINFO);
  return {
    link: header.readUInt32LE(4),
    address,
    prefixLength: header.readUInt8(1),
    peer: other === address ? undefined : other,
    broadcast: broadcast === undefined || !isIpv4(broadcast) ? undefined : broadcast,
    label: attributes.string(IFA_LABEL),
    scope: nameOf(scopes, header.readUInt8(3)),
    validSeconds: readLifetime(cacheInfo, 4),
    preferredSeconds: readLifetime(cacheInfo, 0),
    deprecated: (flags & IFA_F_DEPRECATED) !== 0,
    tentative: (flags & IFA_F_TENTATIVE) !== 0,
    dadFailed: (flags & IFA_F_DADFAILED) !== 0,
    secondary: (flags & IFA_F_SECONDARY) !== 0,
    permanent: (flags & IFA_F_PERMANENT) !== 0,
    noPrefixRoute: (flags & IFA_F_NOPREFIXROUTE) !== 0,
    protocol: attributes.u8(IFA_PROTO),
  };
}

function readLifetime(cacheInfo: Buffer | undefined, at: number): number {
  if (cacheInfo === undefined || cacheInfo.length < at + 4) return Number.POSITIVE_INFINITY;
  const seconds = cacheInfo.readUInt32LE(at);
  return seconds === FOR_EVER ? Number.POSITIVE_INFINITY : seconds;
}

/** What it takes to give a link the same address again. */
export function asNewAddress(address: InterfaceAddress): NewInterfaceAddress {
  const { link, prefixLength, peer, broadcast, label, protocol, noPrefixRoute } = address;
  return {
    link,
    address: address.address,
    prefixLength,
    validSeconds: address.validSeconds,
    preferredSeconds: address.preferredSeconds,
    noPrefixRoute,
    scope: address.scope,
    ...(peer === undefined ? {} : { peer }),
    ...(broadcast === undefined ? {} : { broadcast }),
    ...(label === undefined ? {} : { label }),
    ...(protocol === undefined ? {} : { protocol }),
  };
}

export interface AddressFilter {
  readonly family?: IpFamily;
  readonly link?: number;
}

export function writeAddressQuestion(writer: MessageWriter, filter: AddressFilter): void {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(familyNumber(filter.family), 0);
  header.writeUInt32LE(filter.link ?? 0, 4);
  writer.raw(header);
}

export function writeNewAddress(writer: MessageWriter, address: NewInterfaceAddress): void {
  const flags =
    (address.noPrefixRoute === true ? IFA_F_NOPREFIXROUTE : 0) |
    (address.noDad === true ? IFA_F_NODAD : 0) |
    (address.optimistic === true ? IFA_F_OPTIMISTIC : 0);
  writeIdentity(writer, address, flags, address.scope ?? 'global');
  writer.u32(IFA_FLAGS, flags);
  if (address.broadcast !== undefined) writer.binary(IFA_BROADCAST, ipBytes(address.broadcast));
  if (address.label !== undefined) writer.string(IFA_LABEL, address.label);
  if (address.protocol !== undefined) writer.u8(IFA_PROTO, address.protocol);
  const valid = address.validSeconds ?? Number.POSITIVE_INFINITY;
  // Never longer preferred than valid: the kernel refuses that.
  const preferred = Math.min(address.preferredSeconds ?? valid, valid);
  const cacheInfo = Buffer.alloc(16);
  cacheInfo.writeUInt32LE(wireLifetime(preferred), 0);
  cacheInfo.writeUInt32LE(wireLifetime(valid), 4);
  writer.binary(IFA_CACHEINFO, cacheInfo);
}

/** A lifetime that does not fit is as good as for ever. */
function wireLifetime(seconds: number): number {
  return seconds >= FOR_EVER ? FOR_EVER : Math.max(0, Math.floor(seconds));
}

export function writeAddressRemoval(writer: MessageWriter, address: AddressIdentity): void {
  writeIdentity(writer, address, 0, 'global');
}

function writeIdentity(
  writer: MessageWriter,
  { address, prefixLength, link, peer }: AddressIdentity,
  flags: number,
  scope: InterfaceAddress['scope'],
): void {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(familyNumber(familyOf(address)), 0);
  header.writeUInt8(prefixLength, 1);
  header.writeUInt8(flags & 0xff, 2);
  header.writeUInt8(numberIn(scopes, scope), 3);
  header.writeUInt32LE(link, 4);
  writer.raw(header);
  writer.binary(IFA_LOCAL, ipBytes(address));
  writer.binary(IFA_ADDRESS, ipBytes(peer ?? address));
}
