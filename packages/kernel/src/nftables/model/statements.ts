/** What a rule is made of: matches first, then what happens to the packet. Plain values; `rules.ts` makes them. */
import type { Scalar } from './data-types.ts';
import type { Expression } from './expressions.ts';
import type { Family } from './family.ts';
import type { Field } from './fields.ts';
import type { InlineMap, InlineSet, Named, Part, Range, Verdict } from './values.ts';

export type Test =
  | { readonly is: 'value'; readonly value: Part; readonly negated: boolean }
  | { readonly is: 'masked'; readonly mask: number; readonly value: number; readonly negated: boolean }
  /** Any of these bits (or, if `present` is false, none of them). */
  | { readonly is: 'bits'; readonly bits: readonly Scalar[]; readonly present: boolean }
  | { readonly is: 'in'; readonly set: Named | InlineSet; readonly negated: boolean };

export interface Match {
  readonly kind: 'match';
  /** One field, or several as a concatenation. */
  readonly fields: readonly Field[];
  readonly test: Test;
}

export interface Decide {
  readonly kind: 'verdict';
  readonly verdict: Verdict;
}

export interface VerdictLookup {
  readonly kind: 'vmap';
  readonly fields: readonly Field[];
  readonly map: Named | InlineMap<Verdict>;
}

export type NatFlag = 'random' | 'fully-random' | 'persistent';

export type PortTarget = number | Range<number>;

export type NatTarget =
  | { readonly address?: string | Range<string>; readonly port?: PortTarget }
  /** The map answers an address, or an address and a port. */
  | { readonly fields: readonly Field[]; readonly map: Named | InlineMap<readonly Scalar[]> };

export interface Nat {
  readonly kind: 'nat';
  readonly direction: 'dnat' | 'snat';
  /** Of the address; where only the port is rewritten, that of the table. */
  readonly family: Family;
  readonly to: NatTarget;
  readonly flags: readonly NatFlag[];
}

export interface Masquerade {
  readonly kind: 'masquerade';
  readonly ports?: PortTarget;
  readonly flags: readonly NatFlag[];
}

export interface Redirect {
  readonly kind: 'redirect';
  readonly port?: PortTarget;
  readonly flags: readonly NatFlag[];
}

export interface TransparentProxy {
  readonly kind: 'tproxy';
  readonly family: 'ip' | 'ip6';
  readonly address?: string;
  readonly port?: number;
}

export type RejectReason =
  | 'port-unreachable'
  | 'host-unreachable'
  | 'no-route'
  | 'admin-prohibited'
  | 'tcp-reset';

export interface Reject {
  readonly kind: 'reject';
  readonly reason: RejectReason;
}

export interface Tally {
  readonly packets: number;
  readonly bytes: number;
}

/** Counts in the rule itself, or (with a name) in a counter of the table. */
export interface Count {
  readonly kind: 'counter';
  readonly name?: string;
  /** What it stands at, in a rule that was read back. */
  readonly tally?: Tally;
}

export type TimeUnit = 'second' | 'minute' | 'hour' | 'day' | 'week';

export interface Limit {
  readonly kind: 'limit';
  readonly rate: number;
  readonly per: TimeUnit;
  readonly of: 'packets' | 'bytes';
  readonly burst: number;
  /** Matches what is above the rate instead of what is below. */
  readonly over: boolean;
}

export type LogLevel = 'emerg' | 'alert' | 'crit' | 'err' | 'warn' | 'notice' | 'info' | 'debug';

export interface Log {
  readonly kind: 'log';
  readonly prefix?: string;
  /** To the kernel log at this level, or to whoever listens on an nflog group. */
  readonly to: { readonly level: LogLevel } | { readonly group: number };
}

export type MarkOf = 'meta' | 'ct';

export interface SetMark {
  readonly kind: 'set-mark';
  readonly of: MarkOf;
  /** A number (of which only the bits in `mask` are written), or the other mark. */
  readonly to: { readonly value: number; readonly mask?: number } | { readonly copyOf: MarkOf };
}

/** Puts what the packet carries into a dynamic set. */
export interface UpdateSet {
  readonly kind: 'update-set';
  /** `update` restarts the timeout of an element that is there already; `add` leaves it. */
  readonly how: 'add' | 'update';
  readonly set: string;
  readonly fields: readonly Field[];
  readonly timeoutMs?: number;
}

export interface NoTrack {
  readonly kind: 'notrack';
}

/** Something in the kernel for which we have no word. It is kept and reported, and can be written back as it is. */
export interface Opaque {
  readonly kind: 'opaque';
  readonly expressions: readonly Expression[];
}

export type Statement =
  | Match
  | Decide
  | VerdictLookup
  | Nat
  | Masquerade
  | Redirect
  | TransparentProxy
  | Reject
  | Count
  | Limit
  | Log
  | SetMark
  | UpdateSet
  | NoTrack
  | Opaque;
