/** What the data path says in its log: operators grep for these texts, and the reference is made from this table. */
import { message } from '@berth/service/log';

export const processMessages = {
  unknownLogLevel: message(
    'warn',
    'unknown ANCHORD_LOG_LEVEL, using info',
    ['value'],
    'The level is none of debug, info, warn, error.',
  ),
  listenerDisabled: message(
    'info',
    'metrics + health listener disabled (ANCHORD_METRICS_ADDR="")',
    [],
    'There are no metrics and health pages, because somebody wanted it so.',
  ),
  watchFailed: message(
    'warn',
    'watching the kernel failed, retrying',
    ['err'],
    'Changes of interfaces, addresses and routes are seen at the next regular look only, until the watch is back.',
  ),
  networkAnchorStarting: message(
    'info',
    'anchord starting (network-anchor mode)',
    ['project', 'ext_iface', 'ext_network?', 'address_mode?', 'vlan_parent?', 'mac?', 'hostname', 'fp'],
    'What this anchor stands for. `fp` is the same as long as project and external interface are.',
  ),
};

export const externalMessages = {
  bothInterfaceAndNetwork: message(
    'warn',
    'both ANCHORD_EXT_NETWORK and ANCHORD_EXT_IFACE set; using EXT_NETWORK',
    ['network', 'ignored_iface'],
    'The interface is looked up by its Docker network; remove ANCHORD_EXT_IFACE.',
  ),
  resolved: message(
    'info',
    'external interface resolved by network',
    ['network', 'iface'],
    'The interface whose MAC Docker recorded for the external network.',
  ),
  severalWithMac: message(
    'warn',
    'multiple interfaces share MAC, picking first',
    ['mac', 'iface', 'hits'],
    'Two interfaces have the same hardware address; give the network-anchor one external network only.',
  ),
  unresolved: message(
    'debug',
    'external interface not resolved yet',
    ['network', 'err', 'backoff'],
    'Docker is still plugging us in, or can not be reached; it is tried again until ten seconds are over.',
  ),
  macvlanUp: message(
    'info',
    'macvlan up',
    ['iface', 'parent', 'mac'],
    'The self-made external interface is there.',
  ),
  macvlanRemoved: message('info', 'macvlan removed', ['iface'], 'The self-made external interface is gone.'),
  macvlanFailed: message(
    'warn',
    'ensure link failed, will retry',
    ['iface', 'parent', 'err', 'backoff'],
    'The self-made external interface can not be made; mostly its parent is not there (yet).',
  ),
  macvlanLost: message(
    'warn',
    'macvlan child no longer usable, cancelling DHCP clients',
    ['iface'],
    'Somebody took the self-made external interface away or down; it is made again.',
  ),
  dhcpClientsExited: message(
    'warn',
    'dhcp clients exited, retrying',
    ['iface', 'backoff'],
    'The DHCP clients start again as soon as the external interface is back.',
  ),
  addressChanged: message(
    'info',
    'external IPv4 changed',
    ['old', 'new'],
    'The external interface has another first IPv4 address.',
  ),
  addressLost: message(
    'warn',
    'external IPv4 lost',
    ['old'],
    'The external interface has no IPv4 address any more; nobody reaches us until it has one.',
  ),
};

export const dhcpMessages = {
  passive: message(
    'info',
    'dhcp supervisor passive — no client will run',
    ['mode', 'iface'],
    'The address mode leaves the address to Docker and the kernel.',
  ),
  acquired4: message(
    'info',
    'dhcp v4 lease acquired',
    ['iface', 'ip', 'server', 'lease'],
    'The external interface has this address for so long.',
  ),
  renewed4: message(
    'debug',
    'dhcp v4 lease renewed',
    ['iface', 'ip', 'lease'],
    'The address stays for so long.',
  ),
  lost: message(
    'warn',
    'dhcp client lost lease, retrying',
    ['family', 'err', 'backoff'],
    'No lease in this family, or no longer; it is asked again after the pause.',
  ),
  conflict: message(
    'warn',
    'dhcp address in use by somebody else',
    ['iface', 'ip', 'mac'],
    'The server gave an address that another host uses. It was declined, or given up.',
  ),
  routesRefused: message(
    'warn',
    'dhcp routes into inner networks left out',
    ['iface', 'routes'],
    'The server names routes into networks of the project; they were not set.',
  ),
  trouble: message(
    'debug',
    'dhcp trouble',
    ['iface', 'what', 'err'],
    'Something small went wrong; the client goes on.',
  ),
  release4: message(
    'debug',
    'v4 release',
    ['iface', 'err'],
    'The lease could not be given back; it ends by itself.',
  ),
  cleanup4: message('debug', 'v4 addr cleanup', ['iface', 'err'], 'An address could not be taken off.'),
  exited: message(
    'error',
    'dhcp supervisor exited',
    ['err'],
    'Leases are no longer looked after; the process ends.',
  ),
};

