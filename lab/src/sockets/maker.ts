/**
 * Runs inside a namespace: opens sockets there and hands them to its parent, where they go on living in the namespace
 * that they were opened in. Ends when the parent does.
 */
import type { SendHandle } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import type { Answer, Order } from './protocol.ts';

function hand(answer: Answer, socket?: SendHandle, close?: () => void): void {
  process.send?.(answer, socket, {}, () => close?.());
}

function refuse(id: number, error: NodeJS.ErrnoException): void {
  hand({ id, error: error.message, ...(error.code === undefined ? {} : { code: error.code }) });
}

function makeTcp(order: Order & { make: 'tcp' }): void {
  const { id, host, port, from, timeoutMs } = order;
  const socket = connect({ host, port, ...(from === undefined ? {} : { localAddress: from }) });
  // What arrives before the hand-over belongs to the parent: read nothing here.
  socket.pause();
  socket.setTimeout(timeoutMs, () =>
    socket.destroy(Object.assign(new Error(`no connection within ${timeoutMs} ms`), { code: 'ETIMEDOUT' })),
  );
  const failed = (error: NodeJS.ErrnoException): void => refuse(id, error);
  socket.once('error', failed);
  socket.once('connect', () => {
    socket.setTimeout(0);
    socket.off('error', failed);
    socket.on('error', () => undefined);
    hand({ id }, socket);
  });
}

function makeTcpServer({ id, host, port }: Order & { make: 'tcp-server' }): void {
  const server = createServer();
  server.once('error', (error) => refuse(id, error));
  server.listen({ host, port, backlog: 128 }, () => hand({ id }, server, () => server.close()));
}

function makeUdp({ id, family, host, port, broadcast }: Order & { make: 'udp' }): void {
  const socket = createSocket({ type: `udp${family}`, reuseAddr: true });
  socket.once('error', (error) => refuse(id, error));
  socket.bind({ address: host, port, exclusive: true }, () => {
    if (broadcast) socket.setBroadcast(true);
    hand({ id }, socket, () => socket.close());
  });
}

process.on('message', (order: Order) => {
  switch (order.make) {
    case 'tcp':
      makeTcp(order);
      break;
    case 'tcp-server':
      makeTcpServer(order);
      break;
    case 'udp':
      makeUdp(order);
      break;
  }
});
process.on('disconnect', () => process.exit(0));
