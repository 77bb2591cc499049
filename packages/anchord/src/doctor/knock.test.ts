import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { knockTcp, knockUdp } from './checks/backends.ts';

describe('knocking at a port', () => {
  it('tells a TCP service from nobody', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    expect(await knockTcp('127.0.0.1', port)).toBe('open');
    await new Promise((resolve) => server.close(resolve));
    expect(await knockTcp('127.0.0.1', port)).toBe('refused');
  });

  it('hears a kernel refuse a UDP packet, and nothing from a service that does not answer', async () => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const { port } = socket.address();
    expect(await knockUdp('127.0.0.1', port)).toBe('silent');
    await new Promise<void>((resolve) => socket.close(resolve));
    expect(await knockUdp('127.0.0.1', port, 5_000)).toBe('refused');
  });
});
