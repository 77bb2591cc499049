/** Routes as values, and their form on the wire. */
import {
  anyIpv4,
  anyIpv6,
  bitsOf,
  type Cidr,
  familyOf,
  type IpAddress,
  type IpFamily,
  ipBytes,
} from '../ip/index.ts';
import {
  Attributes,
  familyFromNumber,
  familyHeader,
  familyNumber,
  MessageWriter,
  malformed,
  type NetlinkMessage,
  nameOf,
  numberIn,
} from '../netlink/index.ts';
import { ipAttribute, ipValue } from './ip-attribute.ts';

const HEADER_BYTES = 12;
const NEXT_HOP_BYTES = 8;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_PREFSRC = 7;
const RTA_METRICS = 8;
const RTA_MULTIPATH = 9;
const RTA_CACHEINFO = 12;
const RTA_TABLE = 15;
const RTA_VIA = 18;
const RTAX_MTU = 2;
const RTNH_F_ONLINK = 4;
const RTM_F_CLONED = 0x200;
const RTM_F_LOOKUP_TABLE = 0x1000;
/** Clock ticks of every interface to user space. */
const TICKS_A_SECOND = 100;

export const MAIN_TABLE = 254;

/** Who wrote a route. Numbers of one's own (above 3, not in here) tell a program's own routes apart. */
export const routeProtocols = {
  unspecified: 0,
  redirect: 1,
  kernel: 2,
  boot: 3,
  static: 4,
  routerAdvertisement: 9,
  dhcp: 16,
} as const;

const scopes = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const;
export type RouteScope = keyof typeof scopes;

const types = {
  unspecified: 0,
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
} as const;
export type RouteType = keyof typeof types;

export interface NextHop {
  /** May be of the other family: an IPv4 route by way of an IPv6 router. */
  readonly gateway: IpAddress | undefined;
  readonly link: number | undefined;
  /** The gateway is taken to be on the link although no address there says so. */
  readonly onLink: boolean;
  /** Its share of the traffic, compared with the other hops: 1 to 256. */
  readonly weight: number;
}

export interface Route extends NextHop {
  readonly destination: Cidr;
  readonly table: number;
  /** The lower one wins. IPv6 makes 1024 of "none given". */
  readonly metric: number;
  /** See `routeProtocols`. */
  readonly protocol: number;
  readonly scope: RouteScope | `${number}`;
  readonly type: RouteType | `${number}`;
  /** The address that we speak from by this route, if it is laid down. */
  readonly source: IpAddress | undefined;
  readonly mtu: number | undefined;
  /** Until the kernel drops it (routes from router advertisements). */
  readonly expiresSeconds: number | undefined;
  /** The second and further next hops of a route over several. */
  readonly otherHops: readonly NextHop[];
}

/** What a new route needs; a `Route` that was read is one, too. */
export type NewRoute = Pick<Route, 'destination'> & Partial<Omit<Route, 'destination' | 'expiresSeconds'>>;

/** Like `readRoute`, but for what the kernel only notes down for itself about single destinations. */
export function readStoredRoute(message: NetlinkMessage): Route | undefined {
  const flags = familyHeader(message.payload, HEADER_BYTES).readUInt32LE(8);
  return (flags & RTM_F_CLONED) === 0 ? readRoute(message) : undefined;
}

export function readRoute({ payload }: NetlinkMessage): Route | undefined {
  const header = familyHeader(payload, HEADER_BYTES);
  const family = familyFromNumber(header.readUInt8(0));
  if (family === undefined) return undefined;
  const attributes = Attributes.after(payload, HEADER_BYTES);
  const several = attributes.binary(RTA_MULTIPATH);
  const only: NextHop = {
    gateway: readGateway(attributes),
    link: attributes.u32(RTA_OIF),
    onLink: (header.readUInt32LE(8) & RTNH_F_ONLINK) !== 0,
    weight: 1,
  };
  const [first = only, ...otherHops] = several === undefined ? [] : readNextHops(several);
  return {
    destination: {
      address: ipAttribute(attributes, RTA_DST) ?? anyOf(family),
      prefixLength: header.readUInt8(1),
    },
    ...first,
    otherHops,
    table: attributes.u32(RTA_TABLE) ?? header.readUInt8(4),
    metric: attributes.u32(RTA_PRIORITY) ?? 0,
    protocol: header.readUInt8(5),
    scope: nameOf(scopes, header.readUInt8(6)),
    type: nameOf(types, header.readUInt8(7)),
    source: ipAttribute(attributes, RTA_PREFSRC),
    mtu: attributes.nested(RTA_METRICS)?.u32(RTAX_MTU),
    expiresSeconds: readExpiry(attributes.binary(RTA_CACHEINFO)),
  };
}

