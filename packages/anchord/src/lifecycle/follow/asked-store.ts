/**
 * What the follower had asked for on the network: aliases, fixed addresses, driver options. While it is off the network Docker
 * does not know that any more, and neither would a rebinder that is started meanwhile, as after a restart of the host.
 */
import type { askedEndpoint } from '@berth/engine';
import { StateFile } from '../../state-file.ts';

export type Endpoint = ReturnType<typeof askedEndpoint>;

export interface Asked {
  /** The follower's id: one that Compose makes anew is attached by Compose. */
  readonly follower: string;
  /** Its name: what was asked for on another one means nothing here. */
  readonly network: string;
  readonly endpoint: Endpoint;
}

export interface AskedStore {
  load(): Asked | undefined;
  /** Throws where it cannot be written down. */
  save(asked: Asked): void;
}

export class AskedFile implements AskedStore {
  readonly #file: StateFile;

  constructor(path = '/var/lib/anchord/follower.json') {
    this.#file = new StateFile(path);
  }

  load(): Asked | undefined {
    const value = this.#file.load();
    if (typeof value !== 'object' || value === null) return undefined;
    const { follower, network, endpoint }: Record<string, unknown> = { ...value };
    if (typeof follower !== 'string' || typeof network !== 'string') return undefined;
    return typeof endpoint === 'object' && endpoint !== null ? { follower, network, endpoint } : undefined;
  }

  save(asked: Asked): void {
    this.#file.save(asked);
  }
}
