/**
 * The way out for image builds. A host has no route out of the lab, and the machine's tables are not ours to change; so
 * while a build runs, and only then, an HTTP proxy listens on the host's loopback and dials from the machine.
 */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { NamespaceSockets } from '../sockets/namespace-sockets.ts';

/** Runs the work with a proxy that listens inside the namespace; the work gets its URL. */
export async function withProxy<T>(namespace: string, work: (url: string) => Promise<T>): Promise<T> {
  const open = new Set<Duplex>();
  const server = proxy(open);
  await using sockets = new NamespaceSockets(namespace);
  const listening = await sockets.tcpServer('127.0.0.1', 0);
  const { port } = listening.address() as AddressInfo;
  await new Promise<void>((resolve) => server.listen(listening, () => resolve()));
  try {
    return await work(`http://127.0.0.1:${port}`);
  } finally {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

function proxy(open: Set<Duplex>): Server {
  const remember = (socket: Duplex): void => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    // A side that breaks off ends its connection; the build's own tool says what it missed.
    socket.on('error', () => socket.destroy());
  };
  const server = createServer(forward);
  server.on('connection', remember);
  server.on('connect', (asked: IncomingMessage, client: Socket, first: Buffer) => {
    const { hostname, port } = new URL(`http://${asked.url ?? ''}`);
    const upstream = connect({ host: hostname, port: Number(port === '' ? '80' : port) });
    remember(upstream);
    upstream.on('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(first);
      upstream.pipe(client);
      client.pipe(upstream);
    });
    // What was received before the other side went still has to get through: only a broken side breaks the other.
    upstream.on('close', (broken) => (broken ? client.destroy() : client.end()));
    client.on('close', (broken) => (broken ? upstream.destroy() : upstream.end()));
  });
  return server;
}

/** A plain request with the whole URL in its first line, as apt sends it. */
function forward(asked: IncomingMessage, answer: ServerResponse): void {
  const fail = (why: string): void => {
    if (!answer.headersSent) answer.writeHead(502, { 'content-type': 'text/plain' });
    answer.end(`${why}\n`);
  };
  let url: URL;
  try {
    url = new URL(asked.url ?? '');
  } catch {
    fail('this is a proxy: ask it for a whole URL');
    return;
  }
  const { 'proxy-connection': _, 'proxy-authorization': __, ...headers } = asked.headers;
  const upstream = request(url, { method: asked.method, headers, agent: false }, (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
  });
  upstream.on('error', (error) => fail(error.message));
  asked.pipe(upstream);
}
