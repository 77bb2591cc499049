/** The program as whoever starts and supervises it sees it: exit codes, one owner of the stores, TLS, the drain at its end. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host } from '@berth/lab';
import { accepted, backendMain, backendSecret, Provider, signatureOf, storesIn } from '@berth/lab/provider';
import { lab, waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let host: Host;
let folder: string;
beforeAll(async () => {
  host = (await lab()).host();
  folder = await mkdtemp(join(tmpdir(), 'berth-process-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the program to an end that it comes to by itself. */
async function ended(config: Readonly<Record<string, unknown>> | string) {
  const file = join(folder, 'docker-backend.yaml');
  const good = {
    listen_addr: '127.0.0.1:0',
    docker_host: `unix://${host.socketPath}`,
    callback_secret: backendSecret,
    host_address: '203.0.113.10',
    sku_profiles: { small: { cpu_cores: 1, memory_mb: 64 } },
  };
  await writeFile(file, typeof config === 'string' ? config : JSON.stringify({ ...good, ...config }));
  const argv = [backendMain, '-config', file];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
    cwd: folder,
    env: { ...process.env, DOCKER_HOST: '' },
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { code: status, said: stdout + stderr };
}

/** An authority, and certificates of it, made by the openssl program. */
function certificates() {
  const openssl = (...argv: string[]) => void execFileSync('openssl', argv, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-subj', '/CN=ca', '-days', '2', '-keyout', 'ca.key', '-out', 'ca.pem');
  for (const name of ['server', 'providerd', 'stranger']) {
    const names = `subjectAltName=DNS:${name},IP:127.0.0.1`;
    openssl(
      'req',
      ...key,
      '-subj',
      `/CN=${name}`,
      '-addext',
      names,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    );
    const issue = [
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
    ];
    openssl(...issue, '-copy_extensions', 'copy', '-days', '2', '-out', `${name}.pem`);
  }
}

describe('docker-backend as a process', () => {
  it('ends with 1 and says why when it cannot start, everything that is wrong with its configuration at once', async () => {
    const wrong = await ended({ name: '', total_cpu_cores: 0, host_address: 'http://x' });
    expect(wrong.code).toBe(1);
    for (const key of ['name', 'total_cpu_cores', 'host_address']) expect(wrong.said).toContain(key);
    expect(wrong.said).not.toContain(backendSecret);
    expect(await ended('{ not: [yaml')).toMatchObject({
      code: 1,
      said: expect.stringContaining('docker-backend.yaml'),
    });
    const deaf = await ended({ docker_host: 'unix:///run/nowhere.sock' });
    expect(deaf).toMatchObject({ code: 1, said: expect.stringContaining('/run/nowhere.sock') });
    const tls = await ended({ tls_cert_file: '/nowhere/a.pem', tls_key_file: '/nowhere/a.key' });
    expect(tls).toMatchObject({ code: 1, said: expect.stringContaining('/nowhere/a.pem') });
    const insecure = await ended({ production_mode: true, callback_insecure_skip_verify: true });
    expect(insecure).toMatchObject({ code: 1, said: expect.stringContaining('production_mode') });
  });

  it('owns its stores and its port alone', async () => {
    await using provider = await Provider.open(host);
    const second = await ended(storesIn(provider.program.folder));
    expect(second).toMatchObject({ code: 1, said: expect.stringContaining('in use') });
    const taken = await ended({ listen_addr: `127.0.0.1:${provider.program.port}` });
    expect(taken).toMatchObject({ code: 1, said: expect.stringContaining(String(provider.program.port)) });
    expect(accepted(await provider.client.health())).toEqual({ status: 'healthy' });
  });

  it('answers over TLS 1.3 to clients of its authority that have an allowed name, and to nobody else', async () => {
    certificates();
    await using provider = await Provider.open(host, {
      config: {
        tls_cert_file: join(folder, 'server.pem'),
        tls_key_file: join(folder, 'server.key'),
        tls_client_ca_file: join(folder, 'ca.pem'),
        tls_client_allowed_names: ['providerd'],
      },
    });
    const file = (name: string) => readFileSync(join(folder, name));
    const status = (name: string | undefined, more: object = {}) =>
      new Promise<number | string>((resolve) => {
        const target = '/provisions?limit=1';
        const asked = request(
          {
            host: '127.0.0.1',
            port: provider.program.port,
            path: target,
            agent: false,
            ca: file('ca.pem'),
            headers: { 'X-Fred-Signature': signatureOf(backendSecret, 'GET', target, Buffer.alloc(0)) },
            ...(name !== undefined && { cert: file(`${name}.pem`), key: file(`${name}.key`) }),
            ...more,
          },
          (response) => resolve(response.resume().statusCode ?? 0),
        );
        asked.on('error', () => resolve('refused'));
        asked.end();
      });
    expect(await status('providerd')).toBe(200);
    expect(await status('stranger')).toBe('refused');
    expect(await status(undefined)).toBe('refused');
    expect(await status('providerd', { maxVersion: 'TLSv1.2' })).toBe('refused');
    // The one does not stand in for the other.
    expect(await status('providerd', { headers: {} })).toBe(401);
    await waitFor('a line about the name', () => provider.program.output.includes('not an allowed name'), {
      timeoutMs: 60_000,
    });
  });

  it('answers what is under way before it ends with 0', async () => {
    await using provider = await Provider.open(host, { config: { container_stop_timeout: '3s' } });
    const deaf = { image: provider.image, command: ['sh', '-c', 'trap "" TERM; while :; do sleep 1; done'] };
    const lease = await provider.provisioned(provider.lease(), { services: { web: deaf } });
    // The container hears no signal, so the close takes its three seconds.
    const closing = provider.client.deprovision(lease.lease_uuid);
    await waitFor(
      'the close',
      async () => {
        const [found] = accepted(await provider.client.lookup(lease.lease_uuid)).provisions;
        return found?.status === 'deprovisioning';
      },
      { timeoutMs: 60_000 },
    );
    const end = provider.program.stop();
    expect(accepted(await closing)).toEqual({ status: 'ok' });
    expect(await end).toBe(0);
    // An attempt that the end cuts off is made again: at least once, and never anything else.
    await provider.program.run();
    expect(await provider.desk.next(lease.lease_uuid)).toMatchObject({ status: 'deprovisioned' });
    const others = provider.desk.heard(lease.lease_uuid).slice(1);
    expect(others.filter(({ status }) => status !== 'success' && status !== 'deprovisioned')).toEqual([]);
    expect(provider.desk.violations).toEqual([]);
  });
});
