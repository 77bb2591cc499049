import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { health } from './health.ts';

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

const listening = async (status: number | undefined, body = ''): Promise<number> => {
  const made = createServer((_, response) => {
    if (status !== undefined) response.writeHead(status).end(body);
  });
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  const address = made.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

const ask = async (ANCHORD_METRICS_ADDR: string | undefined) => {
  const said: string[] = [];
  const code = await health({ ANCHORD_METRICS_ADDR }, (line) => said.push(line), {
    timeoutMs: 200,
    socket: '/nowhere/status.sock',
  });
  return { code, said: said.join('\n') };
};

describe('anchord health', () => {
  it('is fine when the process is ready, also when it listens on every interface', async () => {
    const port = await listening(200, 'ready\n');
    expect(await ask(`127.0.0.1:${port}`)).toEqual({ code: 0, said: 'ready' });
    expect(await ask(`:${port}`)).toEqual({ code: 0, said: 'ready' });
    expect(await ask(`0.0.0.0:${port}`)).toEqual({ code: 0, said: 'ready' });
  });

  it('says what is missing when the process is not ready', async () => {
    const port = await listening(503, 'tables_installed: true\nreconciled: false\n');
    expect(await ask(`127.0.0.1:${port}`)).toEqual({
      code: 1,
      said: 'tables_installed: true\nreconciled: false',
    });
  });

  it('is fine when the listener is switched off', async () => {
    expect((await ask('')).code).toBe(0);
  });

  it('is not fine without an answer: nobody there, no address, or one that stays silent', async () => {
    const port = await listening(undefined);
    expect((await ask(`127.0.0.1:${port}`)).code).toBe(1);
    expect((await ask('127.0.0.1:1')).said).toMatch(/^no answer from 127\.0\.0\.1:1/);
    expect((await ask('nonsense')).code).toBe(1);
  });
});
