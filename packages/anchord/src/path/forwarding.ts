/** Whether the kernel forwards at all: a sysctl that was forgotten looks like a healthy anchor that passes no packet. */
import { readSysctl } from '@berth/kernel/netns';
import type { Log } from '@berth/service/log';
import { families, type PerFamily } from '../families.ts';
import { pathMessages as messages } from '../messages/index.ts';
import { type Problems, problemTable } from '../problems.ts';

const sysctls: PerFamily<string> = { v4: 'net.ipv4.ip_forward', v6: 'net.ipv6.conf.all.forwarding' };

/** Looks once; call it again at every poll. A family that the kernel does not have at all is no problem. */
export function checkForwarding(
  { log, problems }: { readonly log: Log; readonly problems: Problems },
  read: (name: string) => string | undefined = readSysctl,
): void {
  for (const family of families) {
    const sysctl = sysctls[family];
    if (read(sysctl) !== '0') problems.clear('forwarding-off', family);
    else if (problems.set('forwarding-off', family, `${sysctl} is 0`)) {
      log.say(messages.forwardingOff, { sysctl, remedy: problemTable['forwarding-off'].remedy });
    }
  }
}
