/** What a service-anchor says. */
import { message } from '@berth/service/log';

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
