/** The DHCPv4 client of the external interface, and what anchord makes of its words. */
import type { Report4 } from '@berth/dhcp';
import { parseIp } from '@berth/kernel/ip';
import { Netns } from '@berth/kernel/netns';
import { duration } from '@berth/service/log';
import { Dhcp4Client, type Dhcp4Events, type ExternalLink, LeaseFile } from '../addressing/index.ts';
import { dhcpMessages as messages } from '../messages/index.ts';
import type { DhcpParts, DhcpSettings } from './dhcp-parts.ts';
import type { RunningClient } from './lease-loop.ts';

const family = 'v4';
const leaseFile = '/var/lib/anchord/dhcp4.lease';

export function startDhcp4(
  settings: DhcpSettings,
  parts: DhcpParts,
  link: ExternalLink,
  failed: (error: unknown) => void,
): RunningClient {
  const { clock, namespace = Netns.own, store = new LeaseFile(leaseFile) } = parts;
  const options = { ...settings, clock, namespace, link, store };
  const client = new Dhcp4Client(options, { ...eventsOf(parts, link.name), failed });
  return {
    get leaseEndsAtMs() {
      return client.leaseEndsAtMs;
    },
    get ignored() {
      const { 'wrong-xid': transaction, ...others } = client.ignored;
      return { ...others, 'wrong-transaction': transaction };
    },
    stop: () => client[Symbol.dispose](),
  };
}

function eventsOf(parts: DhcpParts, iface: string): Omit<Dhcp4Events, 'failed'> {
  const { log, route } = parts;
  return {
    report: (report) => hear(report, iface, parts),
    router: (gateway, mtu) => {
      // A lease without a router leaves the last one in force.
      if (gateway !== undefined) route.dhcpRouter(parseIp(gateway), mtu);
    },
    routesRefused: (routes) => {
      const told = routes.map(({ destination, prefixLength }) => `${destination}/${prefixLength}`);
      log.say(messages.routesRefused, { iface, routes: told });
    },
    trouble: (what, err) => {
      if (what === 'release') log.say(messages.release4, { iface, err });
      else if (what === 'drop-address') log.say(messages.cleanup4, { iface, err });
      else log.say(messages.trouble, { iface, what, err });
    },
  };
}

function hear(report: Report4, iface: string, parts: DhcpParts): void {
  const { log, metrics, problems } = parts;
  switch (report.kind) {
    case 'acquired': {
      const { address: ip, server, durationMs } = report.lease;
      metrics.leasesAcquired.inc({ family, outcome: 'ok' });
      problems.clear('no-lease', family);
      log.say(messages.acquired4, { iface, ip, server, lease: duration(durationMs) });
      break;
    }
    case 'renewed': {
      const { address: ip, durationMs } = report.lease;
      metrics.leasesAcquired.inc({ family, outcome: 'ok' });
      log.say(messages.renewed4, { iface, ip, lease: duration(durationMs) });
      break;
    }
    case 'lost':
      lost4(report.reason, report.backoffMs, parts);
      break;
    case 'restarted':
      metrics.dhcpRestarts.inc({ family });
      break;
    case 'conflict':
      log.say(messages.conflict, { iface, ip: report.address, mac: report.mac });
      break;
    case 'released':
      break;
    default:
      report satisfies never;
  }
}

export function lost4(err: string, backoffMs: number, { log, metrics, problems }: DhcpParts): void {
  metrics.leasesAcquired.inc({ family, outcome: 'error' });
  problems.set('no-lease', family, err);
  log.say(messages.lost, { family: 4, err, backoff: duration(backoffMs) });
}
