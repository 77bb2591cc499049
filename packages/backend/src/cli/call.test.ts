import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TlsSettings } from '../api/index.ts';
import { ApiBench, apiSecret } from '../testing/api-bench.ts';
import { certificateFolder } from '../testing/certificates.ts';
import { storeFolder } from '../testing/store-folder.ts';
import { runCommandLine } from './run.ts';

/** Calls a backend by the configuration that it runs with. */
async function call(argv: readonly string[], port: number, more: Record<string, unknown> = {}) {
  using folder = storeFolder();
  const config = {
    listen_addr: `:${port}`,
    callback_secret: apiSecret,
    host_address: '203.0.113.10',
    sku_profiles: { small: { cpu_cores: 1, memory_mb: 64 } },
    ...more,
  };
  writeFileSync(folder.path('backend.yaml'), JSON.stringify(config));
  writeFileSync(folder.path('body.json'), '{"lease_uuid":"gone"}');
  const said = { out: '', err: '' };
  const code = await runCommandLine(
    ['call', ...argv, '-config', 'backend.yaml'].map((word) =>
      /\.(yaml|json)$/.test(word) ? folder.path(word) : word,
    ),
    {
      env: {},
      build: { version: '1.2.3', commit: 'abc' },
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
      serve: async () => 7,
    },
  );
  return { code, ...said };
}

describe('docker-backend call', () => {
  it('signs, and shows what is answered', async () => {
    await using bench = await ApiBench.start();
    expect(await call(['GET', '/provisions?limit=10'], bench.port)).toEqual({
      code: 0,
      out: '{"provisions":[]}\n',
      err: '200\n',
    });
    expect(await call(['POST', '/deprovision', '-data', 'body.json'], bench.port)).toEqual({
      code: 0,
      out: '{"status":"ok"}\n',
      err: '200\n',
    });
  });

  it('fails when the answer is no success, and shows it all the same', async () => {
    await using bench = await ApiBench.start();
    expect(await call(['GET', '/info/gone'], bench.port)).toEqual({
      code: 1,
      out: '{"error":"not provisioned"}\n',
      err: '404\n',
    });
  });

  it('says where nobody answers, and which body cannot be read', async () => {
    await using bench = await ApiBench.start();
    const { port } = bench;
    const missing = await call(['POST', '/deprovision', '-data', '/nowhere/body'], port);
    expect(missing).toMatchObject({ code: 1, out: '', err: expect.stringContaining('/nowhere/body') });
    await bench.listener.close();
    const silent = await call(['GET', '/health'], port);
    expect(silent).toMatchObject({ code: 1, err: expect.stringContaining(`GET /health on :${port}`) });
  });

  it('trusts the certificate of the configuration, and shows it where clients need one', async () => {
    using certificates = certificateFolder();
    certificates.authority('ca');
    const { certFile, keyFile } = certificates.issue('ca', 'server', 'server', ['DNS:elsewhere.example']);
    const tls: TlsSettings = {
      certFile,
      keyFile,
      clientCaFile: certificates.path('ca.pem'),
      clientNames: ['elsewhere.example'],
    };
    await using bench = await ApiBench.start({ tls });
    const settings = {
      tls_cert_file: certFile,
      tls_key_file: keyFile,
      tls_client_ca_file: tls.clientCaFile,
      tls_client_allowed_names: tls.clientNames,
    };
    expect(await call(['GET', '/health'], bench.port, settings)).toMatchObject({ code: 0, err: '200\n' });
    // Another server with a certificate of the same authority is not the one that is configured.
    const other = certificates.issue('ca', 'other', 'other', ['DNS:elsewhere.example']);
    const wrong = { ...settings, tls_cert_file: other.certFile, tls_key_file: other.keyFile };
    expect(await call(['GET', '/health'], bench.port, wrong)).toMatchObject({ code: 1, out: '' });
  });
});
