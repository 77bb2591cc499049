/** Whether the kernel forwards at all: a sysctl that was forgotten looks like a healthy anchor that passes no packet. */
import { type Netns, readSysctl } from '@berth/kernel/netns';
import type { Log } from '@berth/service/log';
import { type Family, families, type PerFamily } from '../families.ts';
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

/** The setting that is off, by the name that people write it by; undefined where the family is forwarded. */
export function forwardingOff(family: Family, namespace?: Netns): string | undefined {
  const off = readSysctl(settings[family], namespace) === '0';
  return off ? `net.${settings[family].replaceAll('/', '.')}` : undefined;
}

/** Looks once; call it again at every poll. A family that the kernel does not have at all is no problem. */
export function checkForwarding({ log, problems, inUse, namespace }: ForwardingParts): void {
  for (const family of families) {
    const sysctl = inUse[family] ? forwardingOff(family, namespace) : undefined;
    if (sysctl === undefined) problems.clear('forwarding-off', family);
    else if (problems.set('forwarding-off', family, `${sysctl} is 0`)) {
      log.say(messages.forwardingOff, { sysctl, remedy: problemTable['forwarding-off'].remedy });
    }
  }
}