const anyOf = (family: IpFamily): IpAddress => (family === 4 ? anyIpv4 : anyIpv6);

function readGateway(attributes: Attributes): IpAddress | undefined {
  const gateway = ipAttribute(attributes, RTA_GATEWAY);
  if (gateway !== undefined) return gateway;
  const via = attributes.binary(RTA_VIA);
  return via === undefined ? undefined : ipValue(via.subarray(2));
}

function readNextHops(bytes: Buffer): NextHop[] {
  const hops: NextHop[] = [];
  for (let at = 0; bytes.length - at >= NEXT_HOP_BYTES; ) {
    const length = bytes.readUInt16LE(at);
    if (length < NEXT_HOP_BYTES || length > bytes.length - at) {
      throw malformed(`a next hop claims ${length} bytes of the ${bytes.length - at} that are left`);
    }
    hops.push({
      gateway: readGateway(new Attributes(bytes.subarray(at + NEXT_HOP_BYTES, at + length))),
      link: bytes.readInt32LE(at + 4),
      onLink: (bytes.readUInt8(at + 2) & RTNH_F_ONLINK) !== 0,
      weight: bytes.readUInt8(at + 3) + 1,
    });
    at += (length + 3) & ~3;
  }
  return hops;
}

function readExpiry(cacheInfo: Buffer | undefined): number | undefined {
  if (cacheInfo === undefined || cacheInfo.length < 12) return undefined;
  const ticks = cacheInfo.readInt32LE(8);
  return ticks === 0 ? undefined : Math.max(0, Math.floor(ticks / TICKS_A_SECOND));
}

export interface RouteFilter {
  readonly family?: IpFamily;
  readonly table?: number;
  readonly link?: number;
  readonly protocol?: number;
  readonly type?: RouteType;
  readonly destination?: Cidr;
}

/** The question for many routes. The kernel filters by what stands here, if it is newer than 4.19. */
export function writeRouteQuestion(writer: MessageWriter, filter: RouteFilter): void {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(familyNumber(filter.family), 0);
  header.writeUInt8(filter.protocol ?? 0, 5);
  header.writeUInt8(types[filter.type ?? 'unspecified'], 7);
  writer.raw(header);
  if (filter.table !== undefined) writer.u32(RTA_TABLE, filter.table);
  if (filter.link !== undefined) writer.u32(RTA_OIF, filter.link);
}

/** The question which route a packet to `destination` takes. */
export function writeLookUp(writer: MessageWriter, destination: IpAddress, link: number | undefined): void {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(familyNumber(familyOf(destination)), 0);
  header.writeUInt8(bitsOf(familyOf(destination)), 1);
  // IPv4 names the true table only on request; IPv6 does so always, and refuses the request.
  if (familyOf(destination) === 4) header.writeUInt32LE(RTM_F_LOOKUP_TABLE, 8);
  writer.raw(header);
  writer.binary(RTA_DST, ipBytes(destination));
  if (link !== undefined) writer.u32(RTA_OIF, link);
}

