import type { ArpPacket } from '../frames/index.ts';
import type { Ipv4, Mac } from '../wire/index.ts';
import type { Address4, Lease4 } from './lease.ts';
import type { Dhcp4Message } from './message.ts';
import type { ClasslessRoute } from './option-formats.ts';

/** Who we are and how patient we are. Fixed for the life of a client. */
export interface Dhcp4Config {
  readonly mac: Mac;
  /** Option 12; left out where empty. */
  readonly hostName: string;
  /** Option 61; without one the server goes by the MAC. */
  readonly clientId: Uint8Array | undefined;
  /** The longest pause between two attempts. */
  readonly backoffMaxMs: number;
  /** Give the address back when we stop. */
  readonly releaseOnStop: boolean;
  /** What the interface had before us, and gets back while there is no lease. */
  readonly fallback: readonly Address4[];
}

/** What comes from outside with each event: the time, and chance that nobody can foresee. */
export interface Moment {
  /** Never jumps. */
  readonly nowMs: number;
  /** 32 fresh random bits. */
  readonly random: number;
}

export interface Dhcp4Context extends Moment {
  readonly config: Dhcp4Config;
}

/** Why a message did not count. */
export type Ignored4 =
  | 'unexpected'
  | 'wrong-client-id'
  | 'wrong-mac'
  | 'wrong-server'
  | 'wrong-xid'
  | 'unusable';

/** A question that is under way, and when to ask again. */
export interface Exchange {
  readonly xid: number;
  /** When this question was asked first: a lease runs from here. */
  readonly askedAtMs: number;
  readonly sends: number;
  readonly resendAtMs: number;
  /** When to give up; `Infinity` where something else ends it. */
  readonly endsAtMs: number;
}

export interface Offer4 {
  readonly address: Ipv4;
  readonly server: Ipv4;
}

/** What a client carries through all of its phases. */
interface Common {
  /** The pause after the next failure. */
  readonly backoffMs: number;
  readonly ignored: Readonly<Record<Ignored4, number>>;
}

/** Holding an address, and how often its owner still has to be announced. */
interface Holding extends Common {
  readonly lease: Lease4;
  readonly announcements: { readonly left: number; readonly atMs: number };
  /** When we last stood up for our address. */
  readonly defendedAtMs: number;
}

/** Trying on a lease that was granted, while an older one may still be in use. */
interface Trying extends Common {
  readonly candidate: Lease4;
  readonly held: Lease4 | undefined;
}

export type Dhcp4State =
  | (Common & { readonly phase: 'init' })
  | (Common & { readonly phase: 'rebooting'; readonly exchange: Exchange; readonly remembered: Lease4 })
  | (Common & { readonly phase: 'selecting'; readonly exchange: Exchange })
  | (Common & { readonly phase: 'requesting'; readonly exchange: Exchange; readonly offer: Offer4 })
  | (Trying & { readonly phase: 'probing'; readonly probesLeft: number; readonly probeAtMs: number })
  | (Trying & { readonly phase: 'applying' })
  | (Holding & { readonly phase: 'bound' })
  | (Holding & { readonly phase: 'renewing'; readonly exchange: Exchange })
  | (Holding & { readonly phase: 'rebinding'; readonly exchange: Exchange })
  | (Common & { readonly phase: 'backing-off'; readonly untilMs: number })
  | (Common & { readonly phase: 'stopped' });

export type Dhcp4Phase = Dhcp4State['phase'];

export type InPhase<Phase extends Dhcp4Phase> = Extract<Dhcp4State, { readonly phase: Phase }>;

