import { type Ipv6, isGlobalHostIpv6 } from '../wire/index.ts';
import { type Dhcp6Message, decodeDhcp6, encodeDhcp6 } from './message.ts';
import type { IaAddress, IaNa } from './options.ts';

export interface LeasedAddress6 {
  readonly address: Ipv6;
  /** Until it is not used for new connections any more, and until it is not used at all. */
  readonly preferredUntilMs: number;
  readonly validUntilMs: number;
}

/** What a server has granted us. Times are of the clock that the client is driven by; `Infinity` means for ever. */
export interface Lease6 {
  /** The DUID of the server. */
  readonly server: Uint8Array;
  readonly addresses: readonly LeasedAddress6[];
  /** When we asked for it. */
  readonly askedAtMs: number;
  readonly renewAtMs: number;
  readonly rebindAtMs: number;
}

const endless = 0xffff_ffff;
/** A server that grants next to nothing must not make us a flood. */
const soonestRenewalMs = 1000;
/** More addresses than any server means for one interface. */
const mostAddresses = 16;

const milliseconds = (seconds: number): number =>
  seconds === endless ? Number.POSITIVE_INFINITY : seconds * 1000;

/** What a reply says about our association. An address with a lifetime of zero is withdrawn. */
export interface Grant6 {
  readonly lease: Lease6;
  readonly withdrawn: readonly Ipv6[];
}

/** Reads what a message grants, or nothing where its times contradict each other (RFC 8415, 21.4). */
export function grantOf(server: Uint8Array, ia: IaNa, askedAtMs: number): Grant6 | undefined {
  if (ia.renewSeconds > ia.rebindSeconds && ia.rebindSeconds > 0) return undefined;
  const sensible = ia.addresses.filter(isSensible).slice(0, mostAddresses);
  const addresses = sensible
    .filter(({ validSeconds }) => validSeconds > 0)
    .map(({ address, preferredSeconds, validSeconds }) => ({
      address,
      preferredUntilMs: askedAtMs + milliseconds(preferredSeconds),
      validUntilMs: askedAtMs + milliseconds(validSeconds),
    }));
  const withdrawn = sensible.filter(({ validSeconds }) => validSeconds === 0).map(({ address }) => address);
  return { lease: { server, addresses, askedAtMs, ...timing(ia, addresses, askedAtMs) }, withdrawn };
}

const isSensible = ({ address, preferredSeconds, validSeconds, status }: IaAddress): boolean =>
  isGlobalHostIpv6(address) &&
  preferredSeconds <= validSeconds &&
  (status === undefined || status.code === 0);

/** T1 and T2 as the server says, or else one half and four fifths of the shortest preferred lifetime. */
function timing(
  ia: IaNa,
  addresses: readonly LeasedAddress6[],
  askedAtMs: number,
): Pick<Lease6, 'renewAtMs' | 'rebindAtMs'> {
  const shortestMs = Math.min(...addresses.map((each) => preferredFor(each) - askedAtMs));
  const renewMs = ia.renewSeconds === 0 ? shortestMs / 2 : milliseconds(ia.renewSeconds);
  const rebindMs = ia.rebindSeconds === 0 ? shortestMs * 0.8 : milliseconds(ia.rebindSeconds);
  const soonerMs = Math.max(Math.min(renewMs, rebindMs), soonestRenewalMs);
  return { renewAtMs: askedAtMs + soonerMs, rebindAtMs: askedAtMs + Math.max(rebindMs, soonerMs) };
}

/** An address that is deprecated from the start is renewed by the time that it has left at all. */
const preferredFor = ({ preferredUntilMs, validUntilMs }: LeasedAddress6): number =>
  Number.isFinite(preferredUntilMs) && preferredUntilMs < validUntilMs / 2 ? validUntilMs : preferredUntilMs;

/** What we hold after a renewal: what it names counts, what it withdraws goes, and what it leaves out stays as it was. */
export function merged(held: Lease6, { lease, withdrawn }: Grant6): Lease6 {
  const named = new Set([...lease.addresses.map(({ address }) => address), ...withdrawn]);
  const untouched = held.addresses.filter(({ address }) => !named.has(address));
  return { ...lease, addresses: [...lease.addresses, ...untouched].slice(0, mostAddresses) };
}

/** The lease as the reply that would grant it: the form in which it is remembered beyond the life of the process. */
export function packLease6(lease: Lease6, iaid: number): Uint8Array {
  const seconds = (atMs: number): number =>
    atMs === Number.POSITIVE_INFINITY ? endless : Math.max(0, Math.floor((atMs - lease.askedAtMs) / 1000));
  return encodeDhcp6({
    type: 'reply',
    transactionId: 0,
    options: {
      serverId: lease.server,
      rapidCommit: false,
      iaNas: [
        {
          iaid,
          renewSeconds: seconds(lease.renewAtMs),
          rebindSeconds: seconds(lease.rebindAtMs),
          addresses: lease.addresses.map(({ address, preferredUntilMs, validUntilMs }) => ({
            address,
            preferredSeconds: seconds(preferredUntilMs),
            validSeconds: seconds(validUntilMs),
          })),
        },
      ],
    },
  });
}

/** Reads what `packLease6` wrote, or nothing where that is not what it is. */
export function unpackLease6(packed: Uint8Array, iaid: number, askedAtMs: number): Lease6 | undefined {
  const read = decodeDhcp6(packed);
  if (!read.ok || read.value.type !== 'reply') return undefined;
  const { serverId } = read.value.options;
  const ia = associationOf(read.value, iaid);
  return serverId === undefined || ia === undefined ? undefined : grantOf(serverId, ia, askedAtMs)?.lease;
}

export const associationOf = (message: Dhcp6Message, iaid: number): IaNa | undefined =>
  message.options.iaNas.find((ia) => ia.iaid === iaid);
