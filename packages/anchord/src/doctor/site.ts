/** Where the doctor stands, and what can be seen from there. Each thing is looked at once. */
import type { ContainerDetails, ContainerSummary, Network as DockerNetwork, Engine } from '@berth/engine';
import type { Link, Network } from '@berth/kernel/network';
import type { Clock } from '@berth/service';
import type { NetworkAnchorSettings, ServiceAnchorSettings } from '../config/settings.ts';
import { inspectSelf, ownReferences } from '../discovery/index.ts';
import { chooseExternalInterface } from '../external/index.ts';
import type { Status } from '../status/index.ts';

/** Whose container this is. `outside`: of no anchor that runs, so only Docker can be asked. */
export type Role = 'network-anchor' | 'service-anchor' | 'external-rebinder' | 'wrap-rebinder' | 'outside';

export interface SiteParts {
  readonly role: Role;
  readonly engine: Engine;
  readonly network: Network;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** What the process beside us tells, or why it does not. */
  readonly status: Status | string;
  /** A network-anchor's settings; a text: why they cannot be used. */
  readonly anchor: NetworkAnchorSettings | string | undefined;
  readonly serviceAnchor: ServiceAnchorSettings | string | undefined;
}

export class Site {
  readonly parts: SiteParts;
  readonly #looks = new Map<string, unknown>();

  constructor(parts: SiteParts) {
    this.parts = parts;
  }

  get usesDocker(): boolean {
    return this.parts.role !== 'service-anchor';
  }

  /** The settings of the network-anchor that this is. Throws where they cannot be used. */
  anchor(): NetworkAnchorSettings {
    return usable(this.parts.anchor);
  }

  serviceAnchor(): ServiceAnchorSettings {
    return usable(this.parts.serviceAnchor);
  }

  /** What the process tells; undefined where it does not. */
  told(): Status | undefined {
    const { status } = this.parts;
    return typeof status === 'string' ? undefined : status;
  }

  /** All of the host, in every state. */
  containers(): Promise<readonly ContainerSummary[]> {
    const { engine, signal } = this.parts;
    return this.#once('containers', () => engine.containers.list({ all: true }, { signal }));
  }

  networks(): Promise<readonly DockerNetwork[]> {
    const { engine, signal } = this.parts;
    return this.#once('networks', () => engine.networks.list({}, { signal }));
  }

  self(): Promise<ContainerDetails> {
    const { engine, signal } = this.parts;
    return this.#once('self', () => inspectSelf(engine.containers, ownReferences(), signal));
  }

  /** Of a network-anchor. Undefined: there is none, or it cannot be told which one it is. */
  async externalLink(): Promise<Link | undefined> {
    const { network } = this.parts;
    const told = this.told()?.external?.interface;
    if (told !== undefined) return network.links.byName(told);
    const { external } = this.anchor();
    if (external.kind !== 'network') return network.links.byName(external.name);
    const { attachments } = await this.self();
    const attachment = attachments[external.network];
    const choice = chooseExternalInterface(
      network.links.list().filter(({ loopback }) => !loopback),
      attachment === undefined ? undefined : (attachment.mac ?? ''),
    );
    return choice.kind === 'found' ? network.links.byIndex(choice.link.index) : undefined;
  }

  #once<T>(what: string, look: () => Promise<T>): Promise<T> {
    const known = this.#looks.get(what) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const looking = look();
    this.#looks.set(what, looking);
    return looking;
  }
}

function usable<T extends object>(settings: T | string | undefined): T {
  if (typeof settings === 'object') return settings;
  throw new Error(settings ?? 'there are no settings');
}
