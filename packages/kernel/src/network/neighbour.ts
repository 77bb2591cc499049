/** Neighbours (who on a link has which address) as values, and their form on the wire. */
import {
  familyOf,
  type IpAddress,
  type IpFamily,
  ipBytes,
  type Mac,
  macBytes,
  macFromBytes,
} from '../ip/index.ts';
import {
  Attributes,
  familyFromNumber,
  familyHeader,
  familyNumber,
  type MessageWriter,
  type NetlinkMessage,
  nameOf,
} from '../netlink/index.ts';
import { ipAttribute } from './ip-attribute.ts';

const HEADER_BYTES = 12;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NDA_IFINDEX = 8;
const NTF_PROXY = 0x08;
const NTF_ROUTER = 0x80;

const states = {
  none: 0x00,
  incomplete: 0x01,
  reachable: 0x02,
  stale: 0x04,
  delay: 0x08,
  probe: 0x10,
  failed: 0x20,
  noArp: 0x40,
  permanent: 0x80,
} as const;
export type NeighbourState = keyof typeof states;

export interface Neighbour {
  readonly link: number;
  readonly address: IpAddress;
  /** Nothing while it is being asked for, or if nobody answered. */
  readonly mac: Mac | undefined;
  readonly state: NeighbourState | `${number}`;
  readonly router: boolean;
  /** We answer for this address. */
  readonly proxy: boolean;
}

export interface NewNeighbour {
  readonly link: number;
  readonly address: IpAddress;
  readonly mac: Mac;
  /** Default: permanent. */
  readonly state?: NeighbourState;
}

export type NeighbourIdentity = Pick<Neighbour, 'link' | 'address'>;

export function readNeighbour({ payload }: NetlinkMessage): Neighbour | undefined {
  const header = familyHeader(payload, HEADER_BYTES);
  if (familyFromNumber(header.readUInt8(0)) === undefined) return undefined;
  const attributes = Attributes.after(payload, HEADER_BYTES);
  const address = ipAttribute(attributes, NDA_DST);
  if (address === undefined) return undefined;
  const flags = header.readUInt8(10);
  return {
    link: header.readInt32LE(4),
    address,
    mac: macFromBytes(attributes.binary(NDA_LLADDR) ?? new Uint8Array()),
    state: nameOf(states, header.readUInt16LE(8)),
    router: (flags & NTF_ROUTER) !== 0,
    proxy: (flags & NTF_PROXY) !== 0,
  };
}

export interface NeighbourFilter {
  readonly family?: IpFamily;
  readonly link?: number;
}

export function writeNeighbourQuestion(writer: MessageWriter, filter: NeighbourFilter): void {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(familyNumber(filter.family), 0);
  writer.raw(header);
  if (filter.link !== undefined) writer.u32(NDA_IFINDEX, filter.link);
}

export function writeNeighbour(writer: MessageWriter, neighbour: NewNeighbour): void {
  writeIdentity(writer, neighbour, states[neighbour.state ?? 'permanent']);
  writer.binary(NDA_LLADDR, macBytes(neighbour.mac));
}

export function writeNeighbourRemoval(writer: MessageWriter, neighbour: NeighbourIdentity): void {
  writeIdentity(writer, neighbour, 0);
}

function writeIdentity(writer: MessageWriter, { link, address }: NeighbourIdentity, state: number): void {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(familyNumber(familyOf(address)), 0);
  header.writeInt32LE(link, 4);
  header.writeUInt16LE(state, 8);
  writer.raw(header);
  writer.binary(NDA_DST, ipBytes(address));
}
