/** What a lab is asked to be. A plain value: what `up` writes down and compares with what is there. */
import { labErrors } from './errors.ts';

export type EngineVersion = '20.10' | '26';

export interface HostSpec {
  readonly name: `host${number}`;
  readonly engine: EngineVersion;
}

/** How the LAN's own server hands out addresses. */
export interface DhcpSpec {
  readonly v4: boolean;
  /** `stateful` leases addresses, `stateless` only tells settings, `slaac` only advertises, `none` is silent. */
  readonly v6: 'stateful' | 'stateless' | 'slaac' | 'none';
  /** The server takes nothing below 120. */
  readonly leaseSeconds: number;
  /** When clients renew and rebind, if that is to differ from what the lease time says; the server takes 3 and more. */
  readonly renewSeconds?: number;
  readonly rebindSeconds?: number;
  /** The last parts of the IPv4 addresses that it gives; default: the plan's. */
  readonly pool?: readonly [from: number, to: number];
}

export interface LanSpec {
  /** A /24, of which .1 is the router. */
  readonly v4: string;
  /** A /64 that ends in `::/64`. */
  readonly v6: string;
  /** `false`: nobody answers. */
  readonly dhcp: DhcpSpec | false;
}

export interface LabSpec {
  readonly hosts: readonly HostSpec[];
  readonly clients: number;
  /** A network behind the LAN's router, for clients that are not neighbours. */
  readonly internet: boolean;
  readonly lan: LanSpec;
}

export const defaultDhcp: DhcpSpec = { v4: true, v6: 'stateful', leaseSeconds: 600 };

export const defaultSpec: LabSpec = {
  hosts: [{ name: 'host1', engine: '20.10' }],
  clients: 2,
  internet: true,
  lan: { v4: '10.99.0.0/24', v6: 'fd99::/64', dhcp: defaultDhcp },
};

/** The addresses of a LAN: who has which one. */
export interface AddressPlan {
  readonly v4: (host: number) => string;
  readonly v6: (host: number) => string;
  readonly router: 1;
  readonly host: (index: number) => number;
  readonly client: (index: number) => number;
  /** Free for static addresses of tests. */
  readonly free: readonly [from: number, to: number];
  readonly pool: readonly [from: number, to: number];
}

export function addressPlan(lan: Pick<LanSpec, 'v4' | 'v6'>): AddressPlan {
  const v4 = /^(\d+\.\d+\.\d+)\.0\/24$/.exec(lan.v4)?.[1];
  const v6 = /^([0-9a-f:]+::)\/64$/.exec(lan.v6)?.[1];
  if (v4 === undefined) throw labErrors.error('BAD_SPEC', `${lan.v4} is not a /24 such as 10.99.0.0/24`);
  if (v6 === undefined) throw labErrors.error('BAD_SPEC', `${lan.v6} is not a /64 such as fd99::/64`);
  return {
    v4: (host) => `${v4}.${host}`,
    // The same digits in both families: host 11 is .11 and ::11, which people can read together.
    v6: (host) => `${v6}${host}`,
    router: 1,
    host: (index) => 10 + index,
    client: (index) => 20 + index,
    free: [32, 99],
    pool: [100, 199],
  };
}

/** `client3` → 3 */
export function numberOf(place: string): number {
  const number = Number(/[0-9]+$/.exec(place)?.[0]);
  if (!Number.isInteger(number)) throw labErrors.error('BAD_NAME', `"${place}" has no number`);
  return number;
}
