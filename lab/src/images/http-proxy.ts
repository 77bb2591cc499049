/** A plain HTTP proxy: whole URLs as apt sends them, tunnels as npm and everything over TLS asks for them. */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface HttpProxy {
  readonly server: Server;
  /** Ends every connection, and then the server. */
  close(): Promise<void>;
}

export function createHttpProxy(): HttpProxy {
  const open = new Set<Duplex>();
  const remember = (socket: Duplex): void => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    // A side that breaks off ends its connection; whoever asked says what it missed.
    socket.on('error', () => socket.destroy());
  };
  const server = createServer(forward);
  server.on('connection', remember);
  server.on('connect', (asked: IncomingMessage, client: Socket, first: Buffer) => {
    const target = targetOf(asked.url);
    if (target === undefined) {
      client.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      return;
    }
    const upstream = connect(target);
    remember(upstream);
    tunnel(client, upstream, first);
  });
  return {
    server,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** `example.org:443` or `[2001:db8::1]:443` */
function targetOf(asked = ''): { readonly host: string; readonly port: number } | undefined {
  const found = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:[\]]+)):(?<port>\d{1,5})$/.exec(asked)?.groups;
  const host = found?.['v6'] ?? found?.['name'];
  const port = Number(found?.['port']);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

function tunnel(client: Socket, upstream: Socket, first: Buffer): void {
  upstream.on('connect', () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    upstream.write(first);
    upstream.pipe(client);
    client.pipe(upstream);
  });
  // What was received before the other side went still has to get through: only a broken side breaks the other.
  upstream.on('close', (broken) => (broken ? client.destroy() : client.end()));
  client.on('close', (broken) => (broken ? upstream.destroy() : upstream.end()));
}

function forward(asked: IncomingMessage, answer: ServerResponse): void {
  const refuse = (status: number, why: string): void => {
    if (answer.headersSent) answer.destroy();
    else answer.writeHead(status, { 'content-type': 'text/plain' }).end(`${why}\n`);
  };
  const url = URL.canParse(asked.url ?? '') ? new URL(asked.url ?? '') : undefined;
  if (url?.protocol !== 'http:') {
    refuse(400, 'this is a proxy: ask it for a whole http URL, or for a tunnel');
    return;
  }
  const { 'proxy-connection': _, 'proxy-authorization': __, ...headers } = asked.headers;
  const upstream = request(url, { method: asked.method, headers, agent: false }, (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
    // Half an answer must not look like a whole one, nor keep whoever asked waiting.
    response.on('close', () => {
      if (!response.complete) answer.destroy();
    });
  });
  upstream.on('error', (error) => refuse(502, error.message));
  asked.pipe(upstream);
}
