/** Addresses and the default router from advertisements, for as long as there is an external interface. */
import { parseIp } from '@berth/kernel/ip';
import { Netns } from '@berth/kernel/netns';
import type { Clock } from '@berth/service';
import type { Log } from '@berth/service/log';
import { AdvertisedAddresses, type ExternalLink } from '../addressing/index.ts';
import { externalMessages as messages } from '../messages/index.ts';
import { pause } from '../wakeup.ts';
import type { ExternalDefaultRoute } from './default-route.ts';

export interface ListenerParts {
  readonly iface: string;
  /** The external interface as it is now; undefined while there is none. */
  readonly link: () => ExternalLink | undefined;
  readonly route: Pick<ExternalDefaultRoute, 'advertisedRouter'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly namespace?: Netns;
}

const retryMs = 2_000;

export async function listenToRouters(parts: ListenerParts, signal: AbortSignal): Promise<void> {
  const { iface, clock, log } = parts;
  let said = false;
  while (!signal.aborted) {
    const link = parts.link();
    if (link !== undefined) {
      try {
        const err = await untilEnd(parts, link, signal);
        if (!signal.aborted) log.say(messages.advertisementTrouble, { iface, err });
        said = false;
      } catch (err) {
        // The right that is missing now will be missing then: said once.
        const { level, msg } = messages.advertisementsUnheard;
        log.write(said ? 'debug' : level, msg, { iface, err });
        said = true;
      }
      parts.route.advertisedRouter(undefined);
    }
    await pause(clock, retryMs, signal);
  }
}

async function untilEnd(
  { iface, clock, log, route, namespace = Netns.own }: ListenerParts,
  link: ExternalLink,
  signal: AbortSignal,
): Promise<unknown> {
  const ended = Promise.withResolvers<unknown>();
  const stop = (): void => ended.resolve(undefined);
  signal.addEventListener('abort', stop, { once: true });
  try {
    using _addresses = new AdvertisedAddresses(
      { clock, namespace, link },
      {
        made: (ip) => log.say(messages.addressMade, { iface, ip }),
        duplicate: (ip) => log.say(messages.addressDuplicate, { iface, ip }),
        router: (router) => route.advertisedRouter(router === undefined ? undefined : parseIp(router)),
        trouble: (err) => log.say(messages.advertisementTrouble, { iface, err }),
        failed: ended.resolve,
      },
    );
    return await ended.promise;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
