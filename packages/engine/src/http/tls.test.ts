import { rmSync, unlinkSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '@berth/service';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Certificates, makeCertificates } from '../testing/certificates.ts';
import { Api } from './api.ts';
import { endpointFromEnvironment } from './endpoint.ts';
import { Transport } from './transport.ts';

describe('an engine that speaks TLS and wants to know its clients', () => {
  let ours: Certificates;
  let server: https.Server;

  beforeEach(async () => {
    ours = makeCertificates();
    server = https.createServer({ ...ours.server, requestCert: true }, (request, response) => {
      response.setHeader('Api-Version', '1.41').end(JSON.stringify(request.url));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(ours.folder, { recursive: true });
  });

  /** A server of another authority that knows our clients all the same. */
  function makeServerOnly(): { ca: string; cert: string; key: string } {
    const others = makeCertificates();
    rmSync(others.folder, { recursive: true });
    return { ...others.server, ca: ours.server.ca };
  }

  async function ask(env: Record<string, string>, method: 'GET' | 'POST' = 'GET'): Promise<unknown> {
    const { port } = server.address() as AddressInfo;
    const endpoint = endpointFromEnvironment({ DOCKER_HOST: `tcp://127.0.0.1:${port}`, ...env });
    const transport = new Transport(endpoint, systemClock);
    try {
      return await new Api(transport).json({ method, path: '/x', what: 'ask' });
    } finally {
      await transport.close();
    }
  }

  it('answers one that has a certificate of the same authority', async () => {
    const env = { DOCKER_CERT_PATH: ours.folder, DOCKER_TLS_VERIFY: '1' };
    expect(await ask(env)).toBe('/v1.41/x');
    expect(await ask(env, 'POST')).toBe('/v1.41/x');
  });

  it('is not spoken to where its certificate is of another authority', async () => {
    const others = makeCertificates();
    const env = { DOCKER_CERT_PATH: others.folder, DOCKER_TLS_VERIFY: '1' };
    await expect(ask(env)).rejects.toMatchObject({ code: 'ENGINE_TLS' });
    rmSync(others.folder, { recursive: true });
  });

  it('is spoken to whatever its certificate is, where nobody asked to check it', async () => {
    server.setSecureContext(makeServerOnly());
    expect(await ask({ DOCKER_CERT_PATH: ours.folder })).toBe('/v1.41/x');
  });

  it('is not spoken to in the clear', async () => {
    await expect(ask({})).rejects.toMatchObject({
      code: expect.stringMatching(/^ENGINE_(CONNECTION_LOST|ANSWER)$/),
    });
  });

  it('is not asked anything while a file is missing', async () => {
    unlinkSync(join(ours.folder, 'key.pem'));
    await expect(ask({ DOCKER_CERT_PATH: ours.folder })).rejects.toMatchObject({
      code: 'ENGINE_CONFIGURATION',
      message: expect.stringContaining('key.pem'),
    });
  });
});
