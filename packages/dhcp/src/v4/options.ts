import { ByteReader, ByteWriter, type Ipv4 } from '../wire/index.ts';
import {
  type ClasslessRoute,
  classlessRoutes,
  codes,
  domainSearch,
  ipv4,
  ipv4List,
  type OptionFormat,
  raw,
  type StaticRoute,
  staticRoutes,
  text,
  u16,
  u32,
} from './option-formats.ts';

interface OptionRow<T> {
  readonly code: number;
  readonly format: OptionFormat<T>;
}

/** Every option that we read or write, by the name that it has in our messages. */
interface OptionValues {
  readonly subnetMask: Ipv4;
  readonly routers: readonly Ipv4[];
  readonly dnsServers: readonly Ipv4[];
  readonly hostName: string;
  readonly domainName: string;
  readonly interfaceMtu: number;
  readonly broadcastAddress: Ipv4;
  readonly staticRoutes: readonly StaticRoute[];
  readonly ntpServers: readonly Ipv4[];
  readonly requestedAddress: Ipv4;
  readonly leaseSeconds: number;
  readonly serverId: Ipv4;
  readonly parameterRequest: readonly number[];
  readonly message: string;
  readonly maxMessageSize: number;
  readonly renewalSeconds: number;
  readonly rebindingSeconds: number;
  readonly vendorClass: Uint8Array;
  readonly clientId: Uint8Array;
  readonly clientFqdn: Uint8Array;
  readonly domainSearch: readonly string[];
  readonly classlessRoutes: readonly ClasslessRoute[];
}

export type Dhcp4OptionName = keyof OptionValues;
export type Dhcp4Options = Partial<OptionValues>;

const rows: { readonly [Name in Dhcp4OptionName]: OptionRow<OptionValues[Name]> } = {
  subnetMask: { code: 1, format: ipv4 },
  routers: { code: 3, format: ipv4List },
  dnsServers: { code: 6, format: ipv4List },
  hostName: { code: 12, format: text },
  domainName: { code: 15, format: text },
  interfaceMtu: { code: 26, format: u16 },
  broadcastAddress: { code: 28, format: ipv4 },
  staticRoutes: { code: 33, format: staticRoutes },
  ntpServers: { code: 42, format: ipv4List },
  requestedAddress: { code: 50, format: ipv4 },
  leaseSeconds: { code: 51, format: u32 },
  serverId: { code: 54, format: ipv4 },
  parameterRequest: { code: 55, format: codes },
  message: { code: 56, format: text },
  maxMessageSize: { code: 57, format: u16 },
  renewalSeconds: { code: 58, format: u32 },
  rebindingSeconds: { code: 59, format: u32 },
  vendorClass: { code: 60, format: raw },
  clientId: { code: 61, format: raw },
  clientFqdn: { code: 81, format: raw },
  domainSearch: { code: 119, format: domainSearch },
  classlessRoutes: { code: 121, format: classlessRoutes },
};

const optionNames = Object.keys(rows) as Dhcp4OptionName[];

/** The number of an option, for parameter request lists. */
export const optionCode = (name: Dhcp4OptionName): number => rows[name].code;

const pad = 0;
const end = 255;
export const overloadOption = 52;
export const messageTypeOption = 53;

/**
 * Adds the options of one area of a message to `found`. Pieces of an option that came in several parts are joined in
 * the order in which they appear (RFC 3396). False when an option reaches past the end of the area.
 */
export function collectOptions(area: Uint8Array, found: Map<number, Uint8Array>): boolean {
  const reader = new ByteReader(area);
  while (reader.remaining > 0) {
    const code = reader.u8();
    if (code === end) return true;
    if (code === pad) continue;
    const content = reader.take(reader.u8());
    if (reader.overrun) return false;
    const before = found.get(code);
    found.set(code, before === undefined ? content : joined(before, content));
  }
  return true;
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  return new ByteWriter().put(left).put(right).bytes();
}

/** The options that we know, read. One whose content does not fit its format counts as not sent. */
export function readOptions(found: ReadonlyMap<number, Uint8Array>): Dhcp4Options {
  const options: { [Name in Dhcp4OptionName]?: OptionValues[Name] } = {};
  for (const name of optionNames) readNamed(found, name, options);
  return options;
}

function readNamed<Name extends Dhcp4OptionName>(
  found: ReadonlyMap<number, Uint8Array>,
  name: Name,
  options: { [Key in Dhcp4OptionName]?: OptionValues[Key] },
): void {
  const content = found.get(rows[name].code);
  const value = content === undefined ? undefined : rows[name].format.decode(content);
  if (value !== undefined) options[name] = value;
}

/** Writes the options in the order of their codes, long ones in parts of 255 bytes (RFC 3396), and the end mark. */
export function putOptions(writer: ByteWriter, messageType: number, options: Dhcp4Options): void {
  putOption(writer, messageTypeOption, Uint8Array.of(messageType));
  for (const name of optionNames) putNamed(writer, name, options);
  writer.u8(end);
}

function putNamed<Name extends Dhcp4OptionName>(writer: ByteWriter, name: Name, options: Dhcp4Options): void {
  const value: OptionValues[Name] | undefined = options[name];
  if (value !== undefined) putOption(writer, rows[name].code, rows[name].format.encode(value));
}

/** An option without content says nothing, and most formats forbid it: it is left out. */
function putOption(writer: ByteWriter, code: number, content: Uint8Array): void {
  for (let at = 0; at < content.length; at += 255) {
    const part = content.subarray(at, at + 255);
    writer.u8(code).u8(part.length).put(part);
  }
}
