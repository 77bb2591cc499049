import { writeFileSync } from 'node:fs';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiBench } from '../testing/api-bench.ts';
import { type Certificate, certificateFolder } from '../testing/certificates.ts';
import { tlsOptions } from './tls.ts';

const folder = certificateFolder();
const certificates = {} as Record<
  'ca' | 'stranger' | 'server' | 'fred' | 'alternative' | 'other' | 'forged',
  Certificate
>;

beforeAll(() => {
  certificates.ca = folder.authority('ca');
  certificates.stranger = folder.authority('stranger');
  certificates.server = folder.issue('ca', 'server', 'backend', ['IP:127.0.0.1']);
  certificates.fred = folder.issue('ca', 'fred', 'fred', []);
  certificates.alternative = folder.issue('ca', 'alternative', 'x', ['DNS:providerd.example', 'DNS:fred']);
  certificates.other = folder.issue('ca', 'other', 'frederick', ['DNS:*.fred']);
  certificates.forged = folder.issue('stranger', 'forged', 'fred', []);
});
afterAll(() => folder[Symbol.dispose]());

const settings = (more: { clientCa?: boolean; names?: string[] } = {}) => ({
  certFile: certificates.server.certFile,
  keyFile: certificates.server.keyFile,
  clientCaFile: more.clientCa === true ? certificates.ca.certFile : '',
  clientNames: more.names ?? [],
});

const trust = () => ({ ca: certificates.ca.cert });
const as = ({ cert, key }: Certificate) => ({ ...trust(), cert, key });

describe('with a certificate', () => {
  it('the listener speaks TLS 1.3 and nothing else', async () => {
    await using bench = await ApiBench.start({ tls: settings() });
    expect((await bench.call('GET', '/provisions', undefined, trust())).status).toBe(200);
    const unsigned = await bench.send('GET', '/provisions', Buffer.alloc(0), trust());
    expect(unsigned.status).toBe(401);
    await expect(
      bench.send('GET', '/stats', Buffer.alloc(0), { ...trust(), maxVersion: 'TLSv1.2' }),
    ).rejects.toThrow();
    await expect(bench.send('GET', '/stats', Buffer.alloc(0), {})).rejects.toThrow(/certificate/);
  });

  it.each([
    ['cert', 'tls_cert_file .* cannot be read'],
    ['key', 'tls_key_file .* cannot be read'],
    ['ca', 'tls_client_ca_file .* has no certificate in it'],
  ])('a start with an unusable %s says so', (which, message) => {
    writeFileSync(folder.path('empty.pem'), '');
    const broken = {
      ...settings({ clientCa: true }),
      ...(which === 'cert' && { certFile: '/nowhere' }),
      ...(which === 'key' && { keyFile: '/nowhere' }),
      ...(which === 'ca' && { clientCaFile: folder.path('empty.pem') }),
    };
    expect(() => tlsOptions(broken)).toThrow(new RegExp(message));
  });
});

describe('with an authority for clients', () => {
  it('nobody comes in without a certificate of it', async () => {
    await using bench = await ApiBench.start({ tls: settings({ clientCa: true }) });
    expect((await bench.call('GET', '/stats', undefined, as(certificates.other))).status).toBe(200);
    await expect(bench.call('GET', '/stats', undefined, trust())).rejects.toThrow();
    await expect(bench.call('GET', '/stats', undefined, as(certificates.forged))).rejects.toThrow();
  });

  it('a list of names lets in only who has one of them exactly', async () => {
    await using bench = await ApiBench.start({ tls: settings({ clientCa: true, names: ['fred'] }) });
    expect((await bench.call('GET', '/stats', undefined, as(certificates.fred))).status).toBe(200);
    expect((await bench.call('GET', '/stats', undefined, as(certificates.alternative))).status).toBe(200);
    await expect(bench.call('GET', '/stats', undefined, as(certificates.other))).rejects.toThrow();
    expect(bench.host.logs.messages('warn')).toEqual(['client certificate refused, not an allowed name']);
  });

  it('a resumed session is asked for its name as well', async () => {
    await using bench = await ApiBench.start({ tls: settings({ clientCa: true, names: ['fred'] }) });
    const options = { host: '127.0.0.1', port: bench.port, ...as(certificates.fred) };
    const answered = async (socket: TLSSocket): Promise<string> => {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      socket.once('data', (bytes: Buffer) => resolve(bytes.toString('utf8').split('\r\n')[0] ?? ''));
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('closed')));
      socket.write('GET /stats HTTP/1.1\r\nHost: x\r\n\r\n');
      return await promise;
    };
    const first = connect(options);
    const session = new Promise<Buffer>((resolve) => first.once('session', resolve));
    expect(await answered(first)).toBe('HTTP/1.1 200 OK');
    const ticket = await session;
    first.destroy();
    const resumed = connect({ ...options, session: ticket });
    expect(await answered(resumed)).toBe('HTTP/1.1 200 OK');
    expect(resumed.isSessionReused()).toBe(true);
    resumed.destroy();
  });
});
