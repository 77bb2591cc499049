/** Whether the kernel forwards at all: a sysctl that was forgotten looks like a healthy anchor that passes no packet. */
import { type Netns, readSysctl } from '@berth/kernel/netns';
import type { Log } from '@berth/service/log';
import { families, type PerFamily } from '../families.ts';
import { pathMessages as messages } from '../messages/index.ts';
import { type Problems, problemTable } from '../problems.ts';

/** Below /proc/sys/net. */
const settings: PerFamily<string> = { v4: 'ipv4/ip_forward', v6: 'ipv6/conf/all/forwarding' };

export interface ForwardingParts {
  readonly log: Log;
  readonly problems: Problems;
  /** Whether clients can reach us in this family at all; one that is not used need not be forwarded. */
  readonly inUse: PerFamily<boolean>;
  readonly namespace?: Netns;
}

/** Looks once; call it again at every poll. A family that the kernel does not have at all is no problem. */
export function checkForwarding({ log, problems, inUse, namespace }: ForwardingParts): void {
  for (const family of families) {
    const sysctl = `net.${settings[family].replaceAll('/', '.')}`;
    const off = inUse[family] && readSysctl(settings[family], namespace) === '0';
    if (!off) problems.clear('forwarding-off', family);
    else if (problems.set('forwarding-off', family, `${sysctl} is 0`)) {
      log.say(messages.forwardingOff, { sysctl, remedy: problemTable['forwarding-off'].remedy });
    }
  }
}
