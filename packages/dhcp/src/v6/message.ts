import { ByteReader, ByteWriter, type Decoded, decoded, refused } from '../wire/index.ts';
import { type Dhcp6Options, putDhcp6Options, readDhcp6Options } from './options.ts';

/** The messages between client and server in the order of their numbers (RFC 8415, 7.3). */
const messageTypes = [
  'solicit',
  'advertise',
  'request',
  'confirm',
  'renew',
  'rebind',
  'reply',
  'release',
  'decline',
  'reconfigure',
  'information-request',
] as const;

export type Dhcp6MessageType = (typeof messageTypes)[number];

export interface Dhcp6Message {
  readonly type: Dhcp6MessageType;
  /** 24 bits. */
  readonly transactionId: number;
  readonly options: Dhcp6Options;
}

export const dhcp6Port = { client: 546, server: 547 } as const;

export function encodeDhcp6(message: Dhcp6Message): Uint8Array {
  const writer = new ByteWriter().u8(messageTypes.indexOf(message.type) + 1).u24(message.transactionId);
  putDhcp6Options(writer, message.options);
  return writer.bytes();
}

export function decodeDhcp6(bytes: Uint8Array): Decoded<Dhcp6Message> {
  const reader = new ByteReader(bytes);
  const type = messageTypes[reader.u8() - 1];
  const transactionId = reader.u24();
  if (reader.overrun) return refused('truncated');
  if (type === undefined) return refused('unknown-type');
  const options = readDhcp6Options(reader.rest());
  return options === undefined ? refused('malformed') : decoded({ type, transactionId, options });
}
