/** Keeps the DHCP clients of the external interface running, and tells the rest of anchord what they get. */
import type { Report4 } from '@berth/dhcp';
import { parseIp } from '@berth/kernel/ip';
import { Netns } from '@berth/kernel/netns';
import type { Clock } from '@berth/service';
import { duration, errorText, type Log } from '@berth/service/log';
import { Dhcp4Client, type Dhcp4Events, type ExternalLink, LeaseFile } from '../addressing/index.ts';
import { anchordErrors } from '../errors.ts';
import { dhcpMessages as messages } from '../messages/index.ts';
import type { AnchordMetrics } from '../metrics.ts';
import type { Problems } from '../problems.ts';
import { pause } from '../wakeup.ts';
import type { ExternalDefaultRoute } from './default-route.ts';

export interface DhcpSettings {
  readonly hostName: string;
  /** Undefined: the server goes by the MAC. */
  readonly clientId: Uint8Array | undefined;
  readonly backoffMaxMs: number;
  readonly releaseOnStop: boolean;
}

export interface DhcpParts {
  /** The external interface as it is now; undefined while there is none. */
  readonly link: () => ExternalLink | undefined;
  readonly route: Pick<ExternalDefaultRoute, 'dhcpRouter'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: AnchordMetrics;
  readonly problems: Problems;
  readonly onScrape: (collect: () => void) => () => void;
  readonly namespace?: Netns;
}

const leaseFile = '/var/lib/anchord/dhcp4.lease';
const firstBackoffMs = 1_000;

export class DhcpSupervisor {
  readonly #settings: DhcpSettings;
  readonly #parts: DhcpParts;

  constructor(settings: DhcpSettings, parts: DhcpParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  /** Until the abort; then leases are given back and their addresses taken off before this resolves. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, metrics, onScrape } = this.#parts;
    let endsAtMs: () => number | undefined = () => undefined;
    const forget = onScrape(() => {
      const left = Math.max(0, (endsAtMs() ?? 0) - clock.monotonic()) / 1_000;
      metrics.leaseRemaining.set(left, { family: 'v4' });
    });
    try {
      for (let backoffMs = firstBackoffMs; !signal.aborted; ) {
        const started = clock.monotonic();
        const error = await this.#runClient(signal, (client) => {
          endsAtMs = () => client.leaseEndsAtMs;
        });
        endsAtMs = () => undefined;
        if (signal.aborted) return;
        // One that ran for a while did well; its end is a new matter.
        if (clock.monotonic() - started > this.#settings.backoffMaxMs) backoffMs = firstBackoffMs;
        this.#lost(errorText(error), backoffMs);
        await pause(clock, backoffMs, signal);
        metrics.dhcpRestarts.inc({ family: 'v4' });
        backoffMs = Math.min(backoffMs * 2, this.#settings.backoffMaxMs);
      }
    } finally {
      forget();
      metrics.leaseRemaining.remove({ family: 'v4' });
    }
  }

  /** One client from its start to its end; answers why it can not go on. */
  async #runClient(signal: AbortSignal, onStart: (client: Dhcp4Client) => void): Promise<unknown> {
    const ended = Promise.withResolvers<unknown>();
    const stop = (): void => ended.resolve(undefined);
    signal.addEventListener('abort', stop, { once: true });
    try {
      const link = this.#parts.link();
      if (link === undefined) {
        return anchordErrors.error('EXTERNAL_INTERFACE_NOT_FOUND', 'the external interface is not there');
      }
      using client = this.#start(link, ended.resolve);
      onStart(client);
      return await ended.promise;
    } catch (error) {
      return error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  #start(link: ExternalLink, failed: (error: unknown) => void): Dhcp4Client {
    const { clock, namespace = Netns.own } = this.#parts;
    const store = new LeaseFile(leaseFile);
    const options = { ...this.#settings, clock, namespace, link, store };
    return new Dhcp4Client(options, { ...this.#events(link.name), failed });
  }

  #events(iface: string): Omit<Dhcp4Events, 'failed'> {
    const { log, route } = this.#parts;
    return {
      report: (report) => this.#hear(report, iface),
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

  #hear(report: Report4, iface: string): void {
    const { log, metrics, problems } = this.#parts;
    switch (report.kind) {
      case 'acquired': {
        const { address: ip, server, durationMs } = report.lease;
        metrics.leasesAcquired.inc({ family: 'v4', outcome: 'ok' });
        problems.clear('no-lease', 'v4');
        log.say(messages.acquired4, { iface, ip, server, lease: duration(durationMs) });
        break;
      }
      case 'renewed': {
        const { address: ip, durationMs } = report.lease;
        metrics.leasesAcquired.inc({ family: 'v4', outcome: 'ok' });
        log.say(messages.renewed4, { iface, ip, lease: duration(durationMs) });
        break;
      }
      case 'lost':
        this.#lost(report.reason, report.backoffMs);
        break;
      case 'restarted':
        metrics.dhcpRestarts.inc({ family: 'v4' });
        break;
      case 'conflict':
        log.say(messages.conflict, { iface, ip: report.address, mac: report.mac });
        break;
      case 'released':
        break;
    }
  }

  #lost(err: string, backoffMs: number): void {
    const { log, metrics, problems } = this.#parts;
    metrics.leasesAcquired.inc({ family: 'v4', outcome: 'error' });
    problems.set('no-lease', 'v4', err);
    log.say(messages.lost, { family: 4, err, backoff: duration(backoffMs) });
  }
}
