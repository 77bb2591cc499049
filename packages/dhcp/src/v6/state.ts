import type { Ipv6 } from '../wire/index.ts';
import type { Grant6, Lease6 } from './lease.ts';
import type { Dhcp6Message } from './message.ts';
import type { IaAddress } from './options.ts';

/** Who we are and how patient we are. Fixed for the life of a client. */
export interface Dhcp6Config {
  readonly clientId: Uint8Array;
  readonly iaid: number;
  /** What we tell the server to call us; nothing where empty. */
  readonly hostName: string;
  /** The longest pause between two attempts. */
  readonly backoffMaxMs: number;
  /** Give the addresses back when we stop. */
  readonly releaseOnStop: boolean;
}

/** What comes from outside with each event: the time, and chance that nobody can foresee. */
export interface Dhcp6Context {
  /** Never jumps. */
  readonly nowMs: number;
  /** 32 fresh random bits. */
  readonly random: number;
  readonly config: Dhcp6Config;
}

/** Why a message did not count. */
export type Ignored6 =
  | 'unexpected'
  | 'wrong-transaction'
  | 'wrong-client-id'
  | 'wrong-server'
  /** A server without addresses, or one that cannot say anything at the moment. */
  | 'no-addresses'
  | 'unusable';

/** A question that is under way, and when to ask again. */
export interface Exchange6 {
  readonly transactionId: number;
  /** When it was asked first, and last. */
  readonly startedAtMs: number;
  readonly askedAtMs: number;
  readonly sends: number;
  /** The wait before the next send. */
  readonly waitMs: number;
  readonly resendAtMs: number;
  /** When to give up; `Infinity` where something else ends it. */
  readonly endsAtMs: number;
}

interface Common {
  /** The pause after the next failure. */
  readonly backoffMs: number;
  /** The longest pause that servers want, if one has said so. */
  readonly solMaxRtMs: number;
  /** Whether the routers say that addresses come from DHCP here; nothing while none has said anything. */
  readonly managed: boolean | undefined;
  readonly ignored: Readonly<Record<Ignored6, number>>;
}

interface Holding extends Common {
  readonly lease: Lease6;
}

export type Dhcp6State =
  | (Common & { readonly phase: 'init' })
  | (Common & { readonly phase: 'confirming'; readonly exchange: Exchange6; readonly remembered: Lease6 })
  | (Common & { readonly phase: 'soliciting'; readonly exchange: Exchange6 })
  | (Common & {
      readonly phase: 'requesting';
      readonly exchange: Exchange6;
      readonly server: Uint8Array;
      readonly offered: readonly IaAddress[];
      /** What we hold while the server makes a new record of it. */
      readonly held: Lease6 | undefined;
    })
  | (Holding & {
      readonly phase: 'checking';
      /** Addresses of which the kernel does not know yet whether somebody else has them. */
      readonly pending: readonly Ipv6[];
      /** Addresses that go once the new ones can be used. */
      readonly outgoing: readonly Ipv6[];
      readonly untilMs: number;
      /** Is it a new lease, or the old one with other addresses? */
      readonly fresh: boolean;
    })
  | (Holding & { readonly phase: 'bound' })
  | (Holding & { readonly phase: 'renewing'; readonly exchange: Exchange6 })
  | (Holding & { readonly phase: 'rebinding'; readonly exchange: Exchange6 })
  | (Holding & {
      readonly phase: 'declining';
      readonly exchange: Exchange6;
      readonly declined: readonly Ipv6[];
    })
  | (Common & { readonly phase: 'backing-off'; readonly untilMs: number })
  | (Common & { readonly phase: 'releasing'; readonly exchange: Exchange6; readonly released: Lease6 })
  | (Common & { readonly phase: 'stopped' });

export type Dhcp6Phase = Dhcp6State['phase'];

export type InPhase6<Phase extends Dhcp6Phase> = Extract<Dhcp6State, { readonly phase: Phase }>;

