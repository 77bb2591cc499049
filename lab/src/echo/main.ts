/**
 * A service that tells every client which address it is seen with. Runs in a container, on Node alone.
 *
 *   node main.ts 80/tcp 53/udp ...
 *
 * A TCP client is greeted with one line of JSON, then hears everything back that it says; a UDP datagram is answered with
 * the same line. Both families. Each greeting is also printed, so that `docker logs` shows it.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import type { Greeting } from './greeting.ts';

const service = hostname();

/** A dual-stack socket shows IPv4 clients as ::ffff:a.b.c.d. */
const plain = (address: string): string => address.replace(/^::ffff:/, '').replace(/%.*$/, '');

function greet(transport: Greeting['transport'], source: string, sourcePort: number, port: number): string {
  const greeting: Greeting = { service, transport, source: plain(source), sourcePort, port };
  const line = `${JSON.stringify(greeting)}\n`;
  process.stdout.write(line);
  return line;
}

function serveTcp(port: number): void {
  createServer((client) => {
    client.on('error', () => client.destroy());
    client.write(greet('tcp', client.remoteAddress ?? '', client.remotePort ?? 0, port));
    client.pipe(client);
  }).listen({ port, host: '::' });
}

function serveUdp(port: number, type: 'udp4' | 'udp6'): void {
  const socket = createSocket({ type, ipv6Only: type === 'udp6' });
  socket.on('message', (_, { address, port: sourcePort }) => {
    socket.send(greet('udp', address, sourcePort, port), sourcePort, address);
  });
  socket.on('error', (error) => process.stderr.write(`${type} ${port}: ${error.message}\n`));
  socket.bind(port);
}

for (const asked of process.argv.slice(2)) {
  const [port = '', transport] = asked.split('/');
  if (transport === 'tcp') serveTcp(Number(port));
  else if (transport === 'udp') {
    serveUdp(Number(port), 'udp4');
    serveUdp(Number(port), 'udp6');
  } else throw new Error(`${asked} is not PORT/tcp or PORT/udp`);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