export const routeMessages = {
  enforcerStarting: message(
    'info',
    'ext default-route enforcer starting',
    ['ext_network', 'pin_v4', 'pin_v6', 'ipam_v4', 'ipam_v6', 'interval'],
    'Where the external default gateways come from.',
  ),
  dynamicSourceUpdated: message(
    'info',
    'ext default-route dynamic source updated',
    ['family', 'gw'],
    'DHCP named another router; it counts before pin and Docker.',
  ),
  enforced: message(
    'info',
    'ext default route enforced',
    ['family', 'gw', 'prev'],
    'The default route was missing or led elsewhere, and leads through the external interface again.',
  ),
  ipamFailed: message(
    'warn',
    'ext IPAM lookup failed; will fall back to pin / DHCP only',
    ['ext_network', 'err'],
    'Docker did not tell the gateway of the external network; it is asked again in the background.',
  ),
  replaceFailed: message(
    'warn',
    'ext default-route replace failed',
    ['family', 'gw', 'err'],
    'The kernel refuses the default route; it is tried again.',
  ),
  lookupFailed: message(
    'debug',
    'ext default-route lookup',
    ['family', 'err'],
    'The present default route can not be read; it is written all the same.',
  ),
  enforcerExited: message(
    'error',
    'extroute exited',
    ['err'],
    'The default route is no longer looked after; everything else goes on.',
  ),
};

export const dataplaneMessages = {
  teardownFailed: message(
    'warn',
    'nat teardown',
    ['err'],
    'The tables could not be removed at the end. They go with the namespace.',
  ),
  reconciled: message(
    'info',
    'reconciled',
    ['backends', 'entries', 'conntrack_flushed'],
    'The kernel does what Docker says: so many containers, so many ports over both families.',
  ),
  reconcileFailed: message(
    'error',
    'reconcile failed',
    ['err'],
    'The kernel refused the ruleset and keeps the one that it has; it is tried again.',
  ),
  tablesRepaired: message(
    'warn',
    'tables were changed by another program; repaired',
    ['drift'],
    'Somebody flushed or changed our tables. They are as they should be again.',
  ),
  flushFailed: message(
    'warn',
    'conntrack flush',
    ['err'],
    'Flows to a backend that is gone could not be forgotten; they end with their timeouts.',
  ),
  flushed: message('debug', 'conntrack flushed', ['ip', 'flows'], 'Flows to this backend were forgotten.'),
  portConflict: message(
    'error',
    'port conflict',
    ['key', 'holder', 'refused'],
    'Several containers expose one port. The holder keeps it; the others do not get this port.',
  ),
  portConflictSolved: message(
    'info',
    'port conflict solved',
    ['key'],
    'Only one container exposes the port now.',
  ),
  fibMissing: message(
    'warn',
    'kernel lacks fib in nat chains; matching on the external interface instead',
    ['family'],
    'Containers of the project do not reach exposed ports by the external address in this family.',
  ),
};

export const discoveryMessages = {
  pickerInitialised: message(
    'info',
    'shared-network picker initialised',
    ['candidates', 'pinned'],
    'The networks on which backends may be reached.',
  ),
  noCandidates: message(
    'warn',
    'only EXT_NETWORK on self; need at least one project-internal network',
    ['ext_network'],
    'The network-anchor shares no network with its backends; attach it to one.',
  ),
  repicked: message(
    'info',
    'shared network re-picked',
    ['old', 'new'],
    'Backends were seen on another network than first thought.',
  ),
  noBackendsYet: message(
    'warn',
    'no backends found after 5 reconciles',
    ['scope', 'shared_network'],
    'No running container in scope carries the label anchord.expose.',
  ),
  selectorReplacesProject: message(
    'warn',
    'ANCHORD_LABEL_SELECTOR set; ANCHORD_PROJECT ignored',
    ['ignored_project'],
    'The selector alone says which containers belong to us.',
  ),
  selectorActive: message(
    'info',
    'backend label selector active',
    ['selector'],
    'Which containers belong to us.',
  ),
  initialFailed: message(
    'warn',
    'initial snapshot failed',
    ['err'],
    'Docker did not answer; it is asked again.',
  ),
  pollFailed: message(
    'warn',
    'poll snapshot failed',
    ['err'],
    'Docker did not answer; what was applied stays.',
  ),
  eventFailed: message(
    'warn',
    'event-driven snapshot failed',
    ['err'],
    'Docker did not answer; what was applied stays, and it is asked again.',
  ),
  streamFailed: message(
    'warn',
    'docker event stream error, retrying',
    ['err'],
    'The stream of events broke; it is opened again, and everything is looked at afresh.',
  ),
  invalidLabels: message(
    'warn',
    'invalid expose labels',
    ['container', 'err'],
    'The container is not served until its label is right.',
  ),
  contradictoryLabels: message(
    'warn',
    'contradictory expose labels',
    ['container', 'ports'],
    'The label gives one port two targets; the later one counts.',
  ),
  noAddress: message(
    'warn',
    'no usable IP for container',
    ['container', 'shared_network'],
    'The container has no address on a network that we stand on, too.',
  ),
  event: message('debug', 'docker event', ['action', 'actor'], 'Docker said that something happened.'),
  targetInspectFailed: message(
    'debug',
    'wrap-target inspect failed',
    ['ref', 'err?'],
    'The container that a wrap container refers to can not be looked at.',
  ),
  exited: message(
    'error',
    'discovery exited',
    ['err'],
    'Containers are no longer followed; the process ends.',
  ),
};

