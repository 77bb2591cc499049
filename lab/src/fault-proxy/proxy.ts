import http, { type IncomingMessage, type RequestOptions, type ServerResponse } from 'node:http';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { sendBody } from './body.ts';
import type { Fault, FaultRule } from './fault.ts';
import type { Permission } from './permissions.ts';
import { ActiveRule } from './rules.ts';

export type Address = { readonly socketPath: string } | { readonly host: string; readonly port: number };

/** One request that came through, for tests that count. */
export interface Exchange {
  readonly method: string;
  /** As it came, with version and query. */
  readonly url: string;
  readonly fault: Fault['kind'] | undefined;
  /** Of the engine's answer; absent while there is none. */
  status: number | undefined;
}

/**
 * Stands before an engine's socket and does to the traffic what networks, proxies and dying engines do to it, on order.
 * Without a rule everything passes as it is, attached programs included.
 */
export class FaultProxy implements AsyncDisposable {
  readonly exchanges: Exchange[] = [];
  readonly #upstream: Address;
  readonly #listening: Address;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #end = new AbortController();
  #rules: ActiveRule[] = [];
  #permission: Permission | undefined;
  #address: Address;

  private constructor(upstream: Address, listening: Address) {
    this.#upstream = upstream;
    this.#listening = listening;
    this.#address = listening;
    // A client that breaks off, or is broken off, is what this is for: nothing of it is an error here.
    this.#server = http
      .createServer(
        (request, response) => void this.#serve(request, response).catch(() => response.destroy()),
      )
      .on('upgrade', (request, socket, head) => this.#attach(request, socket, head))
      .on('connection', (socket) => {
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket));
        socket.on('error', () => socket.destroy());
      });
  }

  static async start(upstream: Address, listening: Address): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream, listening);
    await proxy.accept();
    return proxy;
  }

  /** Where clients connect; with the port that was found, if none was asked for. */
  get address(): Address {
    return this.#address;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  /** The first rule that strikes a request counts, newest first. */
  add(rule: FaultRule): ActiveRule {
    const active = new ActiveRule(rule);
    this.#rules.unshift(active);
    return active;
  }

  /** Takes all rules away, and lets go what they hold. */
  clear(): void {
    for (const rule of this.#rules) rule.release();
    this.#rules = [];
  }

  /** Everything else is answered with 403, as socket proxies do; undefined: everything may pass. */
  permit(permission: Permission | undefined): void {
    this.#permission = permission;
  }

  /** Nobody can connect any more, and those who are connected are thrown out. */
  async refuse(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cutConnections();
    await closed;
  }

  /** Listens, again. */
  async accept(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(
        'socketPath' in this.#address ? { path: this.#address.socketPath } : this.#address,
        () => {
          this.#server.off('error', reject);
          resolve();
        },
      );
    });
    if ('host' in this.#listening)
      this.#address = { ...this.#listening, port: (this.#server.address() as AddressInfo).port };
  }

  cutConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** How often this was asked, by a method and the end of a path without its query: "GET /events". */
  count(method: string, path: string): number {
    return this.exchanges.filter(
      (exchange) => exchange.method === method && (exchange.url.split('?')[0] ?? '').endsWith(path),
    ).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    this.clear();
    await this.refuse();
  }

  #strike(method: string, path: string): { fault?: Fault; rule?: ActiveRule } {
    for (const rule of this.#rules) {
      const fault = rule.strike(method, path);
      if (fault !== undefined) return { fault, rule };
    }
    return {};
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    const path = url.split('?')[0] ?? url;
    if (this.#permission?.(method, path) === false) {
      this.exchanges.push({ method, url, fault: undefined, status: 403 });
      response.writeHead(403, { 'content-type': 'text/html' });
      response.end(
        '<html><body><h1>403 Forbidden</h1>Request forbidden by administrative rules.</body></html>',
      );
      return;
    }
    const { fault, rule } = this.#strike(method, path);
    const exchange: Exchange = { method, url, fault: fault?.kind, status: undefined };
    this.exchanges.push(exchange);
    if (fault?.kind === 'delay') await pause(fault.ms, undefined, { signal: this.#end.signal });
    if (fault?.kind === 'hold') await rule?.released(this.#end.signal);
    if (fault?.kind === 'drop') {
      response.destroy();
      return;
    }
    if (fault?.kind === 'fail') {
      request.resume();
      sendFailure(response, fault);
      return;
    }
    await this.#forward(request, response, exchange, fault, rule);
  }

  async #forward(
    request: IncomingMessage,
    response: ServerResponse,
    exchange: Exchange,
    fault: Fault | undefined,
    rule: ActiveRule | undefined,
  ): Promise<void> {
    const outgoing = http.request({ ...this.#target(request), agent: false });
    const gone = new AbortController();
    response.on('close', () => {
      gone.abort();
      // The engine is to notice that its client left, except where the fault is that only the answer is lost.
      if (!response.writableFinished && !losesAnswer(fault)) outgoing.destroy();
    });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.on('response', resolve);
      outgoing.on('error', reject);
    });
    request.pipe(outgoing);
    let answer: IncomingMessage;
    try {
      answer = await answered;
    } catch {
      response.destroy();
      return;
    }
    exchange.status = answer.statusCode;
    const ended = AbortSignal.any([this.#end.signal, gone.signal]);
    if (fault?.kind === 'delay-answer') await pause(fault.ms, undefined, { signal: ended });
    if (fault?.kind === 'hold-answer') await rule?.released(ended);
    if (fault?.kind === 'drop-answer' || fault?.kind === 'fail-after') {
      // Read to its end first: only then the engine is known to have done it.
      for await (const _ of answer);
      if (fault.kind === 'drop-answer') response.destroy();
      else sendFailure(response, fault);
      return;
    }
    await sendBody(answer, response, fault, ended);
  }

  /** A program is attached: the connection becomes a pipe, and no fault concerns it. */
  #attach(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.exchanges.push({
      method: request.method ?? '',
      url: request.url ?? '',
      fault: undefined,
      status: undefined,
    });
    const upstream = net.connect(
      'socketPath' in this.#upstream ? { path: this.#upstream.socketPath } : this.#upstream,
    );
    const end = (): void => {
      upstream.destroy();
      socket.destroy();
    };
    upstream.on('error', end).on('close', end);
    socket.on('error', end).on('close', end);
    const headers = request.rawHeaders.reduce(
      (text, value, index) => text + value + (index % 2 === 0 ? ': ' : '\r\n'),
      '',
    );
    upstream.write(`${request.method} ${request.url} HTTP/1.1\r\n${headers}\r\n`);
    upstream.write(head);
    socket.pipe(upstream).pipe(socket);
  }

  #target(request: IncomingMessage): RequestOptions {
    const { method, url, headers } = request;
    const address =
      'socketPath' in this.#upstream ? { socketPath: this.#upstream.socketPath } : this.#upstream;
    // Not "close": an engine that answers and closes before it was told the end of a request makes that last write fail,
    // and the answer is lost over it.
    return { ...address, method, path: url, headers: { ...headers, connection: 'keep-alive' } };
  }
}

const losesAnswer = (fault: Fault | undefined): boolean =>
  fault?.kind === 'drop-answer' || fault?.kind === 'fail-after' || fault?.kind === 'hold-answer';

function sendFailure(
  response: ServerResponse,
  fault: { readonly status: number; readonly message?: string },
): void {
  response.writeHead(fault.status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ message: fault.message ?? 'injected failure' }));
}
