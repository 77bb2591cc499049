import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttpProxy, type HttpProxy } from './http-proxy.ts';

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

async function listen<T extends Server | ReturnType<typeof createTcpServer>>(server: T): Promise<T> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function everything(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe('the proxy for builds', () => {
  let proxy: HttpProxy;
  beforeEach(async () => {
    proxy = createHttpProxy();
    await listen(proxy.server);
  });
  afterEach(() => proxy.close());

  /** Asks in raw bytes, so that nothing mends what is wrong with them. */
  async function ask(text: string): Promise<Socket> {
    const socket = connect(portOf(proxy.server), '127.0.0.1');
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  }

  it('hands on a request for a whole URL, without what was meant for it alone', async () => {
    const origin = await listen(
      createServer((asked, answer) =>
        answer.end(`${asked.method} ${asked.url} ${asked.headers['proxy-connection']}`),
      ),
    );
    const asked = request({
      ...{ host: '127.0.0.1', port: portOf(proxy.server), path: `http://127.0.0.1:${portOf(origin)}/a?b` },
      headers: { 'proxy-connection': 'keep-alive' },
    }).end();
    const [answer] = (await once(asked, 'response')) as [Socket];
    expect(await everything(answer)).toBe('GET /a?b undefined');
    origin.close();
  });

  it('lets through what was sent before the other side went', async () => {
    const origin = await listen(createTcpServer((socket) => socket.end('x'.repeat(1_000_000))));
    const socket = await ask(`CONNECT 127.0.0.1:${portOf(origin)} HTTP/1.1\r\n\r\n`);
    const said = await everything(socket);
    expect(said).toMatch(/^HTTP\/1\.1 200 /);
    expect(said.length).toBeGreaterThan(1_000_000);
    origin.close();
  });

  it('breaks off an answer that broke off', async () => {
    const origin = await listen(
      createServer((_, answer) => {
        answer.writeHead(200, { 'content-length': '1000' }).write('half');
        setImmediate(() => answer.destroy());
      }),
    );
    const path = `http://127.0.0.1:${portOf(origin)}/`;
    const asked = request({ host: '127.0.0.1', port: portOf(proxy.server), path }).end();
    const [answer] = (await once(asked, 'response')) as [Socket];
    await expect(everything(answer)).rejects.toThrow('aborted');
    origin.close();
  });

  it.each([
    'CONNECT nonsense HTTP/1.1\r\n\r\n',
    'CONNECT [::1 HTTP/1.1\r\n\r\n',
    'CONNECT 127.0.0.1:99999 HTTP/1.1\r\n\r\n',
    'GET /not/whole HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
    'GET https://127.0.0.1/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
  ])('refuses %j and lives on', async (text) => {
    expect(await everything(await ask(text))).toMatch(/^HTTP\/1\.1 400 /);
    expect(proxy.server.listening).toBe(true);
  });

  it('says that nobody is there', async () => {
    const nobody = await listen(createTcpServer());
    const port = portOf(nobody);
    nobody.close();
    await once(nobody, 'close');
    const asked = request({
      host: '127.0.0.1',
      port: portOf(proxy.server),
      path: `http://127.0.0.1:${port}/`,
    }).end();
    const [answer] = (await once(asked, 'response')) as [{ readonly statusCode: number } & Socket];
    expect(answer.statusCode).toBe(502);
    answer.resume();
  });
});
