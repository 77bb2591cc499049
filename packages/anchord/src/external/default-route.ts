/** The one authority over the default routes of a network-anchor: keeps them at the external gateway. */
import type { Networks } from '@berth/engine';
import { type IpAddress, isIpv4, familyOf as kernelFamilyOf, parseIpOrNothing } from '@berth/kernel/ip';
import type { Network } from '@berth/kernel/network';
import type { Clock } from '@berth/service';
import { duration, errorText, type Log } from '@berth/service/log';
import { type Family, families, familyNumber, type PerFamily } from '../families.ts';
import { routeMessages as messages } from '../messages/index.ts';
import type { AnchordMetrics } from '../metrics.ts';
import type { Problems } from '../problems.ts';
import { RepairBudget } from '../repair-budget.ts';
import type { Arrangement } from '../routes/arrangement.ts';
import { assertDefaultRoute } from '../routes/assert-default-route.ts';
import { defaultRoutes, isOurs } from '../routes/default-route.ts';
import { gatewayOnLink } from '../routes/next-hop.ts';
import { pause, Wakeup } from '../wakeup.ts';
import { effectiveGateway, type GatewaySources, needsIpam } from './gateway.ts';

export interface DefaultRouteParts {
  readonly network: Network;
  readonly networks: Pick<Networks, 'inspect'>;
  /** The external interface as it is now; undefined while there is none. */
  readonly link: () => number | undefined;
  /** Told of every change of the namespace. */
  readonly arrangement: Pick<Arrangement, 'over'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: AnchordMetrics;
  readonly problems: Problems;
}

export interface DefaultRouteOptions {
  readonly externalNetwork: string | undefined;
  readonly pin: PerFamily<IpAddress | undefined>;
}

const assertEveryMs = 5_000;
const ipamRetryMs = 30_000;

export class ExternalDefaultRoute {
  readonly #parts: DefaultRouteParts;
  readonly #options: DefaultRouteOptions;
  readonly #wakeup = new Wakeup();
  readonly #budget: RepairBudget;
  #sources: GatewaySources;
  #dhcpMtu: number | undefined;

