/** The side that faces the LAN: interface, addresses, default route. */
export { AddressWatcher } from './address-watcher.ts';
export { ExternalDefaultRoute } from './default-route.ts';
export { DhcpSupervisor } from './dhcp-supervisor.ts';
export { effectiveGateway } from './gateway.ts';
export { chooseExternalInterface } from './interface.ts';
export { listenToRouters } from './listen-to-routers.ts';
export { MacvlanKeeper } from './macvlan-keeper.ts';
export { externalInterfaceOf, resolveExternalInterface } from './resolve-interface.ts';
