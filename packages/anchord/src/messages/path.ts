/** What is said about the way from the LAN to a backend and back. */
import { message } from '@berth/service/log';

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
