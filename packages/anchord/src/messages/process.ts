/** What a process says about itself. */
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
  permissionMissing: message(
    'warn',
    'docker refuses a request',
    ['request', 'switches', 'needed_for', 'remedy'],
    'The engine, or a socket proxy before it, does not allow what these features need.',
  ),
  statusSocketFailed: message(
    'warn',
    'status socket can not be used',
    ['path', 'err'],
    '`anchord status` and the doctor can not ask this process; everything else goes on.',
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
