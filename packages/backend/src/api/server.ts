/** The listener: plain or TLS, with the time limits of the contract, drained at the end. */
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type Clock, formatHostPort, nodeHttp, parseHostPort, type Scope } from '@berth/service';
import type { Log } from '@berth/service/log';
import { errors } from '../errors.ts';
import { bodyTooLarge, refusal } from './answer.ts';
import { type HandlerOptions, requestHandler, sendAnswer } from './handler.ts';
import type { TlsSettings } from './tls.ts';

const readMs = 30_000;
/** From the head of a request to the end of its answer; a little before, the caller hears that it is not done. */
const writeMs = 30_000;
const unfinishedMs = 28_000;
const idleMs = 120_000;
const drainMs = 30_000;

export interface ServerOptions extends HandlerOptions {
  readonly address: string;
  readonly tls: TlsSettings | undefined;
  readonly clock: Pick<Clock, 'after'>;
  /** The listener broke after it had started. */
  readonly onFailure: (error: unknown) => void;
}

/** Listens until the scope ends; then lets requests under way finish. Says the address with its real port. */
export async function listen(scope: Scope, options: ServerOptions): Promise<string> {
  const { address, log, clock } = options;
  const parsed = parseHostPort(address);
  if (typeof parsed === 'string') throw errors.error('listen_failed', `listen_addr ${address}: ${parsed}`);
  const server = await serverFor(options, withTimeLimit(requestHandler(options), clock));
  try {
    await listening(server, parsed.host, parsed.port);
  } catch (error) {
    throw errors.error('listen_failed', `cannot listen on ${address}`, { cause: error });
  }
  server.on('error', options.onFailure);
  server.on('request', (_, response) => {
    // Once nothing new is taken, a connection that has had its last answer would keep the end waiting.
    response.once('close', () => {
      if (!server.listening) setImmediate(() => server.closeIdleConnections());
    });
  });
  scope.defer(() => drained(server, clock, log), 'listener');
  const port = (server.address() as AddressInfo).port;
  return formatHostPort({ ...parsed, port });
}

async function serverFor({ tls, log }: ServerOptions, handler: RequestListener): Promise<Server> {
  const limits = { requestTimeout: readMs, headersTimeout: readMs, keepAliveTimeout: idleMs };
  if (tls === undefined)
    return nodeHttp().createServer({ ...limits, connectionsCheckingInterval: 1000 }, handler);
  // Loaded where it is used: it costs every process that has it some megabytes.
  const [{ createServer }, { clientIsAllowed, tlsOptions }] = await Promise.all([
    import('node:https'),
    import('./tls.ts'),
  ]);
  const server = createServer({ ...tlsOptions(tls), ...limits, connectionsCheckingInterval: 1000 }, handler);
  server.on('secureConnection', (socket: TLSSocket) => {
    if (clientIsAllowed(socket, tls.clientNames)) return;
    log.warn('client certificate refused, not an allowed name', { remote: socket.remoteAddress });
    socket.destroy();
  });
  return server;
}

/** The caller of something that takes too long repeats; work that was accepted goes on. */
function withTimeLimit(handler: RequestListener, clock: Pick<Clock, 'after'>): RequestListener {
  return (request, response) => {
    let limit = clock.after(unfinishedMs, () => {
      // A body that is still not here stays unread: nothing else can be said on this connection.
      if (!request.complete)
        sendAnswer(request, response, { ...bodyTooLarge, headers: { Connection: 'close' } });
      else sendAnswer(request, response, refusal(500, 'not finished yet; it goes on, repeat the request'));
      limit = clock.after(writeMs - unfinishedMs, () => response.destroy());
    });
    response.on('close', () => limit.cancel());
    handler(request, response);
  };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host !== '' && { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function drained(server: Server, clock: Pick<Clock, 'after'>, log: Log): Promise<void> {
  return new Promise((resolve) => {
    const hurry = clock.after(drainMs, () => {
      log.warn('requests still open after the time to drain, closing them');
      server.closeAllConnections();
    });
    server.close(() => {
      hurry.cancel();
      resolve();
    });
    server.closeIdleConnections();
  });
}
