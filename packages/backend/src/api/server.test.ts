import { describe, expect, it } from 'vitest';
import { ApiBench } from '../testing/api-bench.ts';
import { newLease } from '../testing/leases.ts';
import { Connection } from '../testing/raw-connection.ts';

const { uuid } = newLease();
const provision = {
  lease_uuid: uuid,
  tenant: 't',
  provider_uuid: 'p',
  items: [{ sku: 'small', quantity: 1, service_name: 'web' }],
  callback_url: 'http://127.0.0.1/callbacks/provision',
  payload: Buffer.from('{"services":{"web":{"image":"nginx"}}}').toString('base64'),
};

describe('the listener', () => {
  it('finishes at its end what it has begun to answer, closes the connection then, and takes nothing new', async () => {
    await using bench = await ApiBench.start();
    await bench.call('POST', '/provision', provision);
    const connection = new Connection(bench.port);
    connection.request('POST', '/deprovision', JSON.stringify({ lease_uuid: uuid }));
    await bench.host.until(
      'the close runs',
      () => bench.host.work.running.get(uuid)?.method === 'deprovision',
    );
    const ended = bench.listener.close();
    await expect(bench.call('GET', '/stats')).rejects.toThrow('ECONNREFUSED');
    expect(connection.statuses).toEqual([]);
    bench.host.work.running.get(uuid)?.end({ kind: 'closed', retained: false });
    await ended;
    await connection.until('it is closed', () => connection.closed);
    expect(connection.statuses).toEqual(['200']);
  });

  it('keeps an idle connection longer than the daemon does, which would otherwise ask on one that is just being closed', async () => {
    await using bench = await ApiBench.start();
    const connection = new Connection(bench.port);
    connection.request('GET', '/provisions', '');
    await connection.answers(1);
    expect(connection.text).toMatch(/^Keep-Alive: timeout=120\r$/m);
    connection.socket.destroy();
  });

  it('lets go of idle connections at its end', async () => {
    await using bench = await ApiBench.start();
    const connection = new Connection(bench.port);
    connection.request('GET', '/provisions', '');
    await connection.until('it is answered', () => connection.statuses.length === 1);
    await bench.listener.close();
    await connection.until('it is closed', () => connection.closed);
  });

  it.each([
    ['too large', '413', 5000],
    ['unsigned', '401', 2_000_000],
  ])('answers a body that is %s, and goes on with what follows on the connection', async (what, status, cap) => {
    await using bench = await ApiBench.start({ maxBodyBytes: cap });
    const connection = new Connection(bench.port);
    const body = 'x'.repeat(1_000_000);
    if (what === 'unsigned')
      connection.socket.write(
        `POST /provision HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    else connection.request('POST', '/provision', body);
    connection.request('GET', '/provisions', '');
    await connection.until('both are answered', () => connection.statuses.length === 2);
    expect(connection.statuses).toEqual([status, '200']);
    connection.socket.destroy();
  });

  it('tells the work of a read that its caller has hung up', async () => {
    await using bench = await ApiBench.start();
    await bench.call('POST', '/provision', provision);
    const { promise: told, resolve: tell } = Promise.withResolvers<AbortSignal>();
    bench.logs = (signal) => {
      tell(signal);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    const connection = new Connection(bench.port);
    connection.request('GET', `/logs/${uuid}`, '');
    const signal = await told;
    expect(signal.aborted).toBe(false);
    connection.socket.destroy();
    await connection.until('the work is told', () => signal.aborted);
  });
});
