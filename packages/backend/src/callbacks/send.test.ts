import { createServer as createPlain, type RequestListener, type Server } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { certificateFolder } from '../testing/certificates.ts';
import { sendCallback } from './send.ts';

const secret = '0123456789abcdef0123456789abcdef';
const { signal } = new AbortController();

async function listening(server: Server) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const owed = (callbackUrl: string) => ({
  lease_uuid: 'a',
  callback_url: callbackUrl,
  status: 'success' as const,
  backend: 'docker',
  created_at: '2026-08-20T10:00:00.000Z',
});

describe('a callback over TLS', () => {
  it('goes to nobody whose certificate is not good, unless that was asked for', async () => {
    using folder = certificateFolder();
    folder.authority('authority');
    const { cert, key } = folder.issue('authority', 'daemon', 'daemon', ['IP:127.0.0.1']);
    const heard: (string | undefined)[] = [];
    const hear: RequestListener = (request, response) => {
      heard.push(request.url);
      response.writeHead(200).end('ok');
    };
    await using server = await listening(createTls({ cert, key }, hear));
    const entry = owed(`https://127.0.0.1:${server.port}/callbacks`);
    await expect(sendCallback(entry, { secret, verifyTls: true }, 0, signal)).rejects.toThrow('certificate');
    expect(heard).toEqual([]);
    const answer = await sendCallback(entry, { secret, verifyTls: false }, 0, signal);
    expect([answer, heard]).toEqual([{ status: 200, body: 'ok' }, ['/callbacks']]);
  });
});

describe('an answer', () => {
  it('is read up to 4 KiB, and the rest thrown away', async () => {
    const chunk = Buffer.alloc(10_000, 'x');
    await using server = await listening(
      createPlain((_, response) => {
        response.writeHead(503);
        for (let sent = 0; sent < 50; sent++) response.write(chunk);
        response.end();
      }),
    );
    const entry = owed(`http://127.0.0.1:${server.port}/`);
    const { status, body } = await sendCallback(entry, { secret, verifyTls: true }, 0, signal);
    expect([status, body]).toEqual([503, 'x'.repeat(4096)]);
  });
});
