import type { EndpointSettings, NetworkCreateRequest } from '@docker/node-sdk';
import type { CallOptions, Filters } from '../http/index.ts';

export interface AddressPool {
  readonly subnet: string | undefined;
  readonly gateway: string | undefined;
  readonly range: string | undefined;
}

/** A container on a network, as the network tells it. Addresses have their prefix lengths. */
export interface NetworkMember {
  readonly name: string;
  readonly endpointId: string | undefined;
  readonly mac: string | undefined;
  readonly ipv4: string | undefined;
  readonly ipv6: string | undefined;
}

export interface Network {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  /** "local", "swarm", "global" */
  readonly scope: string;
  readonly internal: boolean;
  readonly ipv6: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly pools: readonly AddressPool[];
}

export interface NetworkDetails extends Network {
  /** The running containers on it, by their ids. */
  readonly members: Readonly<Record<string, NetworkMember>>;
}

/** `ref` is an id, the beginning of one, or a name. Names of networks need not be unique; ids are. */
export interface Networks {
  list(filters?: Filters, options?: CallOptions): Promise<Network[]>;
  inspect(ref: string, options?: CallOptions): Promise<NetworkDetails>;
  /** The id. Refuses a name that exists already. */
  create(request: NetworkCreateRequest, options?: CallOptions): Promise<string>;
  remove(ref: string, options?: CallOptions): Promise<void>;
  connect(ref: string, container: string, endpoint?: EndpointSettings, options?: CallOptions): Promise<void>;
  /** `force`: also where the container, or its endpoint, is not what the network remembers. */
  disconnect(
    ref: string,
    container: string,
    options?: CallOptions & { readonly force?: boolean },
  ): Promise<void>;
}
