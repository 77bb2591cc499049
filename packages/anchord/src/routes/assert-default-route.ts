/** Looks at the kernel's default route of a family and puts the wanted one in force, if it is not. */
import type { IpAddress } from '@berth/kernel/ip';
import type { Network, Route } from '@berth/kernel/network';
import { anchordErrors } from '../errors.ts';
import { type Family, familyNumber } from '../families.ts';
import { defaultRoutes, planDefaultRoute } from './default-route.ts';
import type { GatewayLink, LocalAddress } from './next-hop.ts';

export interface WantedDefault {
  readonly family: Family;
  readonly gateway: IpAddress;
  readonly mtu?: number | undefined;
  /** Where the gateway is reached; undefined: nowhere. */
  readonly linkFor: (addresses: readonly LocalAddress[]) => GatewayLink | undefined;
  /** The present routes can not be read; the wanted one is written all the same. */
  readonly onReadFailure: (error: unknown) => void;
}

export type Assertion =
  | { readonly outcome: 'kept' }
  | {
      readonly outcome: 'set';
      readonly reason: 'missing' | 'drifted';
      readonly previous: IpAddress | undefined;
    }
  | {
      readonly outcome: 'failed';
      readonly reason: 'missing' | 'drifted' | undefined;
      readonly previous: IpAddress | undefined;
      readonly error: unknown;
    };

export function assertDefaultRoute(network: Network, wanted: WantedDefault): Assertion {
  let reason: 'missing' | 'drifted' | undefined;
  let previous: IpAddress | undefined;
  try {
    const family = familyNumber(wanted.family);
    const way = wanted.linkFor(network.addresses.list({ family }));
    if (way === undefined) {
      throw anchordErrors.error('GATEWAY_NOT_ON_LINK', `no interface leads to the gateway ${wanted.gateway}`);
    }
    const observed = readDefaults(network, wanted);
    const plan = planDefaultRoute(wanted.family, observed, {
      gateway: wanted.gateway,
      mtu: wanted.mtu,
      ...way,
    });
    if (plan.kind === 'keep') return { outcome: 'kept' };
    ({ reason, previous } = plan);
    network.routes.replace(plan.route);
    return { outcome: 'set', reason, previous };
  } catch (error) {
    return { outcome: 'failed', reason, previous, error };
  }
}

function readDefaults(network: Network, { family, onReadFailure }: WantedDefault): readonly Route[] {
  try {
    return defaultRoutes(network.routes.list({ family: familyNumber(family) }));
  } catch (error) {
    onReadFailure(error);
    return [];
  }
}
