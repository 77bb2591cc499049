/** Follows where our own container stands: networks are attached and detached while it runs. */
import { isDeepStrictEqual } from 'node:util';
import type { ContainerDetails, Engine, EngineEvent, EventFeed } from '@berth/engine';
import type { Link, Network } from '@berth/kernel/network';
import type { NetworkAnchorSettings } from '../config/settings.ts';
import { type Dataplane, forwardFilterFor, refusedInterfaces } from '../dataplane/index.ts';
import { inspectSelf } from '../discovery/index.ts';
import { dataplaneMessages } from '../messages/index.ts';
import type { Program } from '../program.ts';
import { watchNetwork } from '../routes/watch-network.ts';
import { pause, Wakeup } from '../wakeup.ts';

export interface InnerSideParts {
  readonly network: Network;
  readonly external: { readonly name: string };
  readonly dataplane: Dataplane;
}

interface Told {
  readonly inner: readonly string[];
  readonly refused: readonly string[];
}

/** Lets through the data plane who stands on an inner network, as these come and go. */
export class InnerSide {
  readonly #log: Program['log'];
  readonly #settings: Pick<NetworkAnchorSettings, 'external' | 'forwardFilter'>;
  readonly #parts: InnerSideParts;
  #self: Pick<ContainerDetails, 'attachments'>;
  #sharedNetwork: string | undefined;
  #told: Told | undefined;

  constructor(
    { log }: Pick<Program, 'log'>,
    settings: Pick<NetworkAnchorSettings, 'external' | 'forwardFilter'>,
    parts: InnerSideParts,
    self: Pick<ContainerDetails, 'attachments'>,
  ) {
    this.#log = log;
    this.#settings = settings;
    this.#parts = parts;
    this.#self = self;
    this.#look();
  }

  /** True if the tables have to change. */
  standsOn(self: Pick<ContainerDetails, 'attachments'>): boolean {
    this.#self = self;
    return this.#look();
  }

  /** Undefined where the namespace is not ours alone, or nothing is filtered. */
  get told(): Told | undefined {
    return this.#told;
  }

  /** Backends were seen there. True if the tables have to change. */
  settledOn(sharedNetwork: string | undefined): boolean {
    if (sharedNetwork === this.#sharedNetwork) return false;
    this.#sharedNetwork = sharedNetwork;
    return this.#look();
  }

  #look(): boolean {
    const { external, forwardFilter: wanted } = this.#settings;
    const { network, dataplane } = this.#parts;
    const externalInterface = this.#parts.external.name;
    if (!wanted) return dataplane.reshape({ externalInterface });
    const links: readonly Link[] = network.links.list();
    const forwardFilter = forwardFilterFor({
      ...{ attachments: this.#self.attachments, links, addresses: network.addresses.list() },
      externalInterface,
      externalNetwork: external.kind === 'network' ? external.network : undefined,
      sharedNetwork: this.#sharedNetwork,
    });
    if (forwardFilter.kind === 'inner') {
      const { interfaces: inner } = forwardFilter;
      this.#tell({ inner, refused: refusedInterfaces(forwardFilter, links, externalInterface) });
    } else this.#told = undefined;
    return dataplane.reshape({ externalInterface, forwardFilter });
  }

  #tell(now: Told): void {
    if (isDeepStrictEqual(now, this.#told)) return;
    this.#told = now;
    this.#log.say(dataplaneMessages.forwarding, now);
  }
}

export interface OwnNetworksParts {
  readonly engine: Pick<Engine, 'containers'>;
  readonly network: Pick<Network, 'portId'>;
  readonly feed: EventFeed;
  /** Our own container. */
  readonly id: string;
  /** What it fails at is tried again. */
  readonly onSeen: (self: ContainerDetails) => void;
}

const retryMs = 2_000;

/** With the scope. Hands back what asks for a look. */
export function followOwnNetworks(
  { scope, log, clock }: Pick<Program, 'scope' | 'log' | 'clock'>,
  { engine, network, feed, id, onSeen }: OwnNetworksParts,
): () => void {
  const wakeup = new Wakeup();
  const accepts = ({ type, action, attributes }: EngineEvent): boolean =>
    type === 'network' && attributes['container'] === id && (action === 'connect' || action === 'disconnect');
  const listen = async (signal: AbortSignal): Promise<void> => {
    for await (const _ of feed.subscribe({ signal, accepts })) wakeup.wake();
  };
  // Docker tells of a network and the kernel of its interface, in whatever order.
  watchNetwork(scope, { clock, log }, { watched: ['links'] }, (event) => {
    if (event.kind === 'resync' || event.by !== network.portId) wakeup.wake();
  });
  scope.spawn('own networks', async (signal) => {
    const look = async (): Promise<void> => {
      while (!signal.aborted) {
        await wakeup.wait(signal);
        if (signal.aborted) return;
        try {
          onSeen(await inspectSelf(engine.containers, [id], signal));
        } catch {
          // That Docker does not answer is told by those who follow the backends.
          await pause(clock, retryMs, signal);
          wakeup.wake();
        }
      }
    };
    await Promise.all([listen(signal), look()]);
  });
  return () => wakeup.wake();
}
