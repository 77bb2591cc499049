/** The side that faces the LAN: network, interface, address. */
import { engineErrors } from '@berth/engine';
import { formatCidr } from '@berth/kernel/ip';
import { fine, found, type Outcome, skipped, unknown } from '../outcome.ts';
import type { Site } from '../site.ts';

const otherRole = skipped('only a network-anchor has an external side');

export async function externalNetwork(site: Site): Promise<Outcome> {
  if (site.parts.role !== 'network-anchor') return otherRole;
  const { external } = site.anchor();
  if (external.kind !== 'network') return skipped('ANCHORD_EXT_NETWORK is not set');
  const { network: name } = external;
  const { engine, signal } = site.parts;
  const attached = (await site.self()).attachments[name];
  if (attached === undefined) {
    return found([{ subject: name, detail: 'this container is not attached to it' }]);
  }
  try {
    const { id, driver } = await engine.networks.inspect(name, { signal });
    if (attached.networkId === id) return fine(`${name}, ${driver}`);
    return found([{ subject: name, detail: 'it was made anew, and this container hangs on the old one' }]);
  } catch (error) {
    if (engineErrors.is(error, 'ENGINE_NOT_FOUND')) {
      return found([{ subject: name, detail: 'there is no network of that name' }]);
    }
    throw error;
  }
}

export async function externalInterface(site: Site): Promise<Outcome> {
  if (site.parts.role !== 'network-anchor') return otherRole;
  const link = await site.externalLink();
  if (link === undefined) return found([{ subject: '', detail: 'there is no such interface here' }]);
  const { name, mac = 'no MAC', up, carrier } = link;
  if (!up) return found([{ subject: name, detail: 'it is down' }]);
  if (!carrier) return found([{ subject: name, detail: 'it has no carrier: its parent is down' }]);
  return fine(`${name}, ${mac}`);
}

export async function externalAddress(site: Site): Promise<Outcome> {
  if (site.parts.role !== 'network-anchor') return otherRole;
  const link = await site.externalLink();
  if (link === undefined) return unknown('there is no external interface');
  const all = site.parts.network.addresses
    .list({ link: link.index })
    .filter(({ scope }) => scope === 'global');
  const refused = all.filter(({ dadFailed }) => dadFailed);
  if (refused.length > 0) {
    return found(
      refused.map(({ address }) => ({
        subject: address,
        detail: 'somebody else on the LAN has this address',
      })),
    );
  }
  if (all.length === 0) return found([{ subject: link.name, detail: 'neither IPv4 nor IPv6' }]);
  return fine(all.map((one) => formatCidr(one)).join(', '));
}
