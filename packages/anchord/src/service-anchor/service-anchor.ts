/** Keeps the default route of a namespace at the network-anchor, in both families. */
import { type IpAddress, parseIpOrNothing } from '@berth/kernel/ip';
import type { Network } from '@berth/kernel/network';
import { type Clock, duration, formatDuration } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import type { ServiceAnchorSettings } from '../config/settings.ts';
import { anchordErrors } from '../errors.ts';
import { type Family, families } from '../families.ts';
import { serviceAnchorMessages as messages } from '../messages/index.ts';
import type { AnchordMetrics } from '../metrics.ts';
import type { Problems } from '../problems.ts';
import { RepairBudget } from '../repair-budget.ts';
import type { Arrangement } from '../routes/arrangement.ts';
import { assertDefaultRoute } from '../routes/assert-default-route.ts';
import { gatewayLink } from '../routes/next-hop.ts';
import { pause, Wakeup } from '../wakeup.ts';
import { chooseGateways, type Gateways } from './gateway.ts';
import { OriginalRoutes } from './original-routes.ts';

/** All addresses of a name, of both families, in the resolver's order. */
export type ResolveName = (hostname: string) => Promise<readonly string[]>;

export interface ServiceAnchorParts {
  readonly network: Network;
  readonly resolve: ResolveName;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: AnchordMetrics;
  readonly problems: Problems;
  /** Told of every change of the namespace. */
  readonly arrangement: Pick<Arrangement, 'over'>;
  /** A default route is in place. Called more than once. */
  readonly onReady: () => void;
}

export class ServiceAnchor {
  readonly #settings: ServiceAnchorSettings;
  readonly #parts: ServiceAnchorParts;
  readonly #originals: OriginalRoutes;
  readonly #wakeup = new Wakeup();
  /** A regular look is due. */
  #isDue = false;
  readonly #budget: RepairBudget;
  #gateways: Gateways = { v4: undefined, v6: undefined };
  /** A look-up that takes longer than the interval; no second one is started beside it. */
  #lookingUp: Promise<readonly string[]> | undefined;

  constructor(settings: ServiceAnchorSettings, parts: ServiceAnchorParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#originals = new OriginalRoutes(parts.network, parts.log);
    this.#budget = new RepairBudget(() => parts.clock.monotonic());
  }

  /** Where the default routes are meant to lead, as far as it is known. */
  gateways(): Gateways {
    return this.#gateways;
  }

  /** Somebody changed routes, addresses or links of the namespace. */
  kernelChanged(): void {
    this.#wakeup.wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#sayHow();
    this.#originals.record();
    await Promise.all([this.#followGateways(signal), this.#keepRoutes(signal)]);
  }

  async #followGateways(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      const next = clock.monotonic() + this.#settings.resolveIntervalMs;
      await this.#refreshGateways(signal);
      this.#isDue = true;
      this.#wakeup.wake();
      await pause(clock, next - clock.monotonic(), signal);
    }
  }

  /** Puts right what others change, also while a look-up takes its time; what goes beyond the budget waits for a regular look. */
  async #keepRoutes(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#wakeup.wait(signal);
      await this.#parts.arrangement.over(signal);
      if (signal.aborted) return;
      if (!this.#isDue && !this.#budget.spend()) continue;
      this.#isDue = false;
      this.#assertRoutes();
    }
  }

  #sayHow(): void {
    const { log } = this.#parts;
    const { gateway, resolveIntervalMs } = this.#settings;
    if (gateway.kind === 'name') {
      const attrs = { gateway_hostname: gateway.hostname, resolve_interval: duration(resolveIntervalMs) };
      log.say(messages.startingWithDns, attrs);
      return;
    }
    const gateway_ips = families.flatMap((family) => gateway.addresses[family] ?? []);
    log.say(messages.startingWithIp, { gateway_ips });
    const { ignoredHostname } = gateway;
    if (ignoredHostname !== undefined) {
      log.say(messages.bothHostnameAndIp, { gateway_ips, ignored_hostname: ignoredHostname });
    }
  }

  async #refreshGateways(signal: AbortSignal): Promise<void> {
    const { gateway } = this.#settings;
    if (gateway.kind === 'addresses') {
      this.#gateways = gateway.addresses;
      return;
    }
    const { log, metrics, problems } = this.#parts;
    try {
      const answers = await this.#lookUp(gateway.hostname, signal);
      const found = chooseGateways(
        answers.flatMap((text) => parseIpOrNothing(text) ?? []),
        this.#gateways,
      );
      for (const family of families) {
        const outcome = found[family] === undefined ? 'error' : 'ok';
        metrics.gatewayResolves.inc({ family, outcome });
      }
      // A family that is not in the answer keeps what it has.
      this.#gateways = { v4: found.v4 ?? this.#gateways.v4, v6: found.v6 ?? this.#gateways.v6 };
      problems.clear('gateway-unresolved', gateway.hostname);
    } catch (error) {
      if (signal.aborted) return;
      for (const family of families) metrics.gatewayResolves.inc({ family, outcome: 'error' });
      const news = problems.set('gateway-unresolved', gateway.hostname, errorText(error));
      const { msg, level } = messages.lookupFailed;
      log.write(news ? level : 'debug', msg, { host: gateway.hostname, err: error });
    }
  }

  /** Waits no longer than one interval, so that a resolver that hangs is told, and asked again. */
  async #lookUp(hostname: string, signal: AbortSignal): Promise<readonly string[]> {
    this.#lookingUp ??= this.#parts.resolve(hostname).finally(() => {
      this.#lookingUp = undefined;
    });
    const answers = this.#lookingUp;
    const { clock } = this.#parts;
    const limitMs = this.#settings.resolveIntervalMs;
    const late = Promise.withResolvers<never>();
    const stop = (): void => late.reject(signal.reason);
    const timer = clock.after(limitMs, () => {
      const text = `no answer for ${hostname} within ${formatDuration(limitMs)}`;
      late.reject(anchordErrors.error('GATEWAY_NOT_FOUND', text));
    });
    signal.addEventListener('abort', stop, { once: true });
    // Nobody waits for these any more when the other one was faster.
    for (const promise of [answers, late.promise]) promise.catch(() => undefined);
    try {
      return await Promise.race([answers, late.promise]);
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', stop);
    }
  }

  #assertRoutes(): void {
    for (const family of families) {
      const gateway = this.#gateways[family];
      if (gateway !== undefined) this.#assertRoute(family, gateway);
    }
  }

  #assertRoute(family: Family, gateway: IpAddress): void {
    const { network, log, metrics, problems, onReady } = this.#parts;
    const done = assertDefaultRoute(network, {
      family,
      gateway,
      linkFor: (addresses) => gatewayLink(gateway, addresses),
      onReadFailure: (err) => log.say(messages.readFailed, { family, err }),
    });
    if (done.outcome === 'failed') {
      const { reason = '', previous: prev = '', error: err } = done;
      const news = problems.set('default-route-refused', family, errorText(err));
      const { msg, level } = messages.installFailed;
      log.write(news ? level : 'debug', msg, { family, gw: gateway, reason, prev, err });
      return;
    }
    if (done.outcome === 'set') {
      metrics.gatewayReplaces.inc({ family });
      log.say(messages.updated, { family, gateway, reason: done.reason, prev: done.previous ?? '' });
    }
    problems.clear('default-route-refused', family);
    metrics.defaultRoutePresent.set(1, { family });
    onReady();
  }

  /** Leaves the namespace as we found it. */
  stop(): void {
    for (const family of this.#originals.restore())
      this.#parts.metrics.defaultRoutePresent.set(0, { family });
  }
}
