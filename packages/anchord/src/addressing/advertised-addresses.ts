import {
  type Advertised,
  type AdvertisedAddress,
  afterTime,
  defaultRouter,
  heardAdvertisement,
  type Ipv6,
  nextExpiryMs,
  nothingAdvertised,
  type RouterAdvertisement,
} from '@berth/dhcp';
import { kernelErrors } from '@berth/kernel';
import { parseIpv6 } from '@berth/kernel/ip';
import { type Netns, readSysctl } from '@berth/kernel/netns';
import { Network, type NetworkEvent, NetworkWatch } from '@berth/kernel/network';
import type { Cancellable, Clock } from '@berth/service';
import { RepairBudget } from '../repair-budget.ts';
import { type ExternalLink, wireMac } from './external-link.ts';
import { fateOf, Ipv6Interface } from './ipv6-interface.ts';
import { OnLinkRoutes } from './on-link-routes.ts';
import { RouterPort } from './router-port.ts';
import { RouterSolicitor } from './router-solicitor.ts';

/** Routers speak every few minutes, or seconds; whoever floods the LAN shall not keep us busy. */
const listening = { most: 50, perSecond: 5 } as const;

export interface AdvertisedOptions {
  readonly clock: Clock;
  readonly namespace: Netns;
  readonly link: ExternalLink;
}

/** What the owner hears. None of these may throw. */
export interface AdvertisedEvents {
  /** An address that was not there before. */
  made(address: Ipv6): void;
  /** Somebody else on the link has it; it is there, but can not be used. */
  duplicate(address: Ipv6): void;
  /** The router to use from now on; nothing when there is none any more, or when the kernel sees to that. */
  router(router: Ipv6 | undefined): void;
  trouble(error: unknown): void;
  /** It can not go on: close it and start another one. */
  failed(error: unknown): void;
}

/**
 * Makes IPv6 addresses from router advertisements, in the kernel's place: an interface that forwards does not listen to
 * routers unless it is told so by name (`accept_ra=2`), and a container can not be told by the name of an interface that
 * its engine numbers anew each time. Where the kernel does it, this only looks on.
 */
export class AdvertisedAddresses implements Disposable {
  readonly #options: AdvertisedOptions;
  readonly #events: AdvertisedEvents;
  readonly #resources = new DisposableStack();
  readonly #network: Network;
  readonly #addresses: Ipv6Interface;
  readonly #port: RouterPort;
  readonly #solicitor: RouterSolicitor;
  #state: Advertised = nothingAdvertised;
  readonly #onLink: OnLinkRoutes;
  #router: Ipv6 | undefined;
  readonly #budget: RepairBudget;
  #timer: Cancellable | undefined;
  #begun = false;

  /** Throws where the link, or the right to open packet sockets on it, is missing. */
  constructor(options: AdvertisedOptions, events: AdvertisedEvents) {
    this.#options = options;
    this.#events = events;
    const { namespace, link, clock } = options;
    this.#budget = new RepairBudget(() => clock.monotonic(), listening);
    try {
      this.#network = this.#resources.use(Network.open(namespace));
      this.#addresses = new Ipv6Interface(this.#network, link.index);
      this.#port = this.#resources.use(
        new RouterPort(namespace, link, {
          heardRouter: (source, advertisement) => this.#try(() => this.#hear(source, advertisement)),
          refused: () => undefined,
          failed: (error) => events.failed(error),
        }),
      );
      this.#onLink = new OnLinkRoutes(this.#network, link.index);
      this.#resources.defer(() => this.#try(() => this.#onLink.keep([])));
      this.#solicitor = this.#resources.use(
        new RouterSolicitor(clock, (linkLocal) => this.#try(() => this.#port.solicitRouters(linkLocal))),
      );
      this.#resources.defer(() => this.#timer?.cancel());
      this.#resources.use(
        NetworkWatch.open(
          { namespace, watched: ['links', 'addresses'] },
          (event) => this.#onNetworkEvent(event),
          (error) => events.failed(error),
        ),
      );
    } catch (error) {
      this.#resources.dispose();
      throw error;
    }
  }

  /** The addresses stay: their times run out by themselves. */
  [Symbol.dispose](): void {
    this.#resources.dispose();
  }

  #hear(source: Ipv6, advertisement: RouterAdvertisement): void {
    if (!this.#budget.spend()) return;
    this.#solicitor.heard();
    const { clock, namespace, link } = this.#options;
    if (kernelListens(link.name, namespace)) this.#state = nothingAdvertised;
    else {
      const heard = { source, advertisement, mac: wireMac(link), nowMs: clock.monotonic() };
      const { now, changed } = heardAdvertisement(this.#state, heard);
      this.#state = now;
      for (const address of changed) this.#put(address);
    }
    this.#settle();
  }

  #put({ address, prefixLength, preferredUntilMs, validUntilMs }: AdvertisedAddress): void {
    const nowMs = this.#options.clock.monotonic();
    const seconds = (untilMs: number): number => Math.max(0, Math.ceil((untilMs - nowMs) / 1000));
    this.#try(() => {
      const news = !this.#addresses.list().some((each) => each.address === String(address));
      this.#network.addresses.replace({
        link: this.#options.link.index,
        address: parseIpv6(address),
        prefixLength,
        preferredSeconds: seconds(preferredUntilMs),
        validSeconds: seconds(validUntilMs),
        // What is on the link, the router says apart from it.
        noPrefixRoute: true,
      });
      if (news) this.#events.made(address);
    });
  }

  #settle(): void {
    this.#try(() => this.#onLink.keep(this.#state.onLink));
    const router = defaultRouter(this.#state);
    if (router !== this.#router) this.#events.router(router);
    this.#router = router;
    this.#timer?.cancel();
    const atMs = nextExpiryMs(this.#state);
    if (atMs === undefined || this.#resources.disposed) return;
    const { clock } = this.#options;
    this.#timer = clock.after(Math.max(0, atMs - clock.monotonic()), () => {
      this.#state = afterTime(this.#state, clock.monotonic());
      this.#settle();
    });
  }

  #onNetworkEvent(event: NetworkEvent): void {
    const { link } = this.#options;
    const lost =
      event.kind === 'link'
        ? event.value.index === link.index && (event.change === 'gone' || event.value.mac !== link.mac)
        : event.kind === 'resync' &&
          event.snapshot.links.find(({ index }) => index === link.index)?.mac !== link.mac;
    if (lost) {
      const gone = `interface ${link.name} is gone, or is another one now`;
      this.#events.failed(kernelErrors.error('KERNEL_NOT_FOUND', gone));
      return;
    }
    this.#begin();
    if (event.kind !== 'address' || event.value.link !== link.index) return;
    const address = String(event.value.address) as Ipv6;
    const ours = this.#state.addresses.some((each) => each.address === address);
    if (ours && fateOf(event.value) === 'duplicate') this.#events.duplicate(address);
  }

  /** As soon as there is a link-local address to ask from. */
  #begin(): void {
    const linkLocal = this.#begun ? undefined : this.#addresses.linkLocal();
    if (linkLocal === undefined) return;
    this.#begun = true;
    this.#solicitor.begin(linkLocal);
  }

  #try(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#events.trouble(error);
    }
  }
}

/** Whether the kernel takes advertisements on an interface itself (Documentation/networking/ip-sysctl, accept_ra). */
function kernelListens(link: string, namespace: Netns): boolean {
  const setting = (name: string): string | undefined => readSysctl(`ipv6/conf/${link}/${name}`, namespace);
  const accepts = setting('accept_ra');
  return setting('forwarding') === '0' ? accepts !== '0' : accepts === '2';
}
