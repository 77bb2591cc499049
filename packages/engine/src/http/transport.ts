import { readFileSync } from 'node:fs';
import type {
  Agent,
  ClientRequest,
  IncomingMessage,
  OutgoingHttpHeaders,
  RequestOptions,
  request,
} from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { join } from 'node:path';
import { type Clock, nodeHttp } from '@berth/service';
import { engineErrors } from '../errors.ts';
import { CallGuard, type CallOptions } from './call-guard.ts';
import { describeEndpoint, type Endpoint, type TlsFiles } from './endpoint.ts';
import { connectionFailure, type Progress } from './failures.ts';
import { Reply } from './reply.ts';

export interface Request {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** With the query. */
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer | AsyncIterable<Uint8Array> | undefined;
  /** For messages: "list containers", as in "cannot list containers". */
  readonly what: string;
  /** The answer is read as it comes, and the time limit ends with its head. */
  readonly streams?: boolean;
}

const DEFAULT_TIMEOUT_MS = 60_000;
/** Reads wait for each other beyond this; changes and streams have sockets of their own. */
const POOLED_SOCKETS = 8;
const IDLE_SOCKETS = 2;
const TCP_KEEP_ALIVE_MS = 30_000;

/** The other side had closed a kept connection before we wrote to it. No answer was read, so a read may ask again. */
const stale = new Error('the kept connection was closed already');

interface Door {
  readonly request: typeof request;
  readonly fixed: RequestOptions & {
    readonly ca?: Buffer;
    readonly cert?: Buffer;
    readonly key?: Buffer;
  };
  readonly pool: Agent | HttpsAgent;
}

/**
 * Requests over one endpoint. Reads share a small pool of kept-alive connections. A change always takes a fresh one: the
 * other side may close a kept connection at any moment, and then nobody could tell whether the change was made.
 */
export class Transport {
  readonly where: string;
  readonly #endpoint: Endpoint;
  readonly clock: Clock;
  #door: Promise<Door> | undefined;
  #closed = false;

  constructor(endpoint: Endpoint, clock: Clock) {
    this.where = describeEndpoint(endpoint);
    this.#endpoint = endpoint;
    this.clock = clock;
  }

  async send(request: Request, options: CallOptions = {}): Promise<Reply> {
    if (this.#closed)
      throw engineErrors.error('ENGINE_ABORTED', `cannot ${request.what}: the engine client is closed`);
    this.#door ??= openDoor(this.#endpoint);
    const door = await this.#door.catch((error: unknown) => {
      this.#door = undefined;
      throw error;
    });
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const pooled = isRead && request.streams !== true;
    try {
      return await this.#attempt(door, request, options, pooled);
    } catch (error) {
      if (error !== stale) throw error;
      return this.#attempt(door, request, options, false);
    }
  }

  #attempt(door: Door, request: Request, options: CallOptions, pooled: boolean): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
      const guard = new CallGuard(this.clock, request.what, timeoutMs, options.signal);
      if (guard.tripped !== undefined) {
        reject(guard.tripped);
        return;
      }
      let progress: Progress = 'connecting';
      let bodyFailure: unknown;
      const outgoing = door.request({
        ...door.fixed,
        method: request.method,
        path: this.#endpoint.kind === 'tcp' ? this.#endpoint.basePath + request.path : request.path,
        // A fresh connection is closed by us, when the answer is complete: an engine that closes it may do so before it was
        // told the end of a body, and the answer would be lost over that last write.
        headers: { ...door.fixed.headers, connection: 'keep-alive', ...request.headers },
        agent: pooled ? door.pool : false,
      });
      guard.watch(outgoing);
      outgoing.on('socket', (socket) => {
        if (this.#endpoint.kind === 'tcp') socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
        if (socket.connecting) socket.once('connect', () => (progress = 'asked'));
        else progress = 'asked';
      });
      outgoing.on('response', (message: IncomingMessage) => {
        progress = 'answering';
        if (request.streams === true) guard.stopTimer();
        resolve(new Reply(message, guard, request.what, this.where));
      });
      outgoing.on('error', (error) => {
        guard.release();
        if (outgoing.reusedSocket && progress === 'asked' && isClosed(error) && guard.tripped === undefined)
          reject(stale);
        else
          reject(
            guard.tripped ?? bodyFailure ?? connectionFailure(error, request.what, progress, this.where),
          );
      });
      sendBody(outgoing, request.body, (error) => {
        bodyFailure = error;
        outgoing.destroy(error instanceof Error ? error : new Error(String(error)));
      });
    });
  }

  /** Closes what is idle; calls that are under way end by their own signals. */
  async close(): Promise<void> {
    this.#closed = true;
    const door = await this.#door?.catch(() => undefined);
    door?.pool.destroy();
  }
}

const isClosed = (error: Error): boolean =>
  'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');

function sendBody(outgoing: ClientRequest, body: Request['body'], onFailure: (error: unknown) => void): void {
  if (body === undefined || Buffer.isBuffer(body)) outgoing.end(body);
  else void pump(outgoing, body).catch(onFailure);
}

async function pump(outgoing: ClientRequest, body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of body) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(chunk)) await drained(outgoing);
  }
  outgoing.end();
}

function drained(outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('drain', done);
      outgoing.off('close', done);
      resolve();
    };
    outgoing.on('drain', done);
    outgoing.on('close', done);
  });
}

async function openDoor(endpoint: Endpoint): Promise<Door> {
  const headers = { 'user-agent': 'berth' };
  const http = nodeHttp();
  const keep = { keepAlive: true, maxSockets: POOLED_SOCKETS, maxFreeSockets: IDLE_SOCKETS };
  if (endpoint.kind === 'unix') {
    const fixed = { socketPath: endpoint.socketPath, headers: { ...headers, host: 'docker' } };
    return { request: http.request, fixed, pool: new http.Agent(keep) };
  }
  const address = { host: endpoint.host, port: endpoint.port, headers };
  if (endpoint.tls === undefined)
    return { request: http.request, fixed: address, pool: new http.Agent(keep) };
  // Loaded only where TLS is spoken: the module costs a daemon some megabytes.
  const https = await import('node:https');
  const fixed = { ...address, ...readIdentity(endpoint.tls), rejectUnauthorized: endpoint.tls.verify };
  return { request: https.request, fixed, pool: new https.Agent(keep) };
}

function readIdentity({ folder }: TlsFiles): { ca?: Buffer; cert?: Buffer; key?: Buffer } {
  if (folder === '') return {};
  const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((name) => {
    const file = join(folder, name);
    try {
      return readFileSync(file);
    } catch (error) {
      throw engineErrors.error('ENGINE_CONFIGURATION', `cannot read the TLS file ${file}: ${String(error)}`, {
        cause: error,
      });
    }
  });
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}
