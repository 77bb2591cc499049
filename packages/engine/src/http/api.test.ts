import { getEventListeners } from 'node:events';
import { systemClock, VirtualClock } from '@berth/service';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../testing/resources.ts';
import { ScriptedEngine } from '../testing/scripted-engine.ts';
import { Api } from './api.ts';
import { Transport } from './transport.ts';

const list = { method: 'GET', path: '/containers/json', what: 'list containers' } as const;
const start = { method: 'POST', path: '/containers/web/start', what: 'start container web' } as const;

describe('talking to the engine', () => {
  let engine: ScriptedEngine;
  let transport: Transport;
  let api: Api;

  beforeEach(async () => {
    engine = await ScriptedEngine.start();
    transport = new Transport(engine.endpoint, systemClock);
    api = new Api(transport);
  });
  afterEach(async () => {
    await transport.close();
    await engine[Symbol.asyncDispose]();
  });

  describe('in one version', () => {
    it.each([
      ['1.41', '/v1.41/containers/json'],
      ['1.45', '/v1.45/containers/json'],
      ['1.99', '/v1.51/containers/json'],
      ['2.0', '/v1.51/containers/json'],
    ])('asks an engine that offers %s under %s', async (offered, path) => {
      engine.speak(offered);
      engine.json('GET /containers/json', []);
      await api.json(list);
      await api.json(list);
      expect(engine.asked.map((asked) => asked.path)).toEqual(['/_ping', path, path]);
    });

    it('refuses an engine that is too old', async () => {
      engine.speak('1.40');
      await expect(api.json(list)).rejects.toMatchObject({ code: 'ENGINE_API_VERSION' });
    });

    it('notices that something else than Docker answers', async () => {
      engine.on('GET /_ping', (_, response) => response.end('hello'));
      await expect(api.json(list)).rejects.toMatchObject({ code: 'ENGINE_ANSWER' });
    });

    it('takes the version that it was given, unasked', async () => {
      engine.json('GET /v1.43/containers/json', []);
      await new Api(transport, '1.43').json(list);
      expect(engine.asked).toHaveLength(1);
      expect(() => new Api(transport, 'newest')).toThrow('DOCKER_API_VERSION');
    });

    it('asks again when the engine was replaced by an older one', async () => {
      engine.speak('1.45');
      engine.json('GET /v1.41/containers/json', ['old']);
      engine.fail(
        'GET /v1.45/containers/json',
        400,
        'client version 1.45 is too new. Maximum supported API version is 1.41',
      );
      await api.version();
      engine.speak('1.41');
      expect(await api.json(list)).toEqual(['old']);
    });

    it('tries again after an attempt to ask failed', async () => {
      engine.fail('GET /_ping', 503, 'starting');
      await expect(api.version()).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
      engine.speak('1.41');
      expect(await api.version()).toEqual({ major: 1, minor: 41 });
    });
  });

  describe('says what went wrong:', () => {
    it.each([
      [400, 'invalid filter', 'ENGINE_BAD_REQUEST'],
      [401, 'who are you', 'ENGINE_UNAUTHORIZED'],
      [403, 'no', 'ENGINE_PERMISSION_DENIED'],
      [404, 'No such container: web', 'ENGINE_NOT_FOUND'],
      [404, 'No such image: nginx:1', 'ENGINE_IMAGE_MISSING'],
      [409, 'container is marked for removal', 'ENGINE_CONFLICT'],
      [409, 'Conflict. The container name "/web" is already in use by container "0a".', 'ENGINE_NAME_IN_USE'],
      [409, 'removal of container 0a is already in progress', 'ENGINE_REMOVAL_IN_PROGRESS'],
      [500, 'Bind for 0.0.0.0:80 failed: port is already allocated', 'ENGINE_PORT_IN_USE'],
      [500, 'listen tcp4 0.0.0.0:80: bind: address already in use', 'ENGINE_PORT_IN_USE'],
      [403, 'Address already in use', 'ENGINE_ADDRESS_IN_USE'],
      [403, 'endpoint with name web already exists in network lan', 'ENGINE_ALREADY_ATTACHED'],
      [500, 'container 0a is not connected to network lan', 'ENGINE_NOT_ATTACHED'],
      [403, 'error while removing network: network lan id 0a has active endpoints', 'ENGINE_NETWORK_IN_USE'],
      [500, 'write /data/x: no space left on device', 'ENGINE_NO_SPACE'],
      [500, 'it broke', 'ENGINE_SERVER_ERROR'],
      [503, 'wait', 'ENGINE_UNAVAILABLE'],
      [418, 'tea', 'ENGINE_ANSWER'],
    ])('HTTP %i "%s" is %s', async (status, message, code) => {
      engine.fail('POST /containers/web/start', status, message);
      await expect(api.done(start)).rejects.toMatchObject({
        code,
        message: `cannot start container web: ${message} (HTTP ${status})`,
      });
    });

    it('a proxy that answers in HTML', async () => {
      engine.on('POST /containers/web/start', (_, response) =>
        response.writeHead(403).end('<html><body><h1>403 Forbidden</h1>\nby rule</body></html>'),
      );
      await expect(api.done(start)).rejects.toMatchObject({
        code: 'ENGINE_PERMISSION_DENIED',
        message: 'cannot start container web: 403 Forbidden by rule (HTTP 403)',
      });
    });

    it('an answer that is not JSON', async () => {
      engine.on('GET /containers/json', (_, response) => response.end('[{'));
      await expect(api.json(list)).rejects.toMatchObject({ code: 'ENGINE_ANSWER' });
    });

    it('nobody listens', async () => {
      const nobody = new Api(new Transport({ kind: 'unix', socketPath: '/nonexistent/d.sock' }, systemClock));
      await expect(nobody.json(list)).rejects.toMatchObject({
        code: 'ENGINE_UNREACHABLE',
        message: expect.stringContaining('unix:///nonexistent/d.sock'),
      });
    });

    it('the connection ends before the answer', async () => {
      engine.on('POST /containers/web/start', (_, response) => response.destroy());
      await expect(api.done(start)).rejects.toMatchObject({ code: 'ENGINE_CONNECTION_LOST' });
    });

    it.each([
      ['counted', { 'content-length': '100' }],
      ['chunked', {}],
    ])('the answer breaks off in the middle (%s)', async (_, headers) => {
      engine.on('GET /containers/json', (_asked, response) => {
        response.writeHead(200, headers);
        response.write('["half', () => response.destroy());
      });
      await expect(api.json(list)).rejects.toMatchObject({ code: 'ENGINE_TRUNCATED' });
    });

    it('what stands there speaks no HTTP', async () => {
      engine.on('GET /containers/json', (_, response) => response.socket?.end('SSH-2.0-x\r\n'));
      await expect(api.json(list)).rejects.toMatchObject({ code: 'ENGINE_ANSWER' });
    });
  });

  it('takes 304 for "nothing had to be done"', async () => {
    engine.on('POST /containers/web/start', (_, response) => response.writeHead(304).end());
    expect(await api.done(start)).toBe(false);
    engine.on('POST /containers/web/start', (_, response) => response.writeHead(204).end());
    expect(await api.done(start)).toBe(true);
  });

  describe('within limits', () => {
    it('gives up after the time limit and leaves no timer behind', async () => {
      const clock = new VirtualClock();
      const slow = new Api(new Transport(engine.endpoint, clock));
      await slow.version();
      engine.on('POST /containers/web/start', () => undefined);
      const waiting = slow.done(start, { timeoutMs: 1000 });
      const failed = expect(waiting).rejects.toMatchObject({ code: 'ENGINE_TIMEOUT' });
      await eventually('the request came', () => engine.requests('POST', start.path).length === 1);
      await clock.advance(1000);
      await failed;
      expect(clock.pending).toBe(0);
    });

    it('limits the time until the answer is complete, not only until it begins', async () => {
      const clock = new VirtualClock();
      const slow = new Api(new Transport(engine.endpoint, clock));
      await slow.version();
      engine.on('GET /containers/json', (_, response) => response.write('['));
      const waiting = slow.json(list, { timeoutMs: 1000 });
      const failed = expect(waiting).rejects.toMatchObject({ code: 'ENGINE_TIMEOUT' });
      await eventually('the request came', () => engine.requests('GET', list.path).length === 1);
      await clock.advance(1000);
      await failed;
    });

    it('lets a stream take as long as it likes once it has begun', async () => {
      const clock = new VirtualClock();
      const slow = new Api(new Transport(engine.endpoint, clock));
      await slow.version();
      engine.on('GET /events', (_, response) => void response.writeHead(200).write('{}\n'));
      using reply = await slow.stream({ ...list, path: '/events' }, { timeoutMs: 1000 });
      await clock.advance(5000);
      for await (const chunk of reply) {
        expect(String(chunk)).toBe('{}\n');
        break;
      }
      expect(clock.pending).toBe(0);
    });

    it('stops at once when its signal aborts, before, during and after the head of the answer', async () => {
      await api.version();
      const before = AbortSignal.abort(new Error('shutting down'));
      await expect(api.done(start, { signal: before })).rejects.toMatchObject({
        code: 'ENGINE_ABORTED',
        cause: { message: 'shutting down' },
      });
      const during = new AbortController();
      engine.on('POST /containers/web/start', () => during.abort());
      await expect(api.done(start, { signal: during.signal })).rejects.toMatchObject({
        code: 'ENGINE_ABORTED',
      });
      const after = new AbortController();
      engine.on('GET /containers/json', (_, response) => response.write('[', () => after.abort()));
      await expect(api.json(list, { signal: after.signal })).rejects.toMatchObject({
        code: 'ENGINE_ABORTED',
      });
    });

    it('leaves no listener on a signal that many calls share', async () => {
      engine.json('GET /containers/json', []);
      const { signal } = new AbortController();
      await Promise.all(Array.from({ length: 50 }, () => api.json(list, { signal })));
      engine.fail('POST /containers/web/start', 500, 'no');
      await api.done(start, { signal }).catch(() => undefined);
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    });
  });

  describe('over few connections', () => {
    it('reads over kept connections, and never opens more than eight', async () => {
      engine.json('GET /containers/json', []);
      await Promise.all(Array.from({ length: 100 }, () => api.json(list)));
      expect(engine.connections).toBeLessThanOrEqual(8);
    });

    it('makes a change over a fresh connection', async () => {
      await api.version();
      engine.on('POST /containers/web/start', (_, response) => response.writeHead(204).end());
      const before = engine.connections;
      await api.done(start);
      await api.done(start);
      expect(engine.connections).toBe(before + 2);
    });

    it('closes a fresh connection itself, so that no answer is lost to an engine that closes early', async () => {
      await api.version();
      engine.on('POST /containers/web/start', (_, response) => response.writeHead(204).end());
      await api.done(start);
      expect(engine.requests('POST', start.path)[0]?.headers.connection).toBe('keep-alive');
      await eventually('only the kept one is open', async () => (await engine.openConnections) === 1);
    });

    it('reads again when a kept connection turns out to be closed', async () => {
      engine.json('GET /containers/json', ['here']);
      await api.json(list);
      for (let round = 0; round < 20; round++) {
        engine.closeIdleConnections();
        expect(await api.json(list)).toEqual(['here']);
      }
    });
  });

  it('sends bodies of unknown length with backpressure, and gives up when the source fails', async () => {
    const put = {
      method: 'PUT',
      path: '/containers/web/archive',
      what: 'copy files',
      query: { path: '/' },
    } as const;
    engine.on('PUT /containers/web/archive', (_, response) => response.end());
    async function* megabytes(count: number, error?: Error): AsyncGenerator<Buffer> {
      for (let sent = 0; sent < count; sent++) yield Buffer.alloc(1024 * 1024, 'x');
      if (error !== undefined) throw error;
    }
    await api.done({ ...put, body: megabytes(8) });
    expect(engine.requests('PUT', put.path)[0]?.body).toHaveLength(8 * 1024 * 1024);
    await expect(api.done({ ...put, body: megabytes(2, new Error('disk read error')) })).rejects.toThrow(
      'disk read error',
    );
  });

  it('puts the path of the address before every path', async () => {
    await using behind = await ScriptedEngine.start('1.41', 'tcp');
    behind.on('GET /docker/_ping', (_, response) => response.setHeader('Api-Version', '1.41').end());
    behind.json('GET /docker/v1.41/containers/json', ['there']);
    const endpoint = { ...behind.endpoint, basePath: '/docker' };
    expect(await new Api(new Transport(endpoint, systemClock)).json(list)).toEqual(['there']);
  });
});
