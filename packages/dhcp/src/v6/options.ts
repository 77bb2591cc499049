import {
  ByteReader,
  ByteWriter,
  domainName,
  domainNames,
  type Ipv6,
  ipv6Bytes,
  putDomainName,
  readIpv6,
  textBytes,
  textFrom,
} from '../wire/index.ts';
import { isDuid } from './duid.ts';

/** Numbers of the options (RFC 8415, 21; RFC 3646, 4704, 7083). */
export const dhcp6Option = {
  clientId: 1,
  serverId: 2,
  iaNa: 3,
  iaAddress: 5,
  optionRequest: 6,
  preference: 7,
  elapsedTime: 8,
  statusCode: 13,
  rapidCommit: 14,
  dnsServers: 23,
  domainSearch: 24,
  informationRefresh: 32,
  clientFqdn: 39,
  solMaxRt: 82,
  infMaxRt: 83,
} as const;

/** Status codes that we act on; the rest keep their number. */
export const dhcp6Status = {
  success: 0,
  unspecFail: 1,
  noAddrsAvail: 2,
  noBinding: 3,
  notOnLink: 4,
  useMulticast: 5,
} as const;

export interface Status {
  readonly code: number;
  readonly message: string;
}

export interface IaAddress {
  readonly address: Ipv6;
  readonly preferredSeconds: number;
  readonly validSeconds: number;
  readonly status?: Status;
}

/** An identity association for addresses: what the server holds for one interface of ours. */
export interface IaNa {
  readonly iaid: number;
  readonly renewSeconds: number;
  readonly rebindSeconds: number;
  readonly addresses: readonly IaAddress[];
  readonly status?: Status;
}

export interface ClientFqdn {
  readonly flags: number;
  readonly name: string;
}

