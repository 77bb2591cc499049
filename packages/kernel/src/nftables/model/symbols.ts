/** Names of the numbers that rules speak of, as `nft` writes them. A number without a name stays a number. */
export interface Symbols {
  numberOf(name: string): number | undefined;
  nameOf(value: number): string | undefined;
}

export function symbols(names: Readonly<Record<string, number>>): Symbols {
  const byName = new Map(Object.entries(names));
  const byNumber = new Map(Object.entries(names).map(([name, value]) => [value, name]));
  return { numberOf: (name) => byName.get(name), nameOf: (value) => byNumber.get(value) };
}

export const protocols = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  gre: 47,
  esp: 50,
  ah: 51,
  'ipv6-icmp': 58,
  sctp: 132,
} as const;

export const networkProtocols = { ipv4: 2, ipv6: 10 } as const;

/** Bits: a connection is in exactly one state. */
export const connectionStates = { invalid: 1, established: 2, related: 4, new: 8, untracked: 0x40 } as const;

/** Bits: any number of them are set. */
export const connectionStatus = {
  expected: 1,
  'seen-reply': 2,
  assured: 4,
  confirmed: 8,
  snat: 0x10,
  dnat: 0x20,
  dying: 0x200,
} as const;

export const directions = { original: 0, reply: 1 } as const;

export const addressTypes = {
  unspec: 0,
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
} as const;

export const packetTypes = { host: 0, broadcast: 1, multicast: 2, other: 3 } as const;

export const icmpTypes = {
  'echo-reply': 0,
  'destination-unreachable': 3,
  redirect: 5,
  'echo-request': 8,
  'router-advertisement': 9,
  'router-solicitation': 10,
  'time-exceeded': 11,
  'parameter-problem': 12,
} as const;

export const icmpv6Types = {
  'destination-unreachable': 1,
  'packet-too-big': 2,
  'time-exceeded': 3,
  'parameter-problem': 4,
  'echo-request': 128,
  'echo-reply': 129,
  'mld-listener-query': 130,
  'mld-listener-report': 131,
  'mld-listener-done': 132,
  'nd-router-solicit': 133,
  'nd-router-advert': 134,
  'nd-neighbor-solicit': 135,
  'nd-neighbor-advert': 136,
  'nd-redirect': 137,
  'mld2-listener-report': 143,
} as const;
