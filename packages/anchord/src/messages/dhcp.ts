/** What the DHCP clients say. */
import { message } from '@berth/service/log';

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
  acquired6: message(
    'info',
    'dhcp v6 lease acquired',
    ['iface', 'addrs', 'lease'],
    'The external interface has these addresses; the first of them runs out after so long.',
  ),
  renewed6: message(
    'debug',
    'dhcp v6 lease renewed',
    ['iface', 'addrs', 'lease'],
    'The addresses stay for so long.',
  ),
  mute6: message(
    'info',
    'dhcp v6 waits for a link-local address',
    ['iface'],
    'IPv6 is off on the interface: Docker switches it off where the network has no IPv6 subnet. On an interface of our own making the sysctl net.ipv6.conf.default.disable_ipv6=0 switches it on.',
  ),
  lost: message(
    'warn',
    'dhcp client lost lease, retrying',
    ['family', 'err', 'backoff'],
    'No lease in this family, or no longer; it is asked again after the pause. At DEBUG where it was said before, and no router promises addresses by DHCP.',
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
  cleanup6: message('debug', 'v6 addr cleanup', ['iface', 'err'], 'An address could not be taken off.'),
  exited: message(
    'error',
    'dhcp supervisor exited',
    ['err'],
    'Leases are no longer looked after; the process ends.',
  ),
};
