import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../clock.ts';
import { formatHostPort, parseHostPort } from '../host-port.ts';
import { type Log, message } from '../log/index.ts';
import { nodeHttp } from '../node-http.ts';
import type { Scope } from '../scope.ts';
import { type Answer, type Pages, plainText } from './pages.ts';

export const listenerMessages = {
  started: message(
    'info',
    'metrics listener started',
    ['addr'],
    'Metrics and health pages can be read there.',
  ),
  exited: message(
    'warn',
    'metrics listener exited',
    ['addr', 'err'],
    'Metrics and health pages cannot be read; everything else goes on.',
  ),
};

export interface ListenerOptions {
  /** `host:port`; no host means every interface, port 0 any free one. */
  readonly address: string;
  readonly pages: Pages;
  readonly log: Log;
  readonly clock: Pick<Clock, 'after'>;
}

const READ_HEADERS_MS = 5_000;
const READ_REQUEST_MS = 10_000;
const IDLE_MS = 30_000;
const CLOSE_MS = 2_000;
/** Scrapers and probes are few; whoever opens more than this gets no more. */
const CONNECTIONS = 64;

/**
 * Serves the pages until the scope ends. Returns the address, with the real port; undefined when it cannot listen: that
 * is logged, and no reason for a program to stop.
 */
export async function serve(scope: Scope, options: ListenerOptions): Promise<string | undefined> {
  const { address, pages, log } = options;
  const parsed = parseHostPort(address);
  if (typeof parsed === 'string') {
    log.say(listenerMessages.exited, { addr: address, err: parsed });
    return undefined;
  }
  const server = nodeHttp().createServer(
    {
      headersTimeout: READ_HEADERS_MS,
      requestTimeout: READ_REQUEST_MS,
      keepAliveTimeout: IDLE_MS,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => respond(request, response, pages, log),
  );
  server.maxConnections = CONNECTIONS;
  // Also for those who say nothing at all, or do not read what they asked for.
  server.timeout = READ_HEADERS_MS;
  try {
    await listening(server, parsed.host, parsed.port);
  } catch (err) {
    log.say(listenerMessages.exited, { addr: address, err });
    return undefined;
  }
  server.on('error', (err) => log.say(listenerMessages.exited, { addr: address, err }));
  scope.defer(() => closed(server, options.clock), 'metrics listener');
  const bound = parsed.port === 0 ? formatHostPort({ ...parsed, port: portOf(server) }) : address;
  log.say(listenerMessages.started, { addr: bound });
  return bound;
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === '' ? {} : { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function respond(request: IncomingMessage, response: ServerResponse, pages: Pages, log: Log): void {
  const { status, contentType, body } = answerFor(request.url ?? '/', pages, log);
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

function answerFor(url: string, pages: Pages, log: Log): Answer {
  const path = url.split('?', 1)[0] ?? '/';
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  if (page === undefined) return plainText(404, '404 page not found');
  try {
    return page();
  } catch (err) {
    log.error('page failed', { path, err });
    return plainText(500, 'internal error');
  }
}

/** Lets answers that are on their way arrive, but does not wait long for a reader that does not read. */
function closed(server: Server, clock: Pick<Clock, 'after'>): Promise<void> {
  return new Promise((resolve) => {
    const hurry = clock.after(CLOSE_MS, () => server.closeAllConnections());
    server.close(() => {
      hurry.cancel();
      resolve();
    });
    server.closeIdleConnections();
  });
}
