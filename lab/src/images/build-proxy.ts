/**
 * The way out for image builds. A host has no route out of the lab, and the machine's tables are not ours to change; so
 * while a build runs, and only then, an HTTP proxy listens on the host's loopback and dials from the machine.
 */
import type { AddressInfo } from 'node:net';
import { NamespaceSockets } from '../sockets/namespace-sockets.ts';
import { createHttpProxy } from './http-proxy.ts';

/** Runs the work with a proxy that listens inside the namespace; the work gets its URL. */
export async function withProxy<T>(namespace: string, work: (url: string) => Promise<T>): Promise<T> {
  await using sockets = new NamespaceSockets(namespace);
  const listening = await sockets.tcpServer('127.0.0.1', 0);
  const { port } = listening.address() as AddressInfo;
  const proxy = createHttpProxy();
  await new Promise<void>((resolve) => proxy.server.listen(listening, () => resolve()));
  try {
    return await work(`http://127.0.0.1:${port}`);
  } finally {
    await proxy.close();
  }
}
