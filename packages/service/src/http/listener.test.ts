import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { RecordingLog } from '../log/recording.ts';
import { Registry } from '../metrics/index.ts';
import { Scope } from '../scope.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { daemonPages, Health, type Pages, plainText, serve } from './index.ts';

const recording = new RecordingLog();
let scope: Scope;

beforeEach(() => {
  recording.clear();
  scope = new Scope('test', (error) => {
    throw error;
  });
});
afterEach(() => scope.close());

const start = (pages: Pages, address = '127.0.0.1:0') =>
  serve(scope, { address, pages, log: recording.log, clock: systemClock });

interface Got {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly length: string | undefined;
  readonly body: string;
}

function get(address: string | undefined, path: string, method = 'GET'): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = request(`http://${address}${path}`, { method, agent: false }, async (response) => {
      const { 'content-type': type, 'content-length': length } = response.headers;
      const body = Buffer.concat(await Array.fromAsync(response)).toString();
      resolve({ status: response.statusCode, type, length, body });
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('the listener', () => {
  it('serves metrics, liveness and readiness, and nothing else', async () => {
    const registry = new Registry();
    registry.info('build_info', 'Build.', { version: '1' });
    const address = await start(daemonPages(registry, new Health({}, systemClock)));
    expect(await get(address, '/metrics')).toMatchObject({
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      body: expect.stringContaining('build_info{version="1"} 1\n'),
    });
    expect(await get(address, '/healthz')).toMatchObject({
      status: 200,
      type: 'text/plain; charset=utf-8',
      body: 'ok\n',
    });
    expect(await get(address, '/readyz?verbose')).toMatchObject({ status: 200, body: 'ok\n' });
    for (const path of ['/', '/metrics/', '/healthz/x', '/constructor', '/..%2fmetrics']) {
      expect(await get(address, path)).toMatchObject({ status: 404, body: '404 page not found\n' });
    }
    expect(recording.lines).toEqual([
      { level: 'info', msg: 'metrics listener started', attrs: { addr: address } },
    ]);
  });

  it('takes any method, and answers HEAD without a body', async () => {
    const address = await start(daemonPages(new Registry(), new Health({}, systemClock)));
    expect(await get(address, '/healthz', 'POST')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await get(address, '/healthz', 'HEAD')).toMatchObject({ status: 200, length: '3', body: '' });
  });

  it('says so when it cannot listen, and the program goes on', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const taken = blocker.address();
    const port = typeof taken === 'object' && taken !== null ? taken.port : 0;
    expect(await start({}, `127.0.0.1:${port}`)).toBeUndefined();
    expect(await start({}, 'no port here')).toBeUndefined();
    expect(await start({}, '127.0.0.1:99999')).toBeUndefined();
    expect(recording.lines).toMatchObject([
      {
        level: 'warn',
        msg: 'metrics listener exited',
        attrs: { addr: `127.0.0.1:${port}`, err: expect.stringContaining('EADDRINUSE') },
      },
      { msg: 'metrics listener exited', attrs: { addr: 'no port here' } },
      { msg: 'metrics listener exited', attrs: { err: expect.stringContaining('port above 65535') } },
    ]);
    await new Promise((resolve) => blocker.close(resolve));
  });

  it('listens on every interface when no host is given, and on IPv6 in brackets', async () => {
    const everywhere = await start({ '/': () => plainText(200, 'hello') }, ':0');
    expect(everywhere).toMatch(/^:\d+$/);
    expect(await get(`127.0.0.1${everywhere}`, '/')).toMatchObject({ status: 200 });
    const six = await start({ '/': () => plainText(200, 'hello') }, '[::1]:0');
    expect(six).toMatch(/^\[::1\]:\d+$/);
    expect(await get(six, '/')).toMatchObject({ status: 200 });
  });

  it('survives a page that fails', async () => {
    const address = await start({
      '/': () => {
        throw new Error('broken page');
      },
    });
    expect(await get(address, '/')).toMatchObject({ status: 500, body: 'internal error\n' });
    expect(recording.attrsOf('page failed')).toEqual([{ path: '/', err: 'broken page' }]);
  });

  it('survives garbage, and closes the connection on it', async () => {
    const address = await start({ '/': () => plainText(200, 'hello') });
    const port = Number(address?.split(':')[1]);
    const said = await new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('\u0000\u0001 what?\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('close', () => resolve(text));
    });
    expect(said).toContain('400 Bad Request');
    expect(await get(address, '/')).toMatchObject({ status: 200 });
  });

  it('stops listening with its scope, lets go of idle connections at once and of stuck ones after two seconds', async () => {
    const clock = new VirtualClock();
    const inner = scope.child('listener');
    const address = await serve(inner, { address: '127.0.0.1:0', pages: {}, log: recording.log, clock });
    const port = Number(address?.split(':')[1]);
    const stuck = connect(port, '127.0.0.1');
    await new Promise((resolve) => stuck.on('connect', resolve));
    const cut = new Promise((resolve) => stuck.on('close', resolve));
    stuck.on('error', () => undefined);
    stuck.write('GET / HTTP/1.1\r\nHost: x\r\n');
    const idle = connect(port, '127.0.0.1');
    await new Promise((resolve) => idle.on('connect', resolve));
    const closed = inner.close();
    await clock.advance(2_000);
    await closed;
    await cut;
    idle.destroy();
    await expect(get(address, '/')).rejects.toThrow('ECONNREFUSED');
  });
});