  constructor(options: DefaultRouteOptions, parts: DefaultRouteParts) {
    this.#parts = parts;
    this.#options = options;
    this.#budget = new RepairBudget(() => parts.clock.monotonic());
    this.#sources = {
      dynamic: undefined,
      advertised: undefined,
      pin: options.pin,
      ipam: { v4: undefined, v6: undefined },
    };
  }

  /** The router that DHCP named with the last lease, and the largest packet that it named with it. */
  dhcpRouter(gateway: IpAddress, mtu: number | undefined): void {
    if (!isIpv4(gateway)) return;
    this.#dhcpMtu = mtu;
    if (this.#sources.dynamic !== gateway) {
      this.#sources = { ...this.#sources, dynamic: gateway };
      this.#parts.log.say(messages.dynamicSourceUpdated, { family: 'v4', gw: gateway });
    }
    this.#wakeup.wake();
  }

  /** Where the default routes are meant to lead; undefined: that family is left alone. */
  gateways(): PerFamily<IpAddress | undefined> {
    return { v4: effectiveGateway('v4', this.#sources), v6: effectiveGateway('v6', this.#sources) };
  }

  /** The router that advertises itself, as long as it does. Counts where nobody has named a gateway. */
  advertisedRouter(gateway: IpAddress | undefined): void {
    const { advertised } = this.#sources;
    this.#sources = { ...this.#sources, advertised: gateway };
    if (advertised !== undefined && effectiveGateway('v6', this.#sources) === undefined) {
      this.#withdraw('v6', advertised);
    }
    this.#wakeup.wake();
  }

  /** Somebody changed routes, addresses or links. */
  kernelChanged(): void {
    this.#wakeup.wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts;
    let nextIpamLook = clock.monotonic();
    if (!(await this.#lookAtIpam(signal))) nextIpamLook += ipamRetryMs;
    else nextIpamLook = Number.POSITIVE_INFINITY;
    const { pin, ipam } = this.#sources;
    log.say(messages.enforcerStarting, {
      ext_network: this.#options.externalNetwork ?? '',
      pin_v4: pin.v4 ?? '',
      pin_v6: pin.v6 ?? '',
      ipam_v4: ipam.v4 ?? '',
      ipam_v6: ipam.v6 ?? '',
      interval: duration(assertEveryMs),
    });
    while (!signal.aborted) {
      await this.#parts.arrangement.over(signal);
      this.#assert();
      const tick = clock.monotonic() + assertEveryMs;
      while (await this.#wakeup.waitUpTo(clock, tick - clock.monotonic(), signal)) {
        await this.#parts.arrangement.over(signal);
        if (!this.#budget.spend()) await pause(clock, tick - clock.monotonic(), signal);
        this.#assert();
      }
      if (clock.monotonic() < nextIpamLook) continue;
      nextIpamLook = (await this.#lookAtIpam(signal))
        ? Number.POSITIVE_INFINITY
        : clock.monotonic() + ipamRetryMs;
    }
  }

  /** True when there is nothing more to learn from Docker. */
  async #lookAtIpam(signal: AbortSignal): Promise<boolean> {
    const { externalNetwork } = this.#options;
    const { networks, log, problems } = this.#parts;
    if (externalNetwork === undefined || !needsIpam(this.#sources)) return true;
    try {
      const { pools } = await networks.inspect(externalNetwork, { signal });
      const gateways = pools.flatMap(({ gateway }) => (gateway && parseIpOrNothing(gateway)) || []);
      const first = (family: 4 | 6) => gateways.find((gateway) => kernelFamilyOf(gateway) === family);
      this.#sources = { ...this.#sources, ipam: { v4: first(4), v6: first(6) } };
      problems.clear('gateway-unknown', externalNetwork);
      return true;
    } catch (error) {
      if (signal.aborted) return true;
      const news = problems.set('gateway-unknown', externalNetwork, errorText(error));
      if (news) log.say(messages.ipamFailed, { ext_network: externalNetwork, err: error });
      return false;
    }
  }

  /** A router that says no more that it is one gets no more packets. */
  #withdraw(family: Family, gateway: IpAddress): void {
    const { network, log } = this.#parts;
    try {
      const ours = defaultRoutes(network.routes.list({ family: familyNumber(family) })).filter(isOurs);
      for (const route of ours) network.routes.delete(route);
      if (ours.length > 0) log.say(messages.withdrawn, { family, gw: gateway });
    } catch (err) {
      log.say(messages.lookupFailed, { family, err });
    }
  }

  #assert(): void {
    const link = this.#parts.link();
    if (link === undefined) return;
    for (const family of families) {
      const gateway = effectiveGateway(family, this.#sources);
      if (gateway !== undefined) this.#assertFamily(family, gateway, link);
    }
  }

  #assertFamily(family: Family, gateway: IpAddress, link: number): void {
    const { network, log, metrics, problems } = this.#parts;
    const done = assertDefaultRoute(network, {
      family,
      gateway,
      mtu: gateway === this.#sources.dynamic ? this.#dhcpMtu : undefined,
      linkFor: (addresses) => gatewayOnLink(link, gateway, addresses),
      onReadFailure: (err) => log.say(messages.lookupFailed, { family, err }),
    });
    if (done.outcome === 'failed') {
      const news = problems.set('default-route-refused', family, errorText(done.error));
      const { msg, level } = messages.replaceFailed;
      log.write(news ? level : 'debug', msg, { family, gw: gateway, err: done.error });
      return;
    }
    problems.clear('default-route-refused', family);
    if (done.outcome === 'kept') return;
    metrics.externalRouteReplaces.inc({ family });
    log.say(messages.enforced, { family, gw: gateway, prev: done.previous ?? '' });
  }
}
