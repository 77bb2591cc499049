/** What is said about the external default route. */
import { message } from '@berth/service/log';

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
  withdrawn: message(
    'info',
    'ext default route withdrawn',
    ['family', 'gw'],
    'The router advertises itself no more, and nobody has named another gateway.',
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