export function writeRoute(writer: MessageWriter, route: NewRoute): void {
  const { otherHops = [], mtu } = route;
  writeHeader(writer, route, scopeNumber(route), otherHops.length === 0 && route.onLink === true);
  writeCommon(writer, route);
  if (otherHops.length === 0) {
    writeGateway(writer, route, familyOf(route.destination.address));
    if (route.link !== undefined) writer.u32(RTA_OIF, route.link);
  } else {
    const { gateway, link, onLink = false, weight = 1 } = route;
    const first: NextHop = { gateway, link, onLink, weight };
    writer.binary(RTA_MULTIPATH, nextHopBytes([first, ...otherHops], familyOf(route.destination.address)));
  }
  if (route.source !== undefined) writer.binary(RTA_PREFSRC, ipBytes(route.source));
  if (mtu !== undefined) writer.nested(RTA_METRICS, () => writer.u32(RTAX_MTU, mtu));
}

/** Names a route well enough to delete it and no other: what is not given is not compared. */
export function writeRouteRemoval(writer: MessageWriter, route: NewRoute): void {
  writeHeader(
    writer,
    { ...route, protocol: route.protocol ?? 0, type: route.type ?? 'unspecified' },
    scopes.nowhere,
  );
  writeCommon(writer, route);
  if ((route.otherHops ?? []).length > 0) return;
  writeGateway(writer, route, familyOf(route.destination.address));
  if (route.link !== undefined) writer.u32(RTA_OIF, route.link);
}

function writeHeader(writer: MessageWriter, route: NewRoute, scope: number, onLink = false): void {
  const { address, prefixLength } = route.destination;
  const table = route.table ?? MAIN_TABLE;
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(familyNumber(familyOf(address)), 0);
  header.writeUInt8(prefixLength, 1);
  // Tables beyond 255 stand in their attribute alone.
  header.writeUInt8(table > 255 ? 0 : table, 4);
  header.writeUInt8(route.protocol ?? routeProtocols.static, 5);
  header.writeUInt8(scope, 6);
  header.writeUInt8(numberIn(types, route.type ?? 'unicast'), 7);
  header.writeUInt32LE(onLink ? RTNH_F_ONLINK : 0, 8);
  writer.raw(header);
}

function writeCommon(writer: MessageWriter, route: NewRoute): void {
  writer.u32(RTA_TABLE, route.table ?? MAIN_TABLE);
  if (route.destination.prefixLength > 0) writer.binary(RTA_DST, ipBytes(route.destination.address));
  if (route.metric !== undefined && route.metric !== 0) writer.u32(RTA_PRIORITY, route.metric);
}

/** How far away the next thing is. Only IPv4 asks for it, and refuses a gateway that is not farther than the link. */
function scopeNumber(route: NewRoute): number {
  if (route.scope !== undefined) return numberIn(scopes, route.scope);
  if (familyOf(route.destination.address) === 6) return scopes.global;
  if (route.type === 'local') return scopes.host;
  const direct = route.gateway === undefined && (route.otherHops ?? []).length === 0;
  return direct && (route.type ?? 'unicast') === 'unicast' ? scopes.link : scopes.global;
}

function writeGateway(writer: MessageWriter, { gateway }: Partial<NextHop>, family: IpFamily): void {
  if (gateway === undefined) return;
  const bytes = ipBytes(gateway);
  if (familyOf(gateway) === family) {
    writer.binary(RTA_GATEWAY, bytes);
    return;
  }
  const via = Buffer.alloc(2 + bytes.length);
  via.writeUInt16LE(familyNumber(familyOf(gateway)), 0);
  via.set(bytes, 2);
  writer.binary(RTA_VIA, via);
}

function nextHopBytes(hops: readonly NextHop[], family: IpFamily): Buffer {
  return Buffer.concat(
    hops.map((hop) => {
      const attributes = new MessageWriter(64);
      writeGateway(attributes, hop, family);
      const header = Buffer.alloc(NEXT_HOP_BYTES);
      header.writeUInt16LE(NEXT_HOP_BYTES + attributes.length, 0);
      header.writeUInt8(hop.onLink ? RTNH_F_ONLINK : 0, 2);
      header.writeUInt8(hop.weight - 1, 3);
      header.writeInt32LE(hop.link ?? 0, 4);
      return Buffer.concat([header, attributes.bytes]);
    }),
  );
}
