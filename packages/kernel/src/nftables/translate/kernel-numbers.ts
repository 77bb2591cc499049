/** Numbers of nf_tables that more than one step needs. Those of messages stand in `message-numbers.ts`. */
import type { Family, LogLevel, NatFlag, RejectReason, TimeUnit } from '../model/index.ts';

/** The mark, for meta and for ct alike. */
export const MARK_KEY = 3;

export const LIMIT_OVER = 1;
export const limitTypes = { packets: 0, bytes: 1 } as const;

export const UNIT_SECONDS: Readonly<Record<TimeUnit, number>> = {
  second: 1,
  minute: 60,
  hour: 3600,
  day: 86_400,
  week: 604_800,
};

export const LOG_LEVELS: readonly LogLevel[] = [
  'emerg',
  'alert',
  'crit',
  'err',
  'warn',
  'notice',
  'info',
  'debug',
];

export const NAT_FLAGS: Readonly<Record<NatFlag, number>> = { random: 4, persistent: 8, 'fully-random': 16 };

interface Rejection {
  readonly type: number;
  readonly code: number;
}

/** With ICMP of the table's own family; in an inet table with the codes that the kernel translates for both. */
const unreachable = (ip: number, ip6: number, inet: number): Readonly<Record<Family, Rejection>> => ({
  ip: { type: 0, code: ip },
  ip6: { type: 0, code: ip6 },
  inet: { type: 2, code: inet },
});
const reset: Rejection = { type: 1, code: 0 };

export const rejections: Readonly<Record<RejectReason, Readonly<Record<Family, Rejection>>>> = {
  'no-route': unreachable(0, 0, 0),
  'host-unreachable': unreachable(1, 3, 2),
  'port-unreachable': unreachable(3, 4, 1),
  'admin-prohibited': unreachable(13, 1, 3),
  'tcp-reset': { ip: reset, ip6: reset, inet: reset },
};
