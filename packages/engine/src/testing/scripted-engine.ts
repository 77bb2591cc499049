import { mkdtempSync, rmSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoint } from '../http/index.ts';

export interface Asked {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Answer = (asked: Asked, response: ServerResponse) => void;

/**
 * A server that plays the engine from a script: the newest answer that was put down for a request is the one that it gets.
 * For what no real engine does on demand; what a real one does is tested against a real one.
 */
export class ScriptedEngine implements AsyncDisposable {
  readonly asked: Asked[] = [];
  readonly endpoint: Endpoint;
  readonly #server: http.Server;
  readonly #folder: string;
  readonly #answers: { readonly request: string; readonly answer: Answer }[] = [];
  /** How many connections were ever opened. */
  connections = 0;

  static async start(apiVersion = '1.41', over: 'unix' | 'tcp' = 'unix'): Promise<ScriptedEngine> {
    const folder = mkdtempSync(join(tmpdir(), 'berth-engine-'));
    const socketPath = join(folder, 'engine.sock');
    const server = http.createServer();
    await new Promise<void>((resolve) => {
      if (over === 'unix') server.listen(socketPath, resolve);
      else server.listen(0, '127.0.0.1', resolve);
    });
    const endpoint: Endpoint =
      over === 'unix'
        ? { kind: 'unix', socketPath }
        : { kind: 'tcp', host: '127.0.0.1', port: (server.address() as AddressInfo).port, basePath: '' };
    return new ScriptedEngine(server, folder, endpoint, apiVersion);
  }

  private constructor(server: http.Server, folder: string, endpoint: Endpoint, apiVersion: string) {
    this.#server = server;
    this.#folder = folder;
    this.endpoint = endpoint;
    server.on('request', (request, response) => void this.#serve(request, response));
    server.on('connection', () => this.connections++);
    this.speak(apiVersion);
  }

  /** From now on the engine offers this version. */
  speak(apiVersion: string): void {
    this.on('GET /_ping', (_, response) => response.setHeader('Api-Version', apiVersion).end('OK'));
  }

  /** `request` is the method and the path, with or without its version: "GET /containers/json". */
  on(request: string, answer: Answer): void {
    this.#answers.unshift({ request, answer });
  }

  json(request: string, value: unknown, status = 200): void {
    this.on(request, (_, response) => {
      response.statusCode = status;
      response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
    });
  }

  fail(request: string, status: number, message: string): void {
    this.json(request, { message }, status);
  }

  requests(method: string, path: string): Asked[] {
    return this.asked.filter((asked) => asked.method === method && withoutVersion(asked.path) === path);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://engine');
    const body = await readBody(request);
    if (body === undefined) return;
    const { method = '', headers } = request;
    const asked = { method, path: url.pathname, query: url.searchParams, headers, body };
    this.asked.push(asked);
    const wanted = [`${method} ${url.pathname}`, `${method} ${withoutVersion(url.pathname)}`];
    const found = this.#answers.find((known) => wanted.includes(known.request));
    if (found !== undefined) found.answer(asked, response);
    else
      response
        .writeHead(404, { 'content-type': 'application/json' })
        .end(JSON.stringify({ message: `no answer was put down for ${wanted[1]}` }));
  }

  get openConnections(): Promise<number> {
    return new Promise((resolve) => this.#server.getConnections((_, count) => resolve(count)));
  }

  /** Closes every connection that nobody is using, as a proxy does after a while. */
  closeIdleConnections(): void {
    this.#server.closeIdleConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Nothing where the client gave up. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  let body = '';
  try {
    for await (const chunk of request) body += String(chunk);
    return body;
  } catch {
    return undefined;
  }
}

const withoutVersion = (path: string): string => path.replace(/^\/v\d+\.\d+/, '');
