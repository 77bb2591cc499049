/** Wires the side of a network-anchor that faces the LAN: interface, default route, addresses. */
import type { ContainerDetails, Engine } from '@berth/engine';
import type { Link, Network } from '@berth/kernel/network';
import { clientIdOf, type ExternalLink } from '../addressing/index.ts';
import type { NetworkAnchorSettings } from '../config/settings.ts';
import { ownReferences } from '../discovery/index.ts';
import {
  AddressWatcher,
  DhcpSupervisor,
  ExternalDefaultRoute,
  externalInterfaceOf,
  listenToRouters,
  MacvlanKeeper,
  resolveExternalInterface,
} from '../external/index.ts';
import { dhcpMessages, externalMessages, routeMessages } from '../messages/index.ts';
import type { Program } from '../program.ts';
import { Arrangement } from '../routes/arrangement.ts';
import { watchNetwork } from '../routes/watch-network.ts';

export interface External {
  readonly name: string;
  /** As it is now; undefined while it is not there. */
  readonly link: () => Link | undefined;
  /** By where Docker says that we stand now. True if it is another interface than before. */
  readonly lookAgain: (self: Pick<ContainerDetails, 'attachments'>) => boolean;
}

export async function findExternalInterface(
  { scope, log, clock }: Program,
  { external }: NetworkAnchorSettings,
  engine: Engine,
  network: Network,
): Promise<External> {
  if (external.kind !== 'network') {
    const { name } = external;
    return { name, link: () => network.links.byName(name), lookAgain: () => false };
  }
  const { network: dockerNetwork, ignoredInterface } = external;
  if (ignoredInterface !== undefined) {
    log.say(externalMessages.bothInterfaceAndNetwork, {
      network: dockerNetwork,
      ignored_iface: ignoredInterface,
    });
  }
  const parts = { containers: engine.containers, network, self: ownReferences, clock, log };
  let found = await resolveExternalInterface(dockerNetwork, parts, scope.signal);
  return {
    get name() {
      return found.name;
    },
    link: () => network.links.byIndex(found.index),
    lookAgain: (self) => {
      if (network.links.byIndex(found.index) !== undefined) return false;
      const now = externalInterfaceOf(dockerNetwork, self, parts);
      if (typeof now === 'string') return false;
      found = now;
      return true;
    },
  };
}

export interface ExternalSide {
  /** What a poll looks at. */
  readonly look: () => void;
  /** The interface is another one now. */
  readonly replugged: () => void;
  readonly inUse: AddressWatcher['inUse'];
}

/** Everything that lives on the external interface. */
export function startExternalSide(
  program: Program,
  settings: NetworkAnchorSettings,
  { engine, network, external }: { engine: Engine; network: Network; external: External },
): ExternalSide {
  const linkIndex = (): number | undefined => external.link()?.index;
  const externalNetwork = settings.external.kind === 'network' ? settings.external.network : undefined;
  const own = settings.external.kind === 'macvlan' ? settings.external : undefined;
  const arrangement = new Arrangement({ ...program, isOurs: ({ name }) => name === own?.name });
  const route = new ExternalDefaultRoute(
    { externalNetwork, pin: settings.gatewayPin },
    { ...program, network, networks: engine.networks, link: linkIndex, arrangement },
  );
  program.status.tell('gateways', () => route.gateways());
  const addresses = new AddressWatcher({ ...program, network }, linkIndex);
  const macvlan = startAddressing(program, settings, { network, external, route });
  program.scope.spawn('default route', async (signal) => {
    try {
      await route.run(signal);
    } catch (err) {
      if (!signal.aborted) program.log.say(routeMessages.enforcerExited, { err });
    }
  });
  watchNetwork(program.scope, program, { watched: ['links', 'addresses', 'routes'] }, (event) => {
    arrangement.hear(event);
    if (event.kind !== 'resync' && event.by === network.portId) return;
    route.kernelChanged();
    if (event.kind !== 'route') addresses.look();
    if (event.kind === 'link' || event.kind === 'resync') macvlan?.kernelChanged();
  });
  return {
    look: () => addresses.look(),
    get inUse() {
      return addresses.inUse;
    },
    replugged: () => {
      route.kernelChanged();
      addresses.look();
    },
  };
}

interface Addressing {
  readonly network: Network;
  readonly external: External;
  readonly route: ExternalDefaultRoute;
}

function startAddressing(
  program: Program,
  settings: NetworkAnchorSettings,
  { network, external, route }: Addressing,
): MacvlanKeeper | undefined {
  const { log } = program;
  const own = settings.external.kind === 'macvlan' ? settings.external : undefined;
  const link = (): ExternalLink | undefined => withMac(external.link());
  if (own !== undefined || settings.addressMode !== 'bootstrap') {
    program.scope.spawn('router advertisements', (signal) =>
      listenToRouters({ ...program, iface: external.name, link, route }, signal),
    );
  }
  if (own === undefined && settings.addressMode !== 'dhcp-refresh') {
    log.say(dhcpMessages.passive, { mode: settings.addressMode, iface: external.name });
    return undefined;
  }
  const { dhcpHostname: hostName, dhcpBackoffMaxMs: backoffMaxMs, dhcpRelease: releaseOnStop } = settings;
  const { dhcpFamilies: families } = settings;
  const supervisor = new DhcpSupervisor(
    // The MAC alone is the identity of an interface of our own making.
    {
      ...{ families, hostName, backoffMaxMs, releaseOnStop },
      clientId: own === undefined ? clientIdOf(hostName) : undefined,
    },
    { ...program, route, link },
  );
  const runDhcp = (signal: AbortSignal): Promise<void> => supervisor.run(signal);
  const keeper = own && new MacvlanKeeper(own, { ...program, network, runDhcp, backoffMaxMs });
  program.scope.spawn('dhcp', async (signal) => {
    try {
      await (keeper === undefined ? runDhcp(signal) : keeper.run(signal));
    } catch (err) {
      log.say(dhcpMessages.exited, { err });
      if (!signal.aborted) program.stop(1);
    }
  });
  return keeper;
}

/** DHCP needs an interface with a hardware address. */
const withMac = (link: Link | undefined): ExternalLink | undefined =>
  link?.mac === undefined ? undefined : { index: link.index, name: link.name, mac: link.mac };