/** What the driver tells the client. */
export type Dhcp4Input =
  | { readonly kind: 'start'; readonly remembered: Lease4 | undefined }
  | { readonly kind: 'received'; readonly message: Dhcp4Message; readonly sourceMac: Mac }
  | { readonly kind: 'heard-arp'; readonly packet: ArpPacket }
  /** The time that `wakeAt` asked for has come. */
  | { readonly kind: 'tick' }
  /** The last `add-address` is done, or cannot be done. */
  | { readonly kind: 'applied'; readonly address: Ipv4 }
  | { readonly kind: 'apply-failed'; readonly address: Ipv4 }
  /** Something happened after which the lease may no longer be what it was (the link came back, the clock jumped). */
  | { readonly kind: 'doubt' }
  | { readonly kind: 'stop' };

/** Events as the table knows them: inputs after a look at whether they concern us, and timers by name. */
export type Dhcp4Event =
  | { readonly kind: 'start'; readonly remembered: Lease4 | undefined }
  | { readonly kind: 'offer'; readonly offer: Offer4 }
  | { readonly kind: 'ack'; readonly lease: Lease4 }
  | { readonly kind: 'nak' }
  | { readonly kind: 'conflict'; readonly mac: Mac }
  | Bare<'applied' | 'apply-failed' | 'doubt' | 'stop' | Dhcp4Timer>;

/** Events that carry nothing, one type each, so that the table can tell them apart. */
type Bare<Kinds extends string> = { readonly [Kind in Kinds]: { readonly kind: Kind } }[Kinds];

export type Dhcp4Timer =
  | 'announce'
  | 'backoff-over'
  | 'candidate-expired'
  | 'expired'
  | 'give-up'
  | 'probe'
  | 'rebind'
  | 'renew'
  | 'resend';

/** Why an attempt or a lease ended. */
export type Loss4 = 'no-offer' | 'no-ack' | 'nak' | 'expired' | 'conflict' | 'apply-failed';

export type Report4 =
  | { readonly kind: 'acquired'; readonly lease: Lease4 }
  | { readonly kind: 'renewed'; readonly lease: Lease4 }
  /** The cycle failed; the next one begins after `backoffMs`. */
  | { readonly kind: 'lost'; readonly reason: Loss4; readonly backoffMs: number }
  /** A cycle begins that is not the first one. */
  | { readonly kind: 'restarted' }
  /** Somebody else uses our address. */
  | { readonly kind: 'conflict'; readonly address: Ipv4; readonly mac: Mac; readonly inUse: boolean }
  | { readonly kind: 'released'; readonly lease: Lease4 };

/** What the driver has to do, in this order. */
export type Dhcp4Action =
  | { readonly kind: 'broadcast'; readonly message: Dhcp4Message }
  /**
   * From our address to the server's: by the routes of the kernel; or, where there is no time to look up a neighbour,
   * straight to the MAC from which the grant came.
   */
  | {
      readonly kind: 'unicast' | 'unicast-frame';
      readonly message: Dhcp4Message;
      readonly from: Ipv4;
      readonly to: Ipv4;
      readonly toMac: Mac;
    }
  | { readonly kind: 'arp'; readonly packet: ArpPacket }
  /** Make the interface own the address, unless it does, and answer `applied` or `apply-failed`. */
  | { readonly kind: 'add-address'; readonly address: Address4; readonly expiresAtMs: number }
  /** The address stays; only the time at which the kernel would drop it by itself moves on. */
  | { readonly kind: 'extend-address'; readonly address: Address4; readonly expiresAtMs: number }
  /** Take every other IPv4 address from the interface. */
  | { readonly kind: 'drop-other-addresses'; readonly keep: Address4; readonly expiresAtMs: number }
  /** Give the interface back, for ever, what it had before the first lease. */
  | { readonly kind: 'restore-address'; readonly address: Address4 }
  | { readonly kind: 'drop-address'; readonly address: Address4 }
  | {
      readonly kind: 'route';
      readonly router: Ipv4 | undefined;
      readonly routes: readonly ClasslessRoute[];
      readonly mtu: number | undefined;
    }
  /** Keep the lease for the next start, or forget it. */
  | { readonly kind: 'remember'; readonly lease: Lease4 }
  | { readonly kind: 'forget' }
  | { readonly kind: 'report'; readonly report: Report4 };
