/** Router advertisements by hand: whatever a router may say, and what none should. */
import {
  allNodes,
  encodeIcmp6Frame,
  encodeRouterAdvertisement,
  icmp6Type,
  multicastMac,
  parseIpv6,
  type RouterAdvertisement,
} from '@berth/dhcp';
import { etherType, nothing } from '@berth/kernel/frames';
import { labErrors } from '../../errors.ts';
import type { Lan } from '../lan.ts';
import { openLanPort } from './lan-port.ts';

/** Sends one advertisement to everybody on the LAN, from a router of its own or the one that is named. */
export async function advertise(
  lan: Lan,
  advertisement: RouterAdvertisement,
  from = 'fe80::5e:5301',
): Promise<void> {
  const source = parseIpv6(from);
  if (source === undefined) throw labErrors.error('BAD_SPEC', `${from} is not an IPv6 address`);
  using port = await openLanPort(lan, {
    etherType: etherType.ipv6,
    filter: nothing,
    onFrame: () => undefined,
  });
  port.send(
    encodeIcmp6Frame({
      sourceMac: port.mac,
      destinationMac: multicastMac(allNodes),
      source,
      destination: allNodes,
      type: icmp6Type.routerAdvertisement,
      code: 0,
      body: encodeRouterAdvertisement(advertisement),
    }),
  );
}
