import type { EndpointSettings, NetworkCreateRequest } from '@docker/node-sdk';
import { type Api, type CallOptions, Fields, type Filters, filterQuery, segment } from '../http/index.ts';
import type { Network, NetworkDetails, Networks } from './networks.ts';

export class DockerNetworks implements Networks {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async list(filters?: Filters, options?: CallOptions): Promise<Network[]> {
    const query = { filters: filterQuery(filters) };
    const answer = await this.#api.json(
      { method: 'GET', path: '/networks', query, what: 'list networks' },
      options,
    );
    return Fields.list(answer, 'the list of networks').map(parseNetwork);
  }

  async inspect(ref: string, options?: CallOptions): Promise<NetworkDetails> {
    const what = `inspect network ${ref}`;
    return parseDetails(await this.#api.json({ method: 'GET', path: pathOf(ref, what), what }, options));
  }

  async create(request: NetworkCreateRequest, options?: CallOptions): Promise<string> {
    const answer = await this.#api.json(
      {
        method: 'POST',
        path: '/networks/create',
        // Without this, an engine before 24 makes a second network of the same name.
        json: { CheckDuplicate: true, ...request },
        what: `create network ${request.Name}`,
      },
      options,
    );
    return new Fields(answer, 'the created network').text('Id');
  }

  async remove(ref: string, options?: CallOptions): Promise<void> {
    const what = `remove network ${ref}`;
    await this.#api.done({ method: 'DELETE', path: pathOf(ref, what), what }, options);
  }

  async connect(
    ref: string,
    container: string,
    endpoint: EndpointSettings = {},
    options?: CallOptions,
  ): Promise<void> {
    const what = `connect container ${container} to network ${ref}`;
    const json = { Container: container, EndpointConfig: endpoint };
    await this.#api.done({ method: 'POST', path: pathOf(ref, what, '/connect'), json, what }, options);
  }

  async disconnect(
    ref: string,
    container: string,
    options: CallOptions & { readonly force?: boolean } = {},
  ): Promise<void> {
    const what = `disconnect container ${container} from network ${ref}`;
    const json = { Container: container, Force: options.force ?? false };
    await this.#api.done({ method: 'POST', path: pathOf(ref, what, '/disconnect'), json, what }, options);
  }
}

const pathOf = (ref: string, what: string, below = ''): string => `/networks/${segment(ref, what)}${below}`;

function parseNetwork(fields: Fields): Network {
  return {
    id: fields.text('Id'),
    name: fields.text('Name'),
    driver: fields.maybeText('Driver') ?? '',
    scope: fields.maybeText('Scope') ?? '',
    internal: fields.flag('Internal'),
    ipv6: fields.flag('EnableIPv6'),
    labels: fields.textMap('Labels'),
    options: fields.textMap('Options'),
    pools: (fields.maybeFields('IPAM')?.list('Config') ?? []).map((pool) => ({
      subnet: pool.maybeText('Subnet'),
      gateway: pool.maybeText('Gateway'),
      range: pool.maybeText('IPRange'),
    })),
  };
}

function parseDetails(answer: unknown): NetworkDetails {
  const fields = new Fields(answer, 'the inspected network');
  return {
    ...parseNetwork(fields),
    members: Object.fromEntries(
      fields.each('Containers').map(([id, member]) => [
        id,
        {
          name: member.maybeText('Name') ?? '',
          endpointId: member.maybeText('EndpointID'),
          mac: member.maybeText('MacAddress'),
          ipv4: member.maybeText('IPv4Address'),
          ipv6: member.maybeText('IPv6Address'),
        },
      ]),
    ),
  };
}
