import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from './fault.ts';
import { allowOnly } from './permissions.ts';
import { FaultProxy } from './proxy.ts';

interface Got {
  readonly status: number;
  readonly body: string;
  /** Whether the body came to its end. */
  readonly complete: boolean;
}

describe('the fault proxy', () => {
  let folder: string;
  let socketPath: string;
  let upstream: http.Server;
  let proxy: FaultProxy;
  let served: string[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'berth-faults-'));
    socketPath = join(folder, 'faulty.sock');
    served = [];
    upstream = http.createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      served.push(`${request.method} ${request.url} ${body}`.trim());
      if (request.url === '/v1.41/events') {
        response.flushHeaders();
        for (const line of ['one', 'two', 'three', 'four']) response.write(`${line}\n`);
        if (request.headers['x-endless'] === undefined) response.end();
      } else response.end(`served ${body}`);
    });
    upstream.on('upgrade', (_, socket) => {
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => upstream.listen(join(folder, 'engine.sock'), resolve));
    proxy = await FaultProxy.start({ socketPath: join(folder, 'engine.sock') }, { socketPath });
  });
  afterEach(async () => {
    await proxy[Symbol.asyncDispose]();
    upstream.closeAllConnections();
    await new Promise((resolve) => upstream.close(resolve));
    rmSync(folder, { recursive: true });
  });

  function ask(method: string, path: string, body?: string, headers = {}): Promise<Got> {
    return new Promise((resolve, reject) => {
      const outgoing = http.request({ ...proxy.address, method, path, headers, agent: false });
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        let text = '';
        response.on('data', (chunk) => (text += String(chunk)));
        response.on('error', () => undefined);
        response.on('close', () =>
          resolve({ status: response.statusCode ?? 0, body: text, complete: response.complete }),
        );
      });
      outgoing.end(body);
    });
  }
  const start = (body?: string): Promise<Got> => ask('POST', '/v1.41/containers/web/start', body);
  const events = (): Promise<Got> => ask('GET', '/v1.41/events');
  const fault = (on: string, what: Fault) => proxy.add({ on, fault: what });

  it('passes on what no rule strikes', async () => {
    fault('GET /events', { kind: 'drop' });
    expect(await start('now')).toEqual({ status: 200, body: 'served now', complete: true });
    expect(served).toEqual(['POST /v1.41/containers/web/start now']);
    expect(proxy.exchanges).toEqual([
      { method: 'POST', url: '/v1.41/containers/web/start', fault: undefined, status: 200 },
    ]);
    expect(proxy.count('POST', '/start')).toBe(1);
  });

  it('strikes after some and only so often', async () => {
    const rule = proxy.add({
      on: 'POST /containers/*/start',
      fault: { kind: 'fail', status: 500 },
      skip: 1,
      times: 2,
    });
    const statuses: number[] = [];
    for (let count = 0; count < 5; count++) statuses.push((await start()).status);
    expect(statuses).toEqual([200, 500, 500, 200, 200]);
    expect(rule.hits).toBe(2);
  });

  it('strikes once another rule has', async () => {
    const first = proxy.add({ on: 'GET /events', fault: { kind: 'fail', status: 503 }, times: 1 });
    proxy.add({ on: '* /**', fault: { kind: 'fail', status: 500 }, after: first });
    expect([(await start()).status, (await events()).status, (await start()).status]).toEqual([
      200, 503, 500,
    ]);
  });

  it('fails before the engine hears of it, or after the engine did it', async () => {
    fault('POST /**', { kind: 'fail', status: 500 });
    expect(await start()).toMatchObject({ status: 500, body: '{"message":"injected failure"}' });
    expect(served).toHaveLength(0);
    fault('POST /**', { kind: 'fail-after', status: 409, message: 'too late' });
    expect(await start()).toMatchObject({ status: 409, body: '{"message":"too late"}' });
    expect(served).toHaveLength(1);
  });

  it('loses the request, or only the answer', async () => {
    fault('POST /**', { kind: 'drop' });
    await expect(start()).rejects.toThrow('socket hang up');
    expect(served).toHaveLength(0);
    fault('POST /**', { kind: 'drop-answer' });
    await expect(start()).rejects.toThrow('socket hang up');
    expect(served).toHaveLength(1);
  });

  it.each([0, 3])('cuts or shortens the body after %i bytes', async (afterBytes) => {
    for (const path of ['/v1.41/containers/json', '/v1.41/events']) {
      proxy.clear();
      const whole = (await ask('GET', path)).body;
      fault('GET /**', { kind: 'cut', afterBytes });
      expect(await ask('GET', path)).toEqual({
        status: 200,
        body: whole.slice(0, afterBytes),
        complete: false,
      });
      fault('GET /**', { kind: 'shorten', afterBytes });
      expect(await ask('GET', path)).toEqual({
        status: 200,
        body: whole.slice(0, afterBytes),
        complete: true,
      });
    }
  });

  it('goes silent without closing, until it is told to close', async () => {
    fault('GET /events', { kind: 'stall', afterBytes: 4 });
    const waiting = events();
    await expect.poll(() => proxy.exchanges[0]?.status).toBe(200);
    proxy.cutConnections();
    expect(await waiting).toEqual({ status: 200, body: 'one\n', complete: false });
  });

  it('holds the request or the answer until it is let go', async () => {
    const before = fault('POST /**', { kind: 'hold' });
    const waiting = start();
    await expect.poll(() => before.holding).toBe(1);
    expect(served).toHaveLength(0);
    before.release();
    expect(await waiting).toMatchObject({ status: 200 });
    const after = fault('POST /**', { kind: 'hold-answer' });
    const again = start();
    await expect.poll(() => after.holding).toBe(1);
    expect(served).toHaveLength(2);
    proxy.clear();
    expect(await again).toMatchObject({ status: 200 });
  });

  it('delays', async () => {
    const began = performance.now();
    fault('POST /**', { kind: 'delay', ms: 30 });
    await start();
    fault('POST /**', { kind: 'delay-answer', ms: 30 });
    await start();
    expect(performance.now() - began).toBeGreaterThan(58);
  });

  it.each([
    ['duplicate-events', {}, 'one\none\ntwo\ntwo\nthree\nthree\nfour\nfour\n'],
    ['swap-events', {}, 'two\none\nfour\nthree\n'],
    ['lose-events', { every: 2 }, 'one\nthree\n'],
    ['delay-events', { ms: 1 }, 'one\ntwo\nthree\nfour\n'],
  ])('does to a stream of events: %s', async (kind, more, body) => {
    fault('GET /events', { kind, ...more } as Fault);
    expect(await events()).toEqual({ status: 200, body, complete: true });
  });

  it('forbids what is not permitted', async () => {
    proxy.permit(allowOnly(['GET /events']));
    expect(await start()).toMatchObject({ status: 403, body: expect.stringContaining('403 Forbidden') });
    expect(served).toHaveLength(0);
    expect(await events()).toMatchObject({ status: 200 });
    proxy.permit(undefined);
    expect(await start()).toMatchObject({ status: 200 });
  });

  it('refuses connections and takes them again', async () => {
    const waiting = ask('GET', '/v1.41/events', undefined, { 'x-endless': 'yes' });
    await expect.poll(() => proxy.exchanges[0]?.status).toBe(200);
    await proxy.refuse();
    expect((await waiting).complete).toBe(false);
    await expect(start()).rejects.toMatchObject({ code: 'ENOENT' });
    await proxy.accept();
    expect(await start()).toMatchObject({ status: 200 });
  });

  it('lets a program be attached', async () => {
    const socket = net.connect({ path: socketPath });
    socket.write(
      'POST /v1.41/exec/0a/start HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n',
    );
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    await expect.poll(() => text).toContain('101 UPGRADED');
    socket.write('hello');
    await expect.poll(() => text).toContain('hello');
    socket.destroy();
    await expect.poll(() => proxy.openConnections).toBe(0);
  });

  it('listens on TCP as well', async () => {
    await using over = await FaultProxy.start(proxy.address, { host: '127.0.0.1', port: 0 });
    expect(over.address).toMatchObject({ port: expect.any(Number) });
    const got = await new Promise<number | undefined>((resolve) => {
      http.get({ ...over.address, path: '/x', agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
    });
    expect(got).toBe(200);
  });

  it('lets the engine know that a client left', async () => {
    const leaving = http.get({
      ...proxy.address,
      path: '/v1.41/events',
      headers: { 'x-endless': 'yes' },
      agent: false,
    });
    leaving.on('error', () => undefined);
    await expect.poll(() => proxy.exchanges[0]?.status).toBe(200);
    const connections = (): Promise<number> =>
      new Promise((resolve) => upstream.getConnections((_, count) => resolve(count)));
    expect(await connections()).toBe(1);
    leaving.destroy();
    await expect.poll(connections).toBe(0);
  });
});
