import type { VolumeCreateOptions } from '@docker/node-sdk';
import { type Api, type CallOptions, Fields, type Filters, filterQuery, segment } from '../http/index.ts';
import type { Volume, Volumes } from './volumes.ts';

export class DockerVolumes implements Volumes {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async list(filters?: Filters, options?: CallOptions): Promise<Volume[]> {
    const query = { filters: filterQuery(filters) };
    const answer = await this.#api.json(
      { method: 'GET', path: '/volumes', query, what: 'list volumes' },
      options,
    );
    return new Fields(answer, 'the list of volumes').list('Volumes').map(parseVolume);
  }

  async inspect(name: string, options?: CallOptions): Promise<Volume> {
    const what = `inspect volume ${name}`;
    const answer = await this.#api.json({ method: 'GET', path: pathOf(name, what), what }, options);
    return parseVolume(new Fields(answer, 'the inspected volume'));
  }

  async create(request: VolumeCreateOptions, options?: CallOptions): Promise<Volume> {
    const what = `create volume ${request.Name ?? 'without a name'}`;
    const answer = await this.#api.json(
      { method: 'POST', path: '/volumes/create', json: request, what },
      options,
    );
    return parseVolume(new Fields(answer, 'the created volume'));
  }

  async remove(name: string, options?: CallOptions): Promise<void> {
    const what = `remove volume ${name}`;
    await this.#api.done({ method: 'DELETE', path: pathOf(name, what), what }, options);
  }
}

const pathOf = (name: string, what: string): string => `/volumes/${segment(name, what)}`;

const parseVolume = (fields: Fields): Volume => ({
  name: fields.text('Name'),
  driver: fields.maybeText('Driver') ?? '',
  mountpoint: fields.maybeText('Mountpoint') ?? '',
  labels: fields.textMap('Labels'),
  options: fields.textMap('Options'),
});
