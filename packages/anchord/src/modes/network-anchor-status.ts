/** What `anchord status` shows of a network-anchor. */
import { formatCidr } from '@berth/kernel/ip';
import type { Network } from '@berth/kernel/network';
import type { NetworkAnchorSettings } from '../config/settings.ts';
import type { Dataplane } from '../dataplane/index.ts';
import { formatSelector } from '../selector.ts';
import type { StatusBoard } from '../status/index.ts';
import type { External } from './external-side.ts';
import type { InnerSide } from './own-networks.ts';

interface Shown {
  readonly network: Network;
  readonly external: External;
  readonly dataplane: Dataplane;
  readonly inner: Pick<InnerSide, 'told'>;
}

export function tellStatus(
  status: StatusBoard,
  {
    project,
    scope,
    external: wanted,
    addressMode,
    dhcpHostname: hostname,
    ...settings
  }: NetworkAnchorSettings,
  { network, external, dataplane, inner }: Shown,
): void {
  status.tell('scope', () => ({ project, selector: formatSelector(scope.discriminator) }));
  status.tell('external', () => {
    const link = external.link();
    const addresses = link === undefined ? [] : network.addresses.list({ link: link.index });
    return {
      network: wanted.kind === 'network' ? wanted.network : undefined,
      interface: link?.name ?? external.name,
      mac: link?.mac,
      up: link?.up === true && link.carrier,
      addresses: addresses.filter(({ scope: reach }) => reach === 'global').map((one) => formatCidr(one)),
      addressMode,
      hostname,
    };
  });
  status.tell('forwarding', () => inner.told);
  const { managed, autostartSiblings } = settings;
  if (managed !== undefined && autostartSiblings) {
    status.tell('managed', () => ({ name: managed.name, target: managed.target }));
  }
  status.tell('ports', () =>
    Array.from(
      dataplane.entries.values(),
      ({ family, protocol, externalPort, address, backendPort, backend }) => ({
        family,
        port: `${protocol}/${externalPort}`,
        to: family === 'v6' ? `[${address}]:${backendPort}` : `${address}:${backendPort}`,
        container: backend.name,
      }),
    ),
  );
}
