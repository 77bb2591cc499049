/** Tracked flows as values. */
import { type IpAddress, type IpFamily, ipFromBytes } from '../ip/index.ts';
import {
  Attributes,
  familyFromNumber,
  familyHeader,
  malformed,
  type NetlinkMessage,
  nameOf,
} from '../netlink/index.ts';
import * as n from './numbers.ts';

const ipProtocols = { icmp: 1, tcp: 6, udp: 17, icmp6: 58, sctp: 132 } as const;
export type IpProtocol = keyof typeof ipProtocols | `${number}`;

const tcpStates = {
  none: 0,
  synSent: 1,
  synReceived: 2,
  established: 3,
  finWait: 4,
  closeWait: 5,
  lastAck: 6,
  timeWait: 7,
  closed: 8,
  synSentByBoth: 9,
} as const;

const status = { seenReply: 0x2, assured: 0x4, sourceNat: 0x10, destinationNat: 0x20, dying: 0x200 } as const;

/** One direction of a flow. */
export interface FlowTuple {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** Nothing for protocols without ports. */
  readonly sourcePort: number | undefined;
  readonly destinationPort: number | undefined;
}

export interface FlowCounters {
  readonly packets: bigint;
  readonly bytes: bigint;
}

export interface Flow {
  readonly id: number;
  readonly family: IpFamily;
  readonly protocol: IpProtocol;
  /** As the first packet came in: of a flow that is redirected, the destination is what the client asked for. */
  readonly original: FlowTuple;
  /** As answers come in: of a flow that is redirected, the source is where it really goes. */
  readonly reply: FlowTuple;
  readonly zone: number;
  readonly mark: number;
  readonly timeoutSeconds: number;
  readonly seenReply: boolean;
  /** The kernel keeps it when the table is full. */
  readonly assured: boolean;
  readonly sourceNat: boolean;
  readonly destinationNat: boolean;
  readonly tcpState: keyof typeof tcpStates | `${number}` | undefined;
  /** Only where net.netfilter.nf_conntrack_acct is on. */
  readonly counters: { readonly original: FlowCounters; readonly reply: FlowCounters } | undefined;
}

export function readFlow({ payload }: NetlinkMessage): Flow | undefined {
  const family = familyFromNumber(familyHeader(payload, n.HEADER_BYTES).readUInt8(0));
  if (family === undefined) return undefined;
  const attributes = Attributes.after(payload, n.HEADER_BYTES);
  const original = readTuple(attributes.nested(n.CTA_TUPLE_ORIG));
  const reply = readTuple(attributes.nested(n.CTA_TUPLE_REPLY));
  const bits = attributes.u32be(n.CTA_STATUS) ?? 0;
  const tcpState = attributes
    .nested(n.CTA_PROTOINFO)
    ?.nested(n.CTA_PROTOINFO_TCP)
    ?.u8(n.CTA_PROTOINFO_TCP_STATE);
  return {
    id: attributes.u32be(n.CTA_ID) ?? 0,
    family,
    protocol: nameOf(ipProtocols, original.protocol),
    original: original.tuple,
    reply: reply.tuple,
    zone: attributes.u16be(n.CTA_ZONE) ?? original.zone,
    mark: attributes.u32be(n.CTA_MARK) ?? 0,
    timeoutSeconds: attributes.u32be(n.CTA_TIMEOUT) ?? 0,
    seenReply: (bits & status.seenReply) !== 0,
    assured: (bits & status.assured) !== 0,
    sourceNat: (bits & status.sourceNat) !== 0,
    destinationNat: (bits & status.destinationNat) !== 0,
    tcpState: tcpState === undefined ? undefined : nameOf(tcpStates, tcpState),
    counters: readCounters(attributes),
  };
}

/** The raw bytes of where answers come from: a quick look before the whole flow is read. */
export function readReplySource({ payload }: NetlinkMessage): Buffer | undefined {
  const ip = Attributes.after(payload, n.HEADER_BYTES).nested(n.CTA_TUPLE_REPLY)?.nested(n.CTA_TUPLE_IP);
  return ip?.binary(n.CTA_IP_V4_SRC) ?? ip?.binary(n.CTA_IP_V6_SRC);
}

function readTuple(attributes: Attributes | undefined): {
  readonly tuple: FlowTuple;
  readonly protocol: number;
  readonly zone: number;
} {
  const ip = attributes?.nested(n.CTA_TUPLE_IP);
  const protocol = attributes?.nested(n.CTA_TUPLE_PROTO);
  return {
    tuple: {
      source: readAddress(ip, n.CTA_IP_V4_SRC, n.CTA_IP_V6_SRC),
      destination: readAddress(ip, n.CTA_IP_V4_DST, n.CTA_IP_V6_DST),
      sourcePort: protocol?.u16be(n.CTA_PROTO_SRC_PORT),
      destinationPort: protocol?.u16be(n.CTA_PROTO_DST_PORT),
    },
    protocol: protocol?.u8(n.CTA_PROTO_NUM) ?? 0,
    zone: attributes?.u16be(n.CTA_TUPLE_ZONE) ?? 0,
  };
}

function readAddress(ip: Attributes | undefined, v4: number, v6: number): IpAddress {
  const bytes = ip?.binary(v4) ?? ip?.binary(v6);
  if (bytes?.length !== 4 && bytes?.length !== 16) throw malformed('a tracked flow lacks an address');
  return ipFromBytes(bytes);
}

function readCounters(attributes: Attributes): Flow['counters'] {
  const original = readDirection(attributes.nested(n.CTA_COUNTERS_ORIG));
  const reply = readDirection(attributes.nested(n.CTA_COUNTERS_REPLY));
  return original === undefined || reply === undefined ? undefined : { original, reply };
}

function readDirection(counters: Attributes | undefined): FlowCounters | undefined {
  const packets = counters?.u64be(n.CTA_COUNTERS_PACKETS);
  const bytes = counters?.u64be(n.CTA_COUNTERS_BYTES);
  return packets === undefined || bytes === undefined ? undefined : { packets, bytes };
}
