/** What is said about the interface that faces the LAN. */
import { message } from '@berth/service/log';

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
  addressMissing: message(
    'warn',
    'external interface has no address',
    ['err'],
    'Nobody on the LAN reaches us. Either there is no interface of that name, or it has got no address for a while.',
  ),
  addressMade: message(
    'info',
    'external IPv6 address made from router advertisement',
    ['iface', 'ip'],
    'The kernel leaves that to us on an interface that forwards, unless accept_ra is 2 there.',
  ),
  addressDuplicate: message(
    'warn',
    'external IPv6 address in use by somebody else',
    ['iface', 'ip'],
    'Another host on the LAN has this address; most often it has the same MAC, too.',
  ),
  advertisementsUnheard: message(
    'warn',
    'router advertisements can not be heard, retrying',
    ['iface', 'err'],
    'Without them there is no IPv6 address from the LAN; the container needs NET_RAW for it.',
  ),
  advertisementTrouble: message(
    'debug',
    'router advertisement trouble',
    ['iface', 'err'],
    'Something small went wrong; the next advertisement comes soon.',
  ),
};
