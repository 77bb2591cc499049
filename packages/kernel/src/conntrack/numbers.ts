/** Numbers of conntrack's netlink interface. */

const SUBSYSTEM = 1 << 8;
export const CT_NEW = SUBSYSTEM | 0;
export const CT_GET = SUBSYSTEM | 1;
export const CT_DELETE = SUBSYSTEM | 2;
export const CT_GET_STATS = SUBSYSTEM | 5;

/** Multicast groups of events. */
export const GROUP_NEW = 1;
export const GROUP_UPDATE = 2;
export const GROUP_DESTROY = 3;

/** Family, version and resource id before the attributes. */
export const HEADER_BYTES = 4;

export const CTA_TUPLE_ORIG = 1;
export const CTA_TUPLE_REPLY = 2;
export const CTA_STATUS = 3;
export const CTA_PROTOINFO = 4;
export const CTA_TIMEOUT = 7;
export const CTA_MARK = 8;
export const CTA_COUNTERS_ORIG = 9;
export const CTA_COUNTERS_REPLY = 10;
export const CTA_ID = 12;
export const CTA_ZONE = 18;

export const CTA_TUPLE_IP = 1;
export const CTA_TUPLE_PROTO = 2;
export const CTA_TUPLE_ZONE = 3;

export const CTA_IP_V4_SRC = 1;
export const CTA_IP_V4_DST = 2;
export const CTA_IP_V6_SRC = 3;
export const CTA_IP_V6_DST = 4;

export const CTA_PROTO_NUM = 1;
export const CTA_PROTO_SRC_PORT = 2;
export const CTA_PROTO_DST_PORT = 3;

export const CTA_PROTOINFO_TCP = 1;
export const CTA_PROTOINFO_TCP_STATE = 1;

export const CTA_COUNTERS_PACKETS = 1;
export const CTA_COUNTERS_BYTES = 2;

export const CTA_STATS_GLOBAL_ENTRIES = 1;
