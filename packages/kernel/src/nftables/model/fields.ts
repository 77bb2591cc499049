/** What a rule can look at, as `nft` names it: where the kernel loads it from and what has to be known before. */
import { type DataType, dataTypes, type ScalarOf } from './data-types.ts';
import type { Family } from './family.ts';

/** Where a value comes from, in the kernel's numbers. */
export type Source =
  | { readonly from: 'meta'; readonly key: number }
  | { readonly from: 'payload'; readonly base: number; readonly offset: number }
  | { readonly from: 'ct'; readonly key: number; readonly direction?: number }
  | { readonly from: 'fib'; readonly result: number; readonly flags: number };

interface FieldRow {
  readonly type: DataType;
  readonly source: Source;
  /** The field exists in packets of this network protocol only. */
  readonly network?: 'ipv4' | 'ipv6';
  /** The field exists in packets of this transport protocol only. */
  readonly transport?: 'tcp' | 'udp' | 'icmp' | 'ipv6-icmp';
}

const NETWORK_HEADER = 1;
const TRANSPORT_HEADER = 2;
const network = (offset: number): Source => ({ from: 'payload', base: NETWORK_HEADER, offset });
const transport = (offset: number): Source => ({ from: 'payload', base: TRANSPORT_HEADER, offset });
const meta = (key: number): Source => ({ from: 'meta', key });
const ct = (key: number): Source => ({ from: 'ct', key });
const original = (key: number): Source => ({ from: 'ct', key, direction: 0 });
const reply = (key: number): Source => ({ from: 'ct', key, direction: 1 });

const FIB_SOURCE = 1;
const FIB_DESTINATION = 2;
const FIB_INPUT_INTERFACE = 8;
const fib = (flags: number): Source => ({ from: 'fib', result: 3, flags });

const CT_SOURCE_V4 = 19;
const CT_DESTINATION_V4 = 20;
const CT_SOURCE_V6 = 21;
const CT_DESTINATION_V6 = 22;

const fields = {
  iifname: { type: 'ifname', source: meta(6) },
  oifname: { type: 'ifname', source: meta(7) },
  'meta mark': { type: 'mark', source: meta(3) },
  'meta nfproto': { type: 'nf_proto', source: meta(15) },
  'meta l4proto': { type: 'inet_proto', source: meta(16) },
  'meta pkttype': { type: 'pkt_type', source: meta(19) },
  'fib saddr type': { type: 'fib_addrtype', source: fib(FIB_SOURCE) },
  'fib daddr type': { type: 'fib_addrtype', source: fib(FIB_DESTINATION) },
  'fib daddr . iif type': { type: 'fib_addrtype', source: fib(FIB_DESTINATION | FIB_INPUT_INTERFACE) },
  'ip protocol': { type: 'inet_proto', source: network(9), network: 'ipv4' },
  'ip saddr': { type: 'ipv4_addr', source: network(12), network: 'ipv4' },
  'ip daddr': { type: 'ipv4_addr', source: network(16), network: 'ipv4' },
  'ip6 nexthdr': { type: 'inet_proto', source: network(6), network: 'ipv6' },
  'ip6 saddr': { type: 'ipv6_addr', source: network(8), network: 'ipv6' },
  'ip6 daddr': { type: 'ipv6_addr', source: network(24), network: 'ipv6' },
  'icmp type': { type: 'icmp_type', source: transport(0), network: 'ipv4', transport: 'icmp' },
  'icmpv6 type': { type: 'icmpv6_type', source: transport(0), network: 'ipv6', transport: 'ipv6-icmp' },
  'tcp sport': { type: 'inet_service', source: transport(0), transport: 'tcp' },
  'tcp dport': { type: 'inet_service', source: transport(2), transport: 'tcp' },
  'udp sport': { type: 'inet_service', source: transport(0), transport: 'udp' },
  'udp dport': { type: 'inet_service', source: transport(2), transport: 'udp' },
  'th sport': { type: 'inet_service', source: transport(0) },
  'th dport': { type: 'inet_service', source: transport(2) },
  'ct state': { type: 'ct_state', source: ct(0) },
  'ct direction': { type: 'ct_dir', source: ct(1) },
  'ct status': { type: 'ct_status', source: ct(2) },
  'ct mark': { type: 'mark', source: ct(3) },
  'ct original ip saddr': { type: 'ipv4_addr', source: original(CT_SOURCE_V4) },
  'ct original ip daddr': { type: 'ipv4_addr', source: original(CT_DESTINATION_V4) },
  'ct original ip6 saddr': { type: 'ipv6_addr', source: original(CT_SOURCE_V6) },
  'ct original ip6 daddr': { type: 'ipv6_addr', source: original(CT_DESTINATION_V6) },
  'ct reply ip saddr': { type: 'ipv4_addr', source: reply(CT_SOURCE_V4) },
  'ct reply ip daddr': { type: 'ipv4_addr', source: reply(CT_DESTINATION_V4) },
  'ct reply ip6 saddr': { type: 'ipv6_addr', source: reply(CT_SOURCE_V6) },
  'ct reply ip6 daddr': { type: 'ipv6_addr', source: reply(CT_DESTINATION_V6) },
} as const satisfies Readonly<Record<string, FieldRow>>;

export type Field = keyof typeof fields;

/** What a match on this field compares it with. */
export type FieldValue<F extends Field> = ScalarOf[(typeof fields)[F]['type']];

export const fieldRow = (field: Field): FieldRow => fields[field];

export const fieldBytes = (field: Field): number => dataTypes[fieldRow(field).type].bytes;

/** A match that has to stand before a field may be read. */
export interface Need {
  readonly field: 'meta nfproto' | 'meta l4proto';
  readonly value: string;
}

/** What has to be known of a packet before these fields are read, in the order in which `nft` asks for it. */
export function needsOf(family: Family, read: readonly Field[]): readonly Need[] {
  const needs: Need[] = [];
  const add = (need: Need): void => {
    if (!needs.some(({ field, value }) => field === need.field && value === need.value)) needs.push(need);
  };
  for (const row of read.map(fieldRow)) {
    if (row.network !== undefined && family === 'inet') add({ field: 'meta nfproto', value: row.network });
    if (row.transport !== undefined) add({ field: 'meta l4proto', value: row.transport });
  }
  return needs;
}

/** Can a table of this family read the field at all? */
export function exists(family: Family, field: Field): boolean {
  const { network: wanted } = fieldRow(field);
  return wanted === undefined || family === 'inet' || (family === 'ip') === (wanted === 'ipv4');
}

const bySource: ReadonlyMap<string, readonly Field[]> = Map.groupBy(
  Object.keys(fields).map((name) => name as Field),
  (field) => sourceKey(fieldRow(field).source),
);

function sourceKey(source: Source): string {
  switch (source.from) {
    case 'meta':
      return `meta ${source.key}`;
    case 'payload':
      return `payload ${source.base} ${source.offset}`;
    case 'ct':
      return `ct ${source.key} ${source.direction ?? ''}`;
    case 'fib':
      return `fib ${source.result} ${source.flags}`;
  }
}

/** All fields that come from there; which of them is meant depends on what is known of the packet. */
export const fieldsFrom = (source: Source): readonly Field[] => bySource.get(sourceKey(source)) ?? [];
