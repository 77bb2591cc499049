import type { ContainerCreateRequest } from '@docker/node-sdk';
import { engineErrors } from '../errors.ts';
import {
  type Api,
  atLeast,
  type CallOptions,
  Fields,
  filterQuery,
  type Reply,
  segment,
} from '../http/index.ts';
import type {
  ContainerChanges,
  ContainerDetails,
  ContainerQuery,
  ContainerSummary,
  Containers,
  Created,
  CreateOptions,
  ExecOptions,
  Executed,
  RemoveOptions,
  StopOptions,
} from './containers.ts';
import { exec } from './exec.ts';
import type { ContainerLogs, LogQuery } from './logs.ts';
import { demultiplex, OutputCollector, terminalOutput } from './output.ts';
import { parseDetails, parseSummary } from './parse.ts';

const LOG_BYTES = 5 * 1024 * 1024;
/** What the engine grants a container that says nothing, and what we then wait beyond it. */
const USUAL_GRACE_S = 10;
const BEYOND_GRACE_MS = 60_000;
/** Since then an answer says itself whether its output is in frames. */
const SAYS_FRAMES = { major: 1, minor: 42 };

export class DockerContainers implements Containers {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async list(query: ContainerQuery = {}, options?: CallOptions): Promise<ContainerSummary[]> {
    const answer = await this.#api.json(
      {
        method: 'GET',
        path: '/containers/json',
        query: { all: query.all, filters: filterQuery(query.filters) },
        what: 'list containers',
      },
      options,
    );
    return Fields.list(answer, 'the list of containers').map(parseSummary);
  }

  async inspect(ref: string, options?: CallOptions): Promise<ContainerDetails> {
    const what = `inspect container ${ref}`;
    return parseDetails(
      await this.#api.json({ method: 'GET', path: pathOf(ref, what, '/json'), what }, options),
    );
  }

  async create(request: ContainerCreateRequest, options: CreateOptions = {}): Promise<Created> {
    const { name, platform } = options;
    const what = `create container ${name ?? `from ${request.Image ?? 'no image'}`}`;
    const answer = await this.#api.json(
      { method: 'POST', path: '/containers/create', query: { name, platform }, json: request, what },
      options,
    );
    const fields = new Fields(answer, 'the created container');
    return { id: fields.text('Id'), warnings: fields.texts('Warnings') };
  }

  start(ref: string, options?: CallOptions): Promise<boolean> {
    const what = `start container ${ref}`;
    return this.#api.done({ method: 'POST', path: pathOf(ref, what, '/start'), what }, options);
  }

  stop(ref: string, options: StopOptions = {}): Promise<boolean> {
    const what = `stop container ${ref}`;
    return this.#api.done(
      { method: 'POST', path: pathOf(ref, what, '/stop'), query: { t: options.graceS }, what },
      withGrace(options),
    );
  }

  async restart(ref: string, options: StopOptions = {}): Promise<void> {
    const what = `restart container ${ref}`;
    await this.#api.done(
      { method: 'POST', path: pathOf(ref, what, '/restart'), query: { t: options.graceS }, what },
      withGrace(options),
    );
  }

  async kill(ref: string, signal?: string, options?: CallOptions): Promise<void> {
    const what = `send ${signal ?? 'SIGKILL'} to container ${ref}`;
    await this.#api.done(
      { method: 'POST', path: pathOf(ref, what, '/kill'), query: { signal }, what },
      options,
    );
  }

  async rename(ref: string, name: string, options?: CallOptions): Promise<void> {
    const what = `rename container ${ref} to ${name}`;
    await this.#api.done(
      { method: 'POST', path: pathOf(ref, what, '/rename'), query: { name }, what },
      options,
    );
  }

  async remove(ref: string, options: RemoveOptions = {}): Promise<void> {
    const what = `remove container ${ref}`;
    const query = { force: options.force, v: options.volumes };
    await this.#api.done({ method: 'DELETE', path: pathOf(ref, what), query, what }, options);
  }

  async wait(
    ref: string,
    until: 'not-running' | 'next-exit' | 'removed' = 'not-running',
    options: CallOptions = {},
  ): Promise<number> {
    const what = `wait for container ${ref}`;
    const answer = await this.#api.json(
      { method: 'POST', path: pathOf(ref, what, '/wait'), query: { condition: until }, what },
      { timeoutMs: Number.POSITIVE_INFINITY, ...options },
    );
    const fields = new Fields(answer, 'the end of the container');
    const problem = fields.maybeFields('Error')?.maybeText('Message');
    if (problem !== undefined) throw engineErrors.error('ENGINE_SERVER_ERROR', `cannot ${what}: ${problem}`);
    return fields.number('StatusCode');
  }

  async logs(ref: string, query: LogQuery = {}, options?: CallOptions): Promise<ContainerLogs> {
    const what = `read the logs of container ${ref}`;
    const tty = await this.#hasTerminal(ref, options);
    const { tail, since, stdout = true, stderr = true, timestamps, maxBytes = LOG_BYTES } = query;
    using reply = await this.#api.stream(
      {
        method: 'GET',
        path: pathOf(ref, what, '/logs'),
        query: { tail, since, stdout, stderr, timestamps },
        what,
      },
      options,
    );
    const collected = new OutputCollector(maxBytes);
    for await (const chunk of (tty ?? isRaw(reply)) ? terminalOutput(reply) : demultiplex(reply, what)) {
      if (!collected.take(chunk)) break;
    }
    return { text: collected.text(), truncated: collected.truncated };
  }

  /** undefined: the answer itself will say. */
  async #hasTerminal(ref: string, options: CallOptions | undefined): Promise<boolean | undefined> {
    if (atLeast(await this.#api.version(options), SAYS_FRAMES)) return undefined;
    return (await this.inspect(ref, options)).tty;
  }

  exec(ref: string, argv: readonly string[], options: ExecOptions = {}): Promise<Executed> {
    return exec(this.#api, ref, argv, options);
  }

  readArchive(ref: string, path: string, options?: CallOptions): Promise<Reply> {
    const what = `read ${path} of container ${ref}`;
    return this.#api.stream(
      { method: 'GET', path: pathOf(ref, what, '/archive'), query: { path }, what },
      options,
    );
  }

  async writeArchive(
    ref: string,
    folder: string,
    tar: AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): Promise<void> {
    const what = `write below ${folder} of container ${ref}`;
    await this.#api.done(
      {
        method: 'PUT',
        path: pathOf(ref, what, '/archive'),
        query: { path: folder, noOverwriteDirNonDir: true },
        headers: { 'content-type': 'application/x-tar' },
        body: tar,
        what,
      },
      options,
    );
  }

  async update(ref: string, changes: ContainerChanges, options?: CallOptions): Promise<void> {
    const what = `update container ${ref}`;
    await this.#api.json(
      { method: 'POST', path: pathOf(ref, what, '/update'), json: changes, what },
      options,
    );
  }
}

const pathOf = (ref: string, what: string, below = ''): string => `/containers/${segment(ref, what)}${below}`;

const isRaw = (reply: Reply): boolean =>
  reply.headers['content-type'] === 'application/vnd.docker.raw-stream';

/** The engine answers when the container has ended, so the time limit lies beyond the grace. */
function withGrace(options: StopOptions): StopOptions {
  const timeoutMs = (options.graceS ?? USUAL_GRACE_S) * 1000 + BEYOND_GRACE_MS;
  return { ...options, timeoutMs: options.timeoutMs ?? timeoutMs };
}
