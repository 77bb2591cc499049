/** The DHCPv6 client of the external interface, and what anchord makes of its words. */
import type { Lease6, Report6 } from '@berth/dhcp';
import { Netns } from '@berth/kernel/netns';
import { duration } from '@berth/service/log';
import { Dhcp6Client, dhcp6IdentityOf, type ExternalLink, LeaseFile } from '../addressing/index.ts';
import { dhcpMessages as messages } from '../messages/index.ts';
import type { DhcpParts, DhcpSettings } from './dhcp-parts.ts';
import type { RunningClient } from './lease-loop.ts';

const family = 'v6';
const leaseFile = '/var/lib/anchord/dhcp6.lease';

/** Outlives single clients: what was said once about a LAN without a server is not said again with every attempt. */
export class Dhcp6Side {
  readonly #settings: DhcpSettings;
  readonly #parts: DhcpParts;
  #saidNobodyAnswers = false;
  #saidMute = false;

  constructor(settings: DhcpSettings, parts: DhcpParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  start(link: ExternalLink, failed: (error: unknown) => void): RunningClient {
    const { hostName, backoffMaxMs, releaseOnStop } = this.#settings;
    const { clock, namespace = Netns.own, store6: store = new LeaseFile(leaseFile), log } = this.#parts;
    const iface = link.name;
    const client = new Dhcp6Client(
      { ...dhcp6IdentityOf(hostName), clock, namespace, link, hostName, backoffMaxMs, releaseOnStop, store },
      {
        report: (report) => this.#hear(report, iface),
        mute: () => {
          if (!this.#saidMute) log.say(messages.mute6, { iface });
          this.#saidMute = true;
        },
        trouble: (what, err) => {
          if (what === 'drop-address') log.say(messages.cleanup6, { iface, err });
          else log.say(messages.trouble, { iface, what, err });
        },
        failed,
      },
    );
    return {
      get leaseEndsAtMs() {
        return client.leaseEndsAtMs;
      },
      get ignored() {
        return client.ignored;
      },
      stop: () => client[Symbol.asyncDispose](),
    };
  }

  /** `expected`: nobody answers, and no router has promised that somebody would. */
  lost(err: string, backoffMs: number, expected = false): void {
    const { log, metrics, problems } = this.#parts;
    const said = { family: 6, err, backoff: duration(backoffMs) };
    if (expected) {
      problems.clear('no-lease', family);
      log.write(this.#saidNobodyAnswers ? 'debug' : messages.lost.level, messages.lost.msg, said);
    } else {
      metrics.leasesAcquired.inc({ family, outcome: 'error' });
      problems.set('no-lease', family, err);
      log.say(messages.lost, said);
    }
    this.#saidNobodyAnswers = expected;
  }

  #hear(report: Report6, iface: string): void {
    const { log, metrics, problems } = this.#parts;
    switch (report.kind) {
      case 'acquired':
        metrics.leasesAcquired.inc({ family, outcome: 'ok' });
        problems.clear('no-lease', family);
        this.#saidNobodyAnswers = false;
        log.say(messages.acquired6, { iface, ...this.#told(report.lease) });
        break;
      case 'renewed':
        log.say(messages.renewed6, { iface, ...this.#told(report.lease) });
        break;
      case 'lost':
        this.lost(report.reason, report.backoffMs, report.expected);
        break;
      case 'restarted':
        metrics.dhcpRestarts.inc({ family });
        break;
      case 'conflict':
        // The kernel tells that somebody has the address, not who.
        log.say(messages.conflict, { iface, ip: report.address, mac: '' });
        break;
      case 'released':
        break;
      default:
        report satisfies never;
    }
  }

  #told({ addresses }: Lease6) {
    const first = Math.min(...addresses.map(({ validUntilMs }) => validUntilMs));
    return {
      addrs: addresses.map(({ address }) => address),
      lease: duration(first - this.#parts.clock.monotonic()),
    };
  }
}
