/** A cable from the LAN's switch into a container: what a host with VLANs hands to an anchor of the old kind. */

import { Netns } from '@berth/kernel/netns';
import { Network } from '@berth/kernel/network';
import type { Host, Lab } from '@berth/lab';

/** Plugs `link` into the container with this process. It goes with the container's namespace. */
export function plugIntoLan({ lan }: Lab, host: Host, pid: number, link: string, port: string): void {
  using switchboard = Netns.atPath(`/run/netns/${lan.namespace}`);
  using container = Netns.atPath(host.path(`/proc/${pid}/ns/net`));
  using network = Network.open(switchboard);
  const bridge = network.links.byName(lan.bridge);
  if (bridge === undefined) throw new Error(`the LAN has no ${lan.bridge}`);
  network.links.create({ kind: 'veth', name: port, up: true, peer: { name: link, namespace: container } });
  const end = network.links.byName(port);
  if (end === undefined) throw new Error(`there is no ${port} on the switch`);
  network.links.change(end.index, { master: bridge.index });
  using inside = Network.open(container);
  const parent = inside.links.byName(link);
  if (parent === undefined) throw new Error(`there is no ${link} in the container`);
  inside.links.change(parent.index, { up: true });
}
