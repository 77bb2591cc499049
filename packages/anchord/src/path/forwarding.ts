/** Whether the kernel forwards at all: a sysctl that was forgotten looks like a healthy anchor that passes no packet. */
import { Netns, readSysctl } from '@berth/kernel/netns';
import type { Log } from '@berth/service/log';
import { type Family, families, type PerFamily } from '../families.ts';
import { pathMessages as messages } from '../messages/index.ts';
import { type Problems, problemTable } from '../problems.ts';

/** Under the names that people write them by. */
const forwardingSysctls: PerFamily<string> = {
  v4: 'net.ipv4.ip_forward',
  v6: 'net.ipv6.conf.all.forwarding',
};

/** False only where the kernel says so: a family that it does not have at all is no problem. */
function forwards(family: Family, namespace: Netns = Netns.own): boolean {
  const path = forwardingSysctls[family].replace('net.', '').replaceAll('.', '/');
  return readSysctl(path, namespace) !== '0';
}

/** Looks once; call it again at every poll. */
export function checkForwarding(
  { log, problems }: { readonly log: Log; readonly problems: Problems },
  namespace: Netns = Netns.own,
): void {
  for (const family of families) {
    const sysctl = forwardingSysctls[family];
    if (forwards(family, namespace)) problems.clear('forwarding-off', family);
    else if (problems.set('forwarding-off', family, `${sysctl} is 0`)) {
      log.say(messages.forwardingOff, { sysctl, remedy: problemTable['forwarding-off'].remedy });
    }
  }
}
