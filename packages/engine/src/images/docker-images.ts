import { engineErrors } from '../errors.ts';
import {
  type Api,
  type ApiRequest,
  type CallOptions,
  Fields,
  type Filters,
  filterQuery,
  jsonLines,
  segment,
} from '../http/index.ts';
import { parseImageReference } from '../references/index.ts';
import type {
  ImageDetails,
  ImageSummary,
  Images,
  ImportOptions,
  PullOptions,
  PullProgress,
  RegistryCredentials,
} from './images.ts';

export class DockerImages implements Images {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async list(filters?: Filters, options?: CallOptions): Promise<ImageSummary[]> {
    const query = { filters: filterQuery(filters) };
    const answer = await this.#api.json(
      { method: 'GET', path: '/images/json', query, what: 'list images' },
      options,
    );
    return Fields.list(answer, 'the list of images').map((fields) => ({
      id: fields.text('Id'),
      tags: fields.texts('RepoTags').filter(isName),
      digests: fields.texts('RepoDigests').filter(isName),
      labels: fields.textMap('Labels'),
      sizeBytes: fields.maybeNumber('Size') ?? 0,
    }));
  }

  async inspect(ref: string, options?: CallOptions): Promise<ImageDetails> {
    const what = `inspect image ${ref}`;
    const path = `/images/${segment(ref, what)}/json`;
    return parseDetails(await this.#api.json({ method: 'GET', path, what }, options));
  }

  async pull(ref: string, options: PullOptions = {}): Promise<void> {
    const { registry, path, tag, digest } = parseImageReference(ref);
    const { credentials, platform, onProgress } = options;
    await this.#create(
      {
        method: 'POST',
        path: '/images/create',
        // Without a tag the engine would pull them all.
        query: { fromImage: `${registry}/${path}`, tag: digest ?? tag ?? 'latest', platform },
        headers: credentials === undefined ? {} : { 'x-registry-auth': encodeCredentials(credentials) },
        what: `pull image ${ref}`,
      },
      options,
      onProgress,
    );
  }

  async import(ref: string, tar: AsyncIterable<Uint8Array>, options: ImportOptions = {}): Promise<void> {
    const { registry, path, tag } = parseImageReference(ref);
    await this.#create(
      {
        method: 'POST',
        path: '/images/create',
        query: {
          fromSrc: '-',
          repo: `${registry}/${path}`,
          tag: tag ?? 'latest',
          changes: options.changes?.join('\n'),
        },
        headers: { 'content-type': 'application/x-tar' },
        body: tar,
        what: `import image ${ref}`,
      },
      options,
    );
  }

  /** The status is 200 before the work has begun: whether it succeeded stands in the stream. */
  async #create(
    request: ApiRequest,
    options: CallOptions,
    onProgress?: (progress: PullProgress) => void,
  ): Promise<void> {
    using reply = await this.#api.stream(request, { timeoutMs: Number.POSITIVE_INFINITY, ...options });
    for await (const { value } of jsonLines(reply, request.what)) {
      const fields = new Fields(value, `the progress of "${request.what}"`);
      const problem = fields.maybeFields('errorDetail')?.maybeText('message') ?? fields.maybeText('error');
      if (problem !== undefined)
        throw engineErrors.error('ENGINE_PULL_FAILED', `cannot ${request.what}: ${problem}`);
      const detail = fields.maybeFields('progressDetail');
      onProgress?.({
        id: fields.maybeText('id'),
        status: fields.maybeText('status') ?? '',
        currentBytes: detail?.maybeNumber('current'),
        totalBytes: detail?.maybeNumber('total'),
      });
    }
  }

  async tag(ref: string, newRef: string, options?: CallOptions): Promise<void> {
    const { registry, path, tag } = parseImageReference(newRef);
    const what = `tag image ${ref} as ${newRef}`;
    await this.#api.done(
      {
        method: 'POST',
        path: `/images/${segment(ref, what)}/tag`,
        query: { repo: `${registry}/${path}`, tag: tag ?? 'latest' },
        what,
      },
      options,
    );
  }

  async remove(ref: string, options: CallOptions & { readonly force?: boolean } = {}): Promise<void> {
    const what = `remove image ${ref}`;
    const query = { force: options.force };
    await this.#api.json({ method: 'DELETE', path: `/images/${segment(ref, what)}`, query, what }, options);
  }
}

/** What an engine before 25 writes for an image without a name. */
const isName = (name: string): boolean => !name.startsWith('<none>');

const encodeCredentials = ({ username, password, registry }: RegistryCredentials): string =>
  Buffer.from(JSON.stringify({ username, password, serveraddress: registry })).toString('base64url');

function parseDetails(answer: unknown): ImageDetails {
  const fields = new Fields(answer, 'the inspected image');
  const config = fields.maybeFields('Config') ?? new Fields({}, 'the configuration of the image');
  return {
    id: fields.text('Id'),
    tags: fields.texts('RepoTags'),
    digests: fields.texts('RepoDigests'),
    os: fields.maybeText('Os') ?? '',
    architecture: fields.maybeText('Architecture') ?? '',
    sizeBytes: fields.maybeNumber('Size') ?? 0,
    user: config.maybeText('User') ?? '',
    volumes: config.keys('Volumes').sort(),
    exposedPorts: config.keys('ExposedPorts').sort(),
    env: config.texts('Env'),
    entrypoint: config.texts('Entrypoint'),
    command: config.texts('Cmd'),
    labels: config.textMap('Labels'),
    hasHealthCheck: config.maybeFields('Healthcheck') !== undefined,
  };
}