export const pathMessages = {
  blocked: message(
    'error',
    'path to backend blocked by bridge netfilter on the host',
    ['container', 'address', 'remedy'],
    'The host drops packets with a foreign source on the bridge. Nobody on the LAN reaches the container.',
  ),
  noReturnRoute: message(
    'warn',
    'backend has no route back to clients',
    ['container', 'address', 'remedy'],
    'The backend answers its neighbours only: its default route does not lead to the network-anchor.',
  ),
  open: message('info', 'path to backend open', ['container', 'address'], 'What blocked the path is gone.'),
  forwardingOff: message(
    'warn',
    'forwarding is switched off',
    ['sysctl', 'remedy'],
    'The kernel forwards nothing, so no packet gets through.',
  ),
};

export const serviceAnchorMessages = {
  startingWithDns: message(
    'info',
    'service-anchor starting (DNS mode)',
    ['gateway_hostname', 'resolve_interval'],
    'The default route follows this name.',
  ),
  startingWithIp: message(
    'info',
    'service-anchor starting (IP mode)',
    ['gateway_ips'],
    'The default route leads to these addresses.',
  ),
  bothHostnameAndIp: message(
    'warn',
    'both ANCHORD_GATEWAY_HOSTNAME and ANCHORD_GATEWAY_IP set; using GATEWAY_IP',
    ['gateway_ips', 'ignored_hostname'],
    'The name is not looked up; remove one of the two.',
  ),
  originalRecorded: message(
    'info',
    'recorded existing default route for restore on shutdown',
    ['family', 'gateway'],
    'This route comes back when the service-anchor stops.',
  ),
  originalKept: message(
    'info',
    'default route of an earlier run found; keeping the original it replaced',
    ['family', 'gateway'],
    'The last run was killed before it could clean up; this original comes back at the end of this one.',
  ),
  originalUnknown: message(
    'warn',
    'could not record original default route',
    ['family', 'err'],
    'When the service-anchor stops, the namespace is left without a default route in this family.',
  ),
  lookupFailed: message(
    'warn',
    'gateway DNS lookup failed',
    ['host', 'err'],
    'The name of the gateway can not be resolved; the routes stay as they are.',
  ),
  updated: message(
    'info',
    'default route updated',
    ['family', 'gateway', 'reason', 'prev'],
    'The default route was missing, or led elsewhere (drifted), and leads to the gateway now.',
  ),
  installFailed: message(
    'warn',
    'default route install failed',
    ['family', 'gw', 'reason', 'prev', 'err'],
    'The kernel refuses the default route; it is tried again.',
  ),
  readFailed: message(
    'debug',
    'default route lookup failed; will replace unconditionally',
    ['family', 'err'],
    'The present default route can not be read.',
  ),
  removed: message(
    'info',
    'default route removed',
    ['family', 'gateway'],
    'Our default route is gone, at the end.',
  ),
  cleanupFailed: message(
    'debug',
    'default route cleanup',
    ['family', 'err'],
    'Our default route could not be removed.',
  ),
  restored: message(
    'info',
    'restored original default route on shutdown',
    ['family', 'gateway'],
    'The namespace has the route again that it had before.',
  ),
  restoreFailed: message(
    'warn',
    'could not restore original default route',
    ['family', 'gateway', 'err'],
    'The namespace has no default route now; restart the container that owns it.',
  ),
};
