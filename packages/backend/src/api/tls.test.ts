import { writeFileSync } from 'node:fs';
import { connect, type TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiBench } from '../testing/api-bench.ts';
import { type Certificate, certificateFolder } from '../testing/certificates.ts';
import { certificateNames, tlsOptions } from './tls.ts';

const folder = certificateFolder();
const certificates = {} as Record<
  'ca' | 'stranger' | 'server' | 'fred' | 'alternative' | 'other' | 'forged' | 'quoting',
  Certificate
>;

beforeAll(() => {
  certificates.ca = folder.authority('ca');
  certificates.stranger = folder.authority('stranger');
  certificates.server = folder.issue('ca', 'server', 'backend', ['IP:127.0.0.1']);
  certificates.fred = folder.issue('ca', 'fred', 'fred', []);
  certificates.alternative = folder.issue('ca', 'alternative', 'x', ['DNS:providerd.example', 'DNS:fred']);
  certificates.other = folder.issue('ca', 'other', 'frederick', ['DNS:*.fred']);
  const uri = '@names\n[names]\nURI.1=http://x, DNS:fred, y\nDNS.1=quoting';
  certificates.quoting = folder.issue('ca', 'quoting', 'quoting', [uri]);
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
    ['pair', 'do not make a pair'],
    ['ca', 'tls_client_ca_file .* has no certificate in it'],
    ['damaged ca', 'tls_client_ca_file .* has a certificate that cannot be read'],
  ])('a start with an unusable %s says so', (which, message) => {
    writeFileSync(folder.path('empty.pem'), '');
    writeFileSync(
      folder.path('damaged.pem'),
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    );
    const broken = {
      ...settings({ clientCa: true }),
      ...(which === 'cert' && { certFile: '/nowhere' }),
      ...(which === 'key' && { keyFile: '/nowhere' }),
      ...(which === 'pair' && { keyFile: certificates.fred.keyFile }),
      ...(which === 'damaged ca' && { clientCaFile: folder.path('damaged.pem') }),
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

  it('a name that stands inside another kind of name lets nobody in', async () => {
    await using bench = await ApiBench.start({ tls: settings({ clientCa: true, names: ['fred'] }) });
    await expect(bench.call('GET', '/stats', undefined, as(certificates.quoting))).rejects.toThrow();
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

describe('the names of a certificate', () => {
  const kinds = fc.constantFrom('DNS', 'URI', 'email', 'IP Address', 'DirName', 'Registered ID');
  const entry = fc.tuple(kinds, fc.oneof(fc.domain(), fc.string({ maxLength: 20 })));

  /** As Node writes them: a value with something odd in it stands in quotes. */
  const written = (kind: string, value: string): string =>
    `${kind}:${/^[A-Za-z0-9.:@/ -]*$/.test(value) && !value.includes(', ') ? value : JSON.stringify(value)}`;

  it('are the last common name and the DNS names, whatever stands in names of other kinds', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 5 }),
        fc.array(fc.string(), { maxLength: 2 }),
        (entries, CN) => {
          const subjectaltname = entries.map(([kind, value]) => written(kind, value)).join(', ');
          const dns = entries.filter(([kind]) => kind === 'DNS').map(([, value]) => value);
          expect(certificateNames({ subject: { CN }, subjectaltname })).toEqual([...CN.slice(-1), ...dns]);
        },
      ),
    );
  });

  it('are none where the text does not come apart to its end', () => {
    for (const subjectaltname of ['DNS:fred, ???', 'DNS:"fred', 'DNS:fr"ed', '???, DNS:fred', ', DNS:fred'])
      expect(certificateNames({ subjectaltname })).toEqual([]);
    expect(certificateNames({})).toEqual([]);
  });
});
