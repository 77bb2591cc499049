/** What no daemon sends: requests of somebody who writes his own bytes. */
import { VirtualClock } from '@berth/service';
import { describe, expect, it } from 'vitest';
import { ApiBench } from '../testing/api-bench.ts';
import { item, newLease } from '../testing/leases.ts';
import { Connection } from '../testing/raw-connection.ts';
import { originForm } from './router.ts';

const { uuid } = newLease();
const callbackUrl = 'http://127.0.0.1/callbacks/provision';

const provision = (more: Record<string, unknown> = {}, service = 'web', image = 'nginx') => ({
  lease_uuid: uuid,
  tenant: 't',
  provider_uuid: 'p',
  items: [{ sku: 'small', quantity: 1, service_name: service }],
  callback_url: callbackUrl,
  payload: Buffer.from(JSON.stringify({ services: { [service]: { image } } })).toString('base64'),
  ...more,
});

describe('the request line and the head', () => {
  it.each([
    ['words', 'hello\r\n\r\n'],
    ['another protocol', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a greeting of TLS', '\u0016\u0003\u0001\u0002\u0000\u0001'],
    ['no host', 'GET /stats HTTP/1.1\r\n\r\n'],
    [
      'two lengths',
      'POST /provision HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
    ],
    [
      'a length and chunks',
      'POST /provision HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a length that is none', 'POST /provision HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}'],
    ['chunks of another kind', 'POST /provision HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n{}'],
    ['a folded header', 'GET /stats HTTP/1.1\r\nHost: x\r\nA: a\r\n b\r\n\r\n'],
    ['a target that is not ASCII', 'GET /info/\u00e9 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a NUL in the target', 'GET /info/\u0000 HTTP/1.1\r\nHost: x\r\n\r\n'],
  ])('%s: is refused without a body, and the connection ends', async (_, bytes) => {
    await using bench = await ApiBench.start();
    const connection = new Connection(bench.port);
    connection.socket.write(bytes);
    await connection.until('it is closed', () => connection.closed);
    expect(connection.statuses).toEqual(['400']);
    expect(connection.text).toMatch(/^Connection: close\r$/m);
    expect((await bench.call('GET', '/provisions')).status).toBe(200);
  });

  it('may name the host in the target, which is not signed', async () => {
    await using bench = await ApiBench.start();
    const connection = new Connection(bench.port);
    const target = 'http://backend.example:9001/provisions?limit=1';
    connection.send({ method: 'GET', target, signedTarget: '/provisions?limit=1' });
    connection.send({ method: 'GET', target });
    connection.send({ method: 'GET', target: 'http://x?limit=1', signedTarget: '/?limit=1' });
    expect(await connection.answers(3)).toEqual(['200', '401', '404']);
    connection.socket.destroy();
    expect(['*', 'x:80', 'ftp://x/stats', '/http://x/y'].map(originForm)).toEqual([
      '*',
      'x:80',
      'ftp://x/stats',
      '/http://x/y',
    ]);
  });

  it('count with the first signature alone: another method, or a second one, does not pass', async () => {
    await using bench = await ApiBench.start();
    const connection = new Connection(bench.port);
    const headers = ['X-Fred-Signature: t=1,sha256=00', 'Content-Length: 0'];
    connection.send({ method: 'GET', target: '/provisions', headers });
    connection.send({ method: 'GET', target: '/deprovision', headers: ['X-HTTP-Method-Override: POST'] });
    expect(await connection.answers(2)).toEqual(['401', '405']);
    connection.socket.destroy();
  });
});

describe('the body', () => {
  it('may come in chunks, whose extensions and trailers mean nothing', async () => {
    await using bench = await ApiBench.start();
    const connection = new Connection(bench.port);
    const body = JSON.stringify({ lease_uuid: uuid });
    const chunked = `5;x=y\r\n${body.slice(0, 5)}\r\n${(body.length - 5).toString(16)}\r\n${body.slice(5)}\r\n0\r\nX-Fred-Signature: t\r\n\r\n`;
    const signed = await bench.call('POST', '/deprovision', body, {
      headers: { 'Transfer-Encoding': 'chunked' },
    });
    expect(signed.status).toBe(200);
    connection.send({ method: 'POST', target: '/deprovision', headers: ['Transfer-Encoding: chunked'] });
    connection.socket.write(chunked);
    // The head was signed for no body.
    expect(await connection.answers(1)).toEqual(['401']);
    connection.socket.destroy();
  });

  it('that does not come to its end in time is answered as too large, and the connection ends', async () => {
    const clock = new VirtualClock();
    await using bench = await ApiBench.start({ clock });
    const connection = new Connection(bench.port);
    connection.send({ method: 'POST', target: '/deprovision', headers: ['Content-Length: 100'] });
    connection.socket.write('{"lease');
    await connection.until('it is under way', () => clock.pending === 1);
    await clock.advance(28_000);
    await connection.until('it is closed', () => connection.closed);
    expect(connection.statuses).toEqual(['413']);
    expect(connection.text).toContain('{"error":"request body too large"}');
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['nothing', '', 400],
    ['null', 'null', 400],
    ['a list', '[]', 400],
    ['UTF-16', Buffer.from('{"lease_uuid":"x"}', 'utf16le'), 400],
    ['brackets without end', '['.repeat(500_000), 400],
    ['brackets in brackets', `{"lease_uuid":"x","y":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, 200],
    ['what every object has', '{"__proto__":{"lease_uuid":"x"}}', 400],
    ['a field twice', '{"lease_uuid":"","lease_uuid":"x"}', 200],
    ['a second value', '{"lease_uuid":"x"}{"lease_uuid":""}', 200],
    ['a number for a text', '{"lease_uuid":1}', 400],
  ])('of %s is answered and ends nothing', async (_, body, status) => {
    await using bench = await ApiBench.start();
    const connection = new Connection(bench.port);
    connection.request('POST', '/deprovision', body);
    connection.request('GET', '/provisions', '');
    expect(await connection.answers(2)).toEqual([String(status), '200']);
    connection.socket.destroy();
  });

  it.each([
    ['1.5', '1e400', '-1', '1025', '9007199254740993', '"1"', 'true', '[]'],
  ])('does not order %s containers', async (...quantities) => {
    await using bench = await ApiBench.start();
    for (const quantity of quantities) {
      const body = JSON.stringify(provision()).replace('"quantity":1', `"quantity":${quantity}`);
      expect((await bench.call('POST', '/provision', body)).status, quantity).toBe(400);
    }
    expect(bench.host.book.size).toBe(0);
  });
});

describe('a text', () => {
  it('that UTF-8 cannot write is taken as what the stores would make of it', async () => {
    await using bench = await ApiBench.start();
    const body = JSON.stringify(provision({ tenant: 'a\ud800' }));
    expect(body).toContain('\\ud800');
    expect((await bench.call('POST', '/provision', body)).status).toBe(202);
    expect(bench.host.book.get(uuid)?.tenant).toBe('a\ufffd');
  });

  it.each([
    '../../x',
    'a/b',
    '..',
    '\u0000',
    'a\nb',
    '__proto__',
    '\ud800',
    'x'.repeat(129),
  ])('like %j is the id of no lease', async (id) => {
    await using bench = await ApiBench.start();
    const reply = await bench.call('POST', '/provision', provision({ lease_uuid: id }));
    expect(reply.status).toBe(400);
    expect(bench.host.book.size).toBe(0);
    expect((await bench.call('POST', '/deprovision', { lease_uuid: id })).status).toBe(200);
  });

  it('that is long is quoted in part', async () => {
    await using bench = await ApiBench.start();
    const wrong = `${'a-'.repeat(200_000)}!`;
    for (const body of [
      provision({}, 'web', wrong),
      provision({ items: [{ sku: wrong, quantity: 1, service_name: 'web' }] }),
      provision({ items: [{ sku: 'small', quantity: -1, service_name: wrong }] }),
    ]) {
      const reply = await bench.call('POST', '/provision', body);
      expect(reply.status).toBe(400);
      expect(reply.text.length).toBeLessThan(5000);
      expect(reply.text).toContain('a-a-a-a-');
    }
  });
});

it('shows a service that is called like a part of every object', async () => {
  await using bench = await ApiBench.start();
  const { host } = bench;
  await bench.call('POST', '/provision', provision({}, 'constructor'));
  await host.until('the work runs', () => host.work.running.has(uuid));
  host.work.running.get(uuid)?.end({
    kind: 'provisioned',
    items: [item({ sku: 'small', serviceName: 'constructor' })],
  });
  await host.until('it is ready', () => host.book.get(uuid)?.status === 'ready');
  const facts = { containerId: 'c', image: 'nginx', status: 'running', fqdn: undefined, ports: new Map() };
  bench.instances = [0, 1].map((index) => ({ service: 'constructor', index, ...facts }));
  const instances = [0, 1].map((index) => ({
    instance_index: index,
    container_id: 'c',
    image: 'nginx',
    status: 'running',
  }));
  const { status, body } = await bench.call('GET', `/info/${uuid}`);
  expect([status, body]).toEqual([
    200,
    { host: '203.0.113.10', instances, services: { constructor: { instances } } },
  ]);
});
