import {
  ByteReader,
  ByteWriter,
  type Decoded,
  decoded,
  type Ipv4,
  ipv4Bytes,
  type Mac,
  macBytes,
  noIpv4,
  readIpv4,
  readMac,
  refused,
} from '../wire/index.ts';
import {
  collectOptions,
  type Dhcp4Options,
  messageTypeOption,
  overloadOption,
  putOptions,
  readOptions,
} from './options.ts';

const messageTypes = ['discover', 'offer', 'request', 'decline', 'ack', 'nak', 'release', 'inform'] as const;

export type Dhcp4MessageType = (typeof messageTypes)[number];

/** A DHCPv4 message (RFC 2131). Its options are spread over up to three areas of the packet; here they are one. */
export interface Dhcp4Message {
  readonly type: Dhcp4MessageType;
  readonly op: 'request' | 'reply';
  readonly xid: number;
  readonly secs: number;
  readonly broadcast: boolean;
  /** The address that the client uses already. */
  readonly ciaddr: Ipv4;
  /** The address that the server gives. */
  readonly yiaddr: Ipv4;
  readonly siaddr: Ipv4;
  /** The relay in between. */
  readonly giaddr: Ipv4;
  readonly chaddr: Mac;
  readonly options: Dhcp4Options;
}

const magicCookie = 0x6382_5363;
const fixedLength = 240;
/** Relays and old servers drop shorter messages (RFC 1542, 2.1). */
const shortestMessage = 300;

export const dhcp4Port = { server: 67, client: 68 } as const;

/** A message with the fields that hardly ever differ filled in. */
export function dhcp4Message(
  fields: Pick<Dhcp4Message, 'type' | 'op' | 'xid' | 'chaddr' | 'options'> & Partial<Dhcp4Message>,
): Dhcp4Message {
  return {
    secs: 0,
    broadcast: false,
    ciaddr: noIpv4,
    yiaddr: noIpv4,
    siaddr: noIpv4,
    giaddr: noIpv4,
    ...fields,
  };
}

export function encodeDhcp4(message: Dhcp4Message): Uint8Array {
  const writer = new ByteWriter()
    .u8(message.op === 'request' ? 1 : 2)
    .u8(1)
    .u8(6)
    .u8(0)
    .u32(message.xid)
    .u16(message.secs)
    .u16(message.broadcast ? 0x8000 : 0)
    .put(ipv4Bytes(message.ciaddr))
    .put(ipv4Bytes(message.yiaddr))
    .put(ipv4Bytes(message.siaddr))
    .put(ipv4Bytes(message.giaddr))
    .put(macBytes(message.chaddr))
    .zeros(10 + 64 + 128)
    .u32(magicCookie);
  putOptions(writer, messageTypes.indexOf(message.type) + 1, message.options);
  return writer.zeros(Math.max(0, shortestMessage - writer.length)).bytes();
}

export function decodeDhcp4(bytes: Uint8Array): Decoded<Dhcp4Message> {
  if (bytes.length < fixedLength) return refused('truncated');
  const reader = new ByteReader(bytes);
  const op = reader.u8();
  const hardware = reader.u24() >>> 8;
  const xid = reader.u32();
  const secs = reader.u16();
  const flags = reader.u16();
  const [ciaddr, yiaddr, siaddr, giaddr] = [0, 0, 0, 0].map(() => readIpv4(reader));
  const chaddr = readMac(reader);
  reader.take(10);
  const serverName = reader.take(64);
  const file = reader.take(128);
  if (op !== 1 && op !== 2) return refused('malformed');
  if (hardware !== 0x0106 || reader.u32() !== magicCookie) return refused('other-protocol');

  const found = allOptions(reader.rest(), file, serverName);
  if (found === undefined) return refused('malformed');
  const typeOption = found.get(messageTypeOption);
  const type = typeOption?.length === 1 ? messageTypes[(typeOption[0] ?? 0) - 1] : undefined;
  if (type === undefined) return refused('unknown-type');
  return decoded({
    type,
    op: op === 1 ? 'request' : 'reply',
    xid,
    secs,
    broadcast: (flags & 0x8000) !== 0,
    ciaddr: ciaddr ?? noIpv4,
    yiaddr: yiaddr ?? noIpv4,
    siaddr: siaddr ?? noIpv4,
    giaddr: giaddr ?? noIpv4,
    chaddr,
    options: readOptions(found),
  });
}

/** Option 52 says whether `file` and `sname` hold options, too; they follow the others in this order (RFC 3396, 5). */
function allOptions(
  area: Uint8Array,
  file: Uint8Array,
  serverName: Uint8Array,
): ReadonlyMap<number, Uint8Array> | undefined {
  const found = new Map<number, Uint8Array>();
  if (!collectOptions(area, found)) return undefined;
  const overload = found.get(overloadOption)?.[0] ?? 0;
  if ((overload & 1) !== 0 && !collectOptions(file, found)) return undefined;
  if ((overload & 2) !== 0 && !collectOptions(serverName, found)) return undefined;
  return found;
}
