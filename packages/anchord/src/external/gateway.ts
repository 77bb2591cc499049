/** Who decides about the external default gateway. */
import type { IpAddress } from '@berth/kernel/ip';
import type { Family, PerFamily } from '../families.ts';

export interface GatewaySources {
  /** DHCP option 3. Once heard it counts for as long as we live, also after the lease ended. IPv4 only. */
  readonly dynamic: IpAddress | undefined;
  /** The router that advertises itself, where we listen to it in the kernel's place. IPv6 only. */
  readonly advertised: IpAddress | undefined;
  readonly pin: PerFamily<IpAddress | undefined>;
  /** The gateway that Docker's address management has for the external network. */
  readonly ipam: PerFamily<IpAddress | undefined>;
}

/** Nothing known: that family is left alone, and in IPv6 the kernel decides by what routers advertise. */
export function effectiveGateway(family: Family, sources: GatewaySources): IpAddress | undefined {
  const dynamic = family === 'v4' ? sources.dynamic : undefined;
  const advertised = family === 'v6' ? sources.advertised : undefined;
  return dynamic ?? sources.pin[family] ?? sources.ipam[family] ?? advertised;
}

/** Is Docker worth asking? Not when pins say everything. */
export const needsIpam = ({ pin }: GatewaySources): boolean => pin.v4 === undefined || pin.v6 === undefined;