export interface Dhcp6Options {
  readonly clientId?: Uint8Array;
  readonly serverId?: Uint8Array;
  readonly iaNas: readonly IaNa[];
  readonly optionRequest?: readonly number[];
  readonly preference?: number;
  /** Hundredths of a second since the client began. */
  readonly elapsedTime?: number;
  readonly status?: Status;
  readonly rapidCommit: boolean;
  readonly dnsServers?: readonly Ipv6[];
  readonly domainSearch?: readonly string[];
  readonly informationRefreshSeconds?: number;
  readonly clientFqdn?: ClientFqdn;
  readonly solMaxRtSeconds?: number;
  readonly infMaxRtSeconds?: number;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Reads an area of options with what each one means; false when one of them reaches past the end. */
function eachOption(area: Uint8Array, visit: (code: number, content: Uint8Array) => void): boolean {
  const reader = new ByteReader(area);
  while (reader.remaining > 0) {
    const code = reader.u16();
    const content = reader.take(reader.u16());
    if (reader.overrun) return false;
    visit(code, content);
  }
  return true;
}

/**
 * The options of a message, or nothing where they do not fit into each other. A known option with broken content counts
 * as not sent, and of one that may come only once the first counts.
 */
export function readDhcp6Options(area: Uint8Array): Dhcp6Options | undefined {
  const iaNas: IaNa[] = [];
  const options: Mutable<Dhcp6Options> = { iaNas, rapidCommit: false };
  let whole = true;
  const complete = eachOption(area, (code, content) => {
    if (code === dhcp6Option.iaNa) {
      const ia = readIaNa(content);
      if (ia === undefined) whole = false;
      else iaNas.push(ia);
    } else if (code === dhcp6Option.rapidCommit) options.rapidCommit = true;
    else Object.assign(options, { ...readPlainOption(code, content), ...options });
  });
  return complete && whole ? options : undefined;
}

function readPlainOption(code: number, content: Uint8Array): Partial<Dhcp6Options> | undefined {
  switch (code) {
    case dhcp6Option.clientId:
      return isDuid(content) ? { clientId: content.slice() } : undefined;
    case dhcp6Option.serverId:
      return isDuid(content) ? { serverId: content.slice() } : undefined;
    case dhcp6Option.statusCode:
      return present('status', readStatus(content));
    case dhcp6Option.dnsServers:
      return present('dnsServers', readAddresses(content));
    case dhcp6Option.domainSearch:
      return present('domainSearch', domainNames(content));
    case dhcp6Option.clientFqdn:
      return present('clientFqdn', readFqdn(content));
    case dhcp6Option.optionRequest:
      return present('optionRequest', readCodes(content));
    default:
      return readNumber(code, content);
  }
}

function present<Key extends keyof Dhcp6Options>(
  key: Key,
  value: Dhcp6Options[Key] | undefined,
): Partial<Dhcp6Options> | undefined {
  return value === undefined ? undefined : { [key]: value };
}

function readNumber(code: number, content: Uint8Array): Partial<Dhcp6Options> | undefined {
  const reader = new ByteReader(content);
  if (code === dhcp6Option.preference && content.length === 1) return { preference: reader.u8() };
  if (code === dhcp6Option.elapsedTime && content.length === 2) return { elapsedTime: reader.u16() };
  if (content.length !== 4) return undefined;
  if (code === dhcp6Option.informationRefresh) return { informationRefreshSeconds: reader.u32() };
  if (code === dhcp6Option.solMaxRt) return { solMaxRtSeconds: reader.u32() };
  if (code === dhcp6Option.infMaxRt) return { infMaxRtSeconds: reader.u32() };
  return undefined;
}

function readStatus(content: Uint8Array): Status | undefined {
  if (content.length < 2) return undefined;
  const code = new ByteReader(content).u16();
  return { code, message: textFrom(content.subarray(2)) ?? '' };
}

function readAddresses(content: Uint8Array): readonly Ipv6[] | undefined {
  if (content.length === 0 || content.length % 16 !== 0) return undefined;
  const reader = new ByteReader(content);
  return Array.from({ length: content.length / 16 }, () => readIpv6(reader));
}

function readCodes(content: Uint8Array): readonly number[] | undefined {
  if (content.length === 0 || content.length % 2 !== 0) return undefined;
  const reader = new ByteReader(content);
  return Array.from({ length: content.length / 2 }, () => reader.u16());
}

function readFqdn(content: Uint8Array): ClientFqdn | undefined {
  if (content.length === 0) return undefined;
  const reader = new ByteReader(content);
  return { flags: reader.u8(), name: domainName(reader) ?? '' };
}

function readIaNa(content: Uint8Array): IaNa | undefined {
  const reader = new ByteReader(content);
  const head = { iaid: reader.u32(), renewSeconds: reader.u32(), rebindSeconds: reader.u32() };
  if (reader.overrun) return undefined;
  const addresses: IaAddress[] = [];
  let status: Status | undefined;
  let whole = true;
  const complete = eachOption(reader.rest(), (code, part) => {
    if (code === dhcp6Option.iaAddress) {
      const address = readIaAddress(part);
      if (address === undefined) whole = false;
      else addresses.push(address);
    } else if (code === dhcp6Option.statusCode) status ??= readStatus(part);
  });
  if (!complete || !whole) return undefined;
  return { ...head, addresses, ...(status === undefined ? {} : { status }) };
}

function readIaAddress(content: Uint8Array): IaAddress | undefined {
  const reader = new ByteReader(content);
  const address = readIpv6(reader);
  const lifetimes = { preferredSeconds: reader.u32(), validSeconds: reader.u32() };
  if (reader.overrun) return undefined;
  let status: Status | undefined;
  const complete = eachOption(reader.rest(), (code, part) => {
    if (code === dhcp6Option.statusCode) status ??= readStatus(part);
  });
  if (!complete) return undefined;
  return { address, ...lifetimes, ...(status === undefined ? {} : { status }) };
}

export function putDhcp6Options(writer: ByteWriter, options: Dhcp6Options): void {
  if (options.clientId !== undefined) put(writer, dhcp6Option.clientId, options.clientId);
  if (options.serverId !== undefined) put(writer, dhcp6Option.serverId, options.serverId);
  for (const ia of options.iaNas) put(writer, dhcp6Option.iaNa, iaNaBytes(ia));
  putList(writer, dhcp6Option.optionRequest, options.optionRequest, (list, code) => list.u16(code));
  putValue(writer, dhcp6Option.preference, options.preference, (value) => Uint8Array.of(value));
  putValue(writer, dhcp6Option.elapsedTime, options.elapsedTime, (value) =>
    new ByteWriter().u16(Math.min(value, 0xffff)).bytes(),
  );
  putValue(writer, dhcp6Option.statusCode, options.status, statusBytes);
  if (options.rapidCommit) put(writer, dhcp6Option.rapidCommit, new Uint8Array(0));
  putList(writer, dhcp6Option.dnsServers, options.dnsServers, (list, server) => list.put(ipv6Bytes(server)));
  putList(writer, dhcp6Option.domainSearch, options.domainSearch, putDomainName);
  putValue(writer, dhcp6Option.informationRefresh, options.informationRefreshSeconds, u32Bytes);
  putValue(writer, dhcp6Option.clientFqdn, options.clientFqdn, fqdnBytes);
  putValue(writer, dhcp6Option.solMaxRt, options.solMaxRtSeconds, u32Bytes);
  putValue(writer, dhcp6Option.infMaxRt, options.infMaxRtSeconds, u32Bytes);
}

function put(writer: ByteWriter, code: number, content: Uint8Array): void {
  writer.u16(code).u16(content.length).put(content);
}

function putValue<T>(
  writer: ByteWriter,
  code: number,
  value: T | undefined,
  bytes: (value: T) => Uint8Array,
): void {
  if (value !== undefined) put(writer, code, bytes(value));
}

function putList<T>(
  writer: ByteWriter,
  code: number,
  values: readonly T[] | undefined,
  putOne: (list: ByteWriter, value: T) => void,
): void {
  if (values === undefined || values.length === 0) return;
  const list = new ByteWriter();
  for (const value of values) putOne(list, value);
  put(writer, code, list.bytes());
}

const u32Bytes = (value: number): Uint8Array => new ByteWriter().u32(value).bytes();

const statusBytes = (status: Status): Uint8Array =>
  new ByteWriter().u16(status.code).put(textBytes(status.message)).bytes();

function fqdnBytes(fqdn: ClientFqdn): Uint8Array {
  const writer = new ByteWriter().u8(fqdn.flags);
  putDomainName(writer, fqdn.name);
  return writer.bytes();
}

function iaNaBytes(ia: IaNa): Uint8Array {
  const writer = new ByteWriter().u32(ia.iaid).u32(ia.renewSeconds).u32(ia.rebindSeconds);
  for (const address of ia.addresses) {
    const inner = new ByteWriter()
      .put(ipv6Bytes(address.address))
      .u32(address.preferredSeconds)
      .u32(address.validSeconds);
    putValue(inner, dhcp6Option.statusCode, address.status, statusBytes);
    put(writer, dhcp6Option.iaAddress, inner.bytes());
  }
  putValue(writer, dhcp6Option.statusCode, ia.status, statusBytes);
  return writer.bytes();
}