/** What the driver tells the client. */
export type Dhcp6Input =
  | { readonly kind: 'start'; readonly remembered: Lease6 | undefined }
  | { readonly kind: 'received'; readonly message: Dhcp6Message }
  /** What the routers say about DHCP, taken together. */
  | { readonly kind: 'routers-say'; readonly managed: boolean }
  /** The time that `wakeAt` asked for has come. */
  | { readonly kind: 'tick' }
  /** What the kernel found out about an address that we added. */
  | { readonly kind: 'usable'; readonly address: Ipv6 }
  | { readonly kind: 'duplicate'; readonly address: Ipv6 }
  | { readonly kind: 'apply-failed'; readonly address: Ipv6 }
  /** Something happened after which the lease may no longer be what it was (the link came back, the clock jumped). */
  | { readonly kind: 'doubt' }
  | { readonly kind: 'stop' };

export type Dhcp6Timer =
  | 'address-expired'
  | 'backoff-over'
  | 'checked-enough'
  | 'give-up'
  | 'rebind'
  | 'renew'
  | 'resend';

/** Events that carry nothing, one type each, so that the table can tell them apart. */
type Bare<Kinds extends string> = { readonly [Kind in Kinds]: { readonly kind: Kind } }[Kinds];

/** The same for events about one address. */
type About<Kinds extends string> = {
  readonly [Kind in Kinds]: { readonly kind: Kind; readonly address: Ipv6 };
}[Kinds];

/** Events as the table knows them: inputs after a look at whether they concern us, and timers by name. */
export type Dhcp6Event =
  | { readonly kind: 'start'; readonly remembered: Lease6 | undefined }
  | { readonly kind: 'advertise'; readonly server: Uint8Array; readonly addresses: readonly IaAddress[] }
  | { readonly kind: 'granted'; readonly grant: Grant6 }
  | { readonly kind: 'no-binding'; readonly server: Uint8Array }
  | About<'usable' | 'duplicate' | 'apply-failed'>
  | Bare<'denied' | 'confirmed' | 'acknowledged' | 'managed' | 'doubt' | 'stop' | Dhcp6Timer>;

/** Why an attempt or a lease ended. */
export type Loss6 =
  | 'no-advertise'
  | 'no-reply'
  | 'denied'
  | 'withdrawn'
  | 'expired'
  | 'duplicate'
  | 'apply-failed';

export type Report6 =
  | { readonly kind: 'acquired'; readonly lease: Lease6 }
  | { readonly kind: 'renewed'; readonly lease: Lease6 }
  /**
   * The cycle failed; the next one begins after `backoffMs`. `expected`: nobody answers, and no router has said that
   * addresses come from DHCP here, so nobody needs to worry.
   */
  | { readonly kind: 'lost'; readonly reason: Loss6; readonly backoffMs: number; readonly expected: boolean }
  /** A cycle begins that is not the first one. */
  | { readonly kind: 'restarted' }
  /** Somebody else uses an address that we were given. */
  | { readonly kind: 'conflict'; readonly address: Ipv6 }
  | { readonly kind: 'released'; readonly lease: Lease6 };

/** What the driver has to do, in this order. */
export type Dhcp6Action =
  /** To all servers on the link. */
  | { readonly kind: 'send'; readonly message: Dhcp6Message }
  /**
   * Make the interface own the address, and say `usable`, `duplicate` or `apply-failed` later; or, where it owns it, only
   * move its times on.
   */
  | {
      readonly kind: 'put-address';
      readonly address: Ipv6;
      readonly preferredUntilMs: number;
      readonly validUntilMs: number;
    }
  | { readonly kind: 'drop-address'; readonly address: Ipv6 }
  /** Tell the neighbours that the address is here now. */
  | { readonly kind: 'announce'; readonly address: Ipv6 }
  /** Keep the lease for the next start, or forget it. */
  | { readonly kind: 'remember'; readonly lease: Lease6 }
  | { readonly kind: 'forget' }
  | { readonly kind: 'report'; readonly report: Report6 };
