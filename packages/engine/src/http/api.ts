import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { engineErrors } from '../errors.ts';
import { type ApiVersion, formatApiVersion, negotiate, parseApiVersion } from './api-version.ts';
import type { CallOptions } from './call-guard.ts';
import { answerFailure } from './failures.ts';
import { type JsonLine, jsonLines } from './json-lines.ts';
import type { Reply } from './reply.ts';
import type { Request, Transport } from './transport.ts';

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface ApiRequest {
  readonly method: Request['method'];
  /** Below the version: "/containers/json". */
  readonly path: string;
  readonly query?: Query;
  readonly headers?: OutgoingHttpHeaders;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is; says its own content type in the headers. */
  readonly body?: AsyncIterable<Uint8Array>;
  readonly what: string;
}

/** One answer, for whoever watches what we are allowed to do. */
export interface Answered {
  readonly method: Request['method'];
  /** Below the version, and without the query. */
  readonly path: string;
  readonly status: number;
}

const ANSWER_LIMIT_BYTES = 64 * 1024 * 1024;
const FAILURE_LIMIT_BYTES = 64 * 1024;

/** Docker's HTTP API: one version for all requests, JSON both ways, every failure an error of ours. */
export class Api {
  readonly transport: Transport;
  readonly #negotiates: boolean;
  readonly #onAnswer: ((answered: Answered) => void) | undefined;
  #version: ApiVersion | undefined;

  /** `version` (DOCKER_API_VERSION) switches the negotiation off. */
  constructor(transport: Transport, version?: string, onAnswer?: (answered: Answered) => void) {
    this.transport = transport;
    this.#onAnswer = onAnswer;
    this.#negotiates = version === undefined || version === '';
    if (version === undefined || this.#negotiates) return;
    this.#version = parseApiVersion(version);
    if (this.#version === undefined)
      throw engineErrors.error('ENGINE_CONFIGURATION', `DOCKER_API_VERSION "${version}" is not like 1.41`);
  }

  /** What we speak with this engine; asks it the first time, and again after the connection failed. */
  async version(options?: CallOptions): Promise<ApiVersion> {
    this.#version ??= await this.#ask(options);
    return this.#version;
  }

  /** The head of the answer to a sign of life. */
  async ping(options?: CallOptions, what = 'ping the engine'): Promise<IncomingHttpHeaders> {
    const reply = await this.transport.send({ method: 'GET', path: '/_ping', what }, options);
    const body = await reply.text(FAILURE_LIMIT_BYTES);
    if (reply.status !== 200) throw answerFailure(reply.status, body, what);
    return reply.headers;
  }

  async #ask(options: CallOptions | undefined): Promise<ApiVersion> {
    const { 'api-version': offered } = await this.ping(options, 'ask the engine for its API version');
    return negotiate(typeof offered === 'string' ? offered : undefined, this.transport.where);
  }

  /** For requests whose answer is JSON. */
  async json(request: ApiRequest, options?: CallOptions): Promise<unknown> {
    const reply = await this.#send(request, options, false);
    const text = await reply.text(ANSWER_LIMIT_BYTES);
    try {
      return JSON.parse(text);
    } catch (error) {
      throw engineErrors.error('ENGINE_ANSWER', `cannot ${request.what}: the answer is not JSON`, {
        cause: error,
      });
    }
  }

  /** For requests whose answer is JSON, one value a line. */
  async jsonLines(request: ApiRequest, options?: CallOptions): Promise<JsonLine[]> {
    const reply = await this.#send(request, options, false);
    return Array.fromAsync(jsonLines(reply, request.what));
  }

  /** For requests whose answer says nothing beyond its status; false where nothing had to be done (304). */
  async done(request: ApiRequest, options?: CallOptions): Promise<boolean> {
    const reply = await this.#send(request, options, false);
    await reply.text(ANSWER_LIMIT_BYTES);
    return reply.status !== 304;
  }

  /** For requests whose answer is read while it comes. Whoever gets it reads it to the end or disposes of it. */
  stream(request: ApiRequest, options?: CallOptions): Promise<Reply> {
    return this.#send(request, options, true);
  }

  async #send(request: ApiRequest, options: CallOptions | undefined, streams: boolean): Promise<Reply> {
    for (let attempt = 1; ; attempt++) {
      const version = await this.version(options);
      try {
        return await this.#sendAs(version, request, options, streams);
      } catch (error) {
        if (!this.#negotiates) throw error;
        // Whatever made the connection fail, the engine that comes back may be another one.
        if (engineErrors.is(error, 'ENGINE_UNREACHABLE') || engineErrors.is(error, 'ENGINE_CONNECTION_LOST'))
          this.#version = undefined;
        // It came back between two of our requests, and refused the version before it looked at the request.
        if (!engineErrors.is(error, 'ENGINE_API_VERSION') || attempt > 1 || request.body !== undefined)
          throw error;
        this.#version = undefined;
      }
    }
  }

  async #sendAs(
    version: ApiVersion,
    request: ApiRequest,
    options: CallOptions | undefined,
    streams: boolean,
  ): Promise<Reply> {
    const body = request.json === undefined ? request.body : Buffer.from(JSON.stringify(request.json));
    const reply = await this.transport.send(
      {
        method: request.method,
        path: `/v${formatApiVersion(version)}${request.path}${queryString(request.query)}`,
        headers: {
          ...(request.json === undefined ? {} : { 'content-type': 'application/json' }),
          ...(Buffer.isBuffer(body) ? { 'content-length': body.length } : {}),
          ...(body === undefined && request.method !== 'GET' && request.method !== 'HEAD'
            ? { 'content-length': 0 }
            : {}),
          ...request.headers,
        },
        body,
        what: request.what,
        streams,
      },
      options,
    );
    this.#onAnswer?.({ method: request.method, path: request.path, status: reply.status });
    if ((reply.status >= 200 && reply.status < 300) || reply.status === 304) return reply;
    throw answerFailure(reply.status, await reply.text(FAILURE_LIMIT_BYTES), request.what);
  }
}

/** Left out: what is undefined. */
function queryString(query: Query | undefined): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  if (given.length === 0) return '';
  return `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString()}`;
}

/** The engine's form of a filter: all keys have to match, and one of the values of each. */
export type Filters = Readonly<Record<string, readonly string[] | undefined>>;

export function filterQuery(filters: Filters | undefined): string | undefined {
  const given = Object.entries(filters ?? {}).filter(
    ([, values]) => values !== undefined && values.length > 0,
  );
  return given.length === 0 ? undefined : JSON.stringify(Object.fromEntries(given));
}

/** A name or an id as a part of a path. An image's name may have slashes, and keeps them. */
export function segment(ref: string, what: string): string {
  const parts = ref.replace(/^\//, '').split('/');
  // The engine would tidy such a path up and answer for another one.
  if (parts.some((part) => part === '' || part === '.' || part === '..'))
    throw engineErrors.error('ENGINE_BAD_REQUEST', `cannot ${what}: "${ref}" is no name and no id`);
  return parts.map(encodeURIComponent).join('/');
}
