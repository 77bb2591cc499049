/** Which gateway the service-anchor follows. */
import { type IpAddress, isIpv4 } from '@berth/kernel/ip';
import type { Family, PerFamily } from '../families.ts';

export type Gateways = PerFamily<IpAddress | undefined>;

/**
 * From the addresses of one look-up, in the order in which they came. A name that several anchors share keeps us with
 * the one that we follow already, as long as it is among the answers.
 */
export function chooseGateways(answers: readonly IpAddress[], following: Gateways): Gateways {
  const choose = (family: Family): IpAddress | undefined => {
    const found = answers.filter((address) => isIpv4(address) === (family === 'v4'));
    const kept = following[family];
    return kept !== undefined && found.includes(kept) ? kept : found[0];
  };
  return { v4: choose('v4'), v6: choose('v6') };
}
