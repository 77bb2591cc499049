import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { storeFolder } from '../testing/store-folder.ts';
import { type Config, configFrom, readConfig } from './config.ts';
import { printedConfig } from './print.ts';
import { configWarnings } from './warnings.ts';

const minimal = `
sku_profiles:
  small: {cpu_cores: 0.5, memory_mb: 512}
callback_secret: "at-least-thirty-two-characters-long"
host_address: 203.0.113.10
`;

async function reading(yaml: string, env: Record<string, string> = {}) {
  using folder = storeFolder();
  const file = folder.path('backend.yaml');
  writeFileSync(file, yaml);
  const result = await readConfig(file, env);
  return { ...result, texts: result.problems.map(({ text }) => text.replace(file, 'backend.yaml')) };
}

const config = async (more = '', env: Record<string, string> = {}): Promise<Config> =>
  configFrom(await reading(`${minimal}${more}`, env));

const problems = async (more: string): Promise<readonly string[]> =>
  (await reading(`${minimal}${more}`)).texts;

describe('the configuration', () => {
  it('has the defaults that installations rely on', async () => {
    const { callbackSecret, catalogue, total, ...values } = await config();
    expect(callbackSecret.reveal()).toBe('at-least-thirty-two-characters-long');
    expect(total).toEqual({ cpuCores: 8, memoryMb: 16384, diskMb: 102400 });
    expect(catalogue.profiles.get('small')).toEqual({ cpuCores: 0.5, memoryMb: 512, diskMb: 0 });
    expect(values).toMatchObject({
      logLevel: '',
      name: 'docker',
      maxRequestBodySize: 2097152,
      listenAddr: ':9001',
      dockerHost: 'unix:///var/run/docker.sock',
      allowedRegistries: ['docker.io', 'ghcr.io'],
      imagePullTimeoutMs: 300_000,
      containerCreateTimeoutMs: 30_000,
      containerStartTimeoutMs: 30_000,
      containerStopTimeoutMs: 30_000,
      startupVerifyDurationMs: 5000,
      provisionTimeoutMs: 600_000,
      reconcileIntervalMs: 300_000,
      hostBindIp: '',
      containerPidsLimit: 256,
      containerTmpfsSizeMb: 64,
      callbackMaxAgeMs: 86_400_000,
      diagnosticsMaxAgeMs: 604_800_000,
      releasesMaxAgeMs: 7_776_000_000,
      retentionMaxAgeMs: 7_776_000_000,
      retentionReapIntervalMs: 3_600_000,
      retentionOrphanConfirmations: 3,
      networkIsolation: true,
      containerReadonlyRootfs: true,
      callbackInsecureSkipVerify: false,
      productionMode: false,
      retainOnClose: false,
      callbackDbPath: 'callbacks.db',
      diagnosticsDbPath: 'diagnostics.db',
      releasesDbPath: 'releases.db',
      retentionDbPath: 'retention.db',
      migrationGracePeriodMs: 60_000,
      migrationReadyTimeoutMs: 90_000,
      minAvgFileBytes: 1024,
      ingress: {
        enabled: false,
        certResolver: 'http01',
        middlewares: ['security-headers@file'],
        dnsResolvers: ['1.1.1.1:53', '8.8.8.8:53', '9.9.9.9:53'],
        dnsQuorum: 0,
        dnsCheckDisabled: false,
      },
    });
  });

  it('takes 0 for the default where the contract says so', async () => {
    const values = await config(
      'startup_verify_duration: 0\ncontainer_stop_timeout: 0s\ncontainer_tmpfs_size_mb: 0\nmin_avg_file_bytes: 0\nmax_request_body_size: -5\n',
    );
    expect(values).toMatchObject({
      startupVerifyDurationMs: 5000,
      containerStopTimeoutMs: 30_000,
      containerTmpfsSizeMb: 64,
      minAvgFileBytes: 1024,
      maxRequestBodySize: 2097152,
    });
  });

  it('lets variables beat the file, unless they are empty or (for the body size) unusable', async () => {
    const values = await config('max_request_body_size: 1000\n', {
      DOCKER_BACKEND_ADDR: ':1',
      DOCKER_BACKEND_CALLBACK_SECRET: 'another-secret-of-thirty-two-characters',
      DOCKER_BACKEND_HOST_ADDRESS: 'host.example',
      DOCKER_HOST: '',
      DOCKER_BACKEND_MAX_REQUEST_BODY_SIZE: 'huge',
    });
    expect(values).toMatchObject({ listenAddr: ':1', hostAddress: 'host.example', maxRequestBodySize: 1000 });
    expect(values.dockerHost).toBe('unix:///var/run/docker.sock');
    expect(values.callbackSecret.reveal()).toBe('another-secret-of-thirty-two-characters');
    const zero = await config('max_request_body_size: 1000\n', { DOCKER_BACKEND_MAX_REQUEST_BODY_SIZE: '0' });
    expect(zero.maxRequestBodySize).toBe(1000);
    const larger = await config('', { DOCKER_BACKEND_MAX_REQUEST_BODY_SIZE: '5000' });
    expect(larger.maxRequestBodySize).toBe(5000);
  });

  it('says everything that is wrong at once, with key and line', async () => {
    const { texts } = await reading(
      'name: ""\nsku_profiles: {}\ncallback_secret: short\ntotal_cpu_cores: 0\n',
    );
    expect(texts).toEqual([
      'backend.yaml:1:7: name must not be empty',
      'backend.yaml:3:18: callback_secret must have at least 32 characters',
      'backend.yaml: host_address must be set',
      'backend.yaml:4:18: total_cpu_cores must be above 0',
      'backend.yaml:2:15: sku_profiles must have at least one entry',
    ]);
  });

  it.each<[string, string]>([
    ['tls_cert_file: a.pem', 'tls_key_file and tls_cert_file must be set together'],
    ['tls_client_ca_file: ca.pem', 'tls_client_ca_file needs tls_cert_file and tls_key_file'],
    ['tls_client_allowed_names: [fred]', 'tls_client_allowed_names needs tls_client_ca_file'],
    ['sku_mapping: {x: large}', 'sku_mapping entry "x" leads to "large", which is no profile'],
    ['sku_mapping: {x: large}', 'sku_mapping leads to every profile but "small", which can never be used'],
    ['allowed_registries: []', 'allowed_registries must have at least one entry'],
    ['log_level: loud', 'invalid log_level "loud"'],
    ['listen_addr: nonsense', 'listen_addr must say where to listen: "nonsense" is not host:port'],
    ['listen_addr: ":70000"', 'has a port above 65535'],
    ['docker_host: /var/run/docker.sock', 'docker_host is no address of an engine'],
    ['docker_host: ftp://x', 'the scheme "ftp" is not supported'],
    ['docker_host: tcp://x:99999', 'is not host[:port][/path]'],
    ['callback_max_age: 1constructor', '"constructor" is not a unit'],
    ['image_pull_timeout: 0', 'image_pull_timeout must be positive'],
    ['reconcile_interval: 30', 'invalid reconcile_interval: "30" is not a duration'],
    ['callback_max_age: -1h', 'callback_max_age must be non-negative'],
    ['host_bind_ip: localhost', 'host_bind_ip must be an IP address or empty'],
    ['container_pids_limit: 0', 'container_pids_limit must be at least 1'],
    ['min_avg_file_bytes: 100', 'min_avg_file_bytes must be 0 or at least 512'],
    ['volume_data_path: "/a b"', 'volume_data_path must have no blank'],
    ['volume_filesystem: ext4', 'invalid volume_filesystem "ext4"'],
    ['max_retained_disk_mb: 200000', 'max_retained_disk_mb must be at most total_disk_mb (102400)'],
    [
      'max_retained_disk_mb: 10\nmax_retained_disk_mb_per_tenant: 20',
      'must be at most max_retained_disk_mb (10)',
    ],
    [
      'retention_partition_source: nonsense',
      'retention_partition_source must be empty, manifest.label:<key>',
    ],
    ['retention_partition_source: "manifest.label:fred.x"', 'names what no manifest may have'],
    ['retention_partition_source: "manifest.env:PATH"', 'names what no manifest may have'],
    [`retention_partition_source: "manifest.env:${'x'.repeat(129)}"`, 'must name a key of 1 to 128 bytes'],
    ['retention_tenant_budgets: {t: {max_retained_disk_mb: 5}}', 'max_retained_leases must be set'],
    [
      'retention_tenant_budgets: {t: {max_retained_leases: 1, max_retained_disk_mb: 5, per_partition_max_leases: 1}}',
      'per_partition_max_leases needs max_partitions',
    ],
    [
      'retention_tenant_budgets: {t: {max_retained_leases: 1, max_retained_disk_mb: 200000}}',
      'entry "t": max_retained_disk_mb must be at most total_disk_mb',
    ],
    ['ingress: {enabled: true, entrypoint: web}', 'ingress.wildcard_domain must be set'],
    ['ingress: {enabled: true, entrypoint: web, wildcard_domain: .x}', 'must not begin or end with a dot'],
    ['ingress: {enabled: true, wildcard_domain: x.y}', 'ingress.entrypoint must be set'],
    [
      'ingress: {enabled: true, entrypoint: w, wildcard_domain: x.y, custom_domain_dns_resolvers: ["1.1.1.1"]}',
      'entry "1.1.1.1" must be host:port',
    ],
    [
      'network_isolation: false\ningress: {enabled: true, entrypoint: w, wildcard_domain: x.y}',
      'ingress needs network_isolation',
    ],
    [
      'tenant_quota: {max_cpu_cores: 9, max_memory_mb: 1, max_disk_mb: 1}',
      'tenant_quota max_cpu_cores must be at most',
    ],
    ['tenant_quota: {max_cpu_cores: 1, max_memory_mb: 1, max_disk_mb: 0}', 'max_disk_mb must be at least 1'],
    [
      'production_mode: true\ncallback_insecure_skip_verify: true',
      'callback_insecure_skip_verify is refused in production_mode',
    ],
  ])('refuses %s', async (yaml, expected) => {
    expect((await problems(yaml)).join('\n')).toContain(expected);
  });

  it.each([
    ['cpu_cores: 0.001, memory_mb: 64', 'cpu_cores must be at least 0.01'],
    ['cpu_cores: 1e-9, memory_mb: 64', 'cpu_cores must be at least 0.01'],
    ['cpu_cores: 1, memory_mb: 5', 'memory_mb must be at least 6'],
    ['cpu_cores: 1e9, memory_mb: 64', 'cpu_cores must be at most 9000000'],
    ['cpu_cores: 1, memory_mb: 8589934592', 'memory_mb must be at most 8589934591'],
    ['cpu_cores: 1, memory_mb: 64, disk_mb: 8589934592', 'disk_mb must be at most 8589934591'],
  ])('refuses a profile that no container can have: %s', async (profile, expected) => {
    const { texts } = await reading(minimal.replace(/small: .*/, `tiny: {${profile}}`));
    expect(texts.join('\n')).toContain(`sku_profiles.tiny.${expected}`);
  });

  it.each([
    ['total_cpu_cores', '1e9', 9_000_000],
    ['total_memory_mb', '8589934592', 8_589_934_591],
    ['total_disk_mb', '8589934592', 8_589_934_591],
    ['container_tmpfs_size_mb', '8589934592', 8_589_934_591],
    ['container_log_max_size_mb', '8589934592', 8_589_934_591],
    ['container_pids_limit', '4194305', 4_194_304],
    ['container_nofile_limit', '2147483585', 2_147_483_584],
    ['max_request_body_size', '536870889', 536_870_888],
  ])('refuses %s: %s, which neither engine, kernel nor Node can be told', async (key, value, most) => {
    expect(await problems(`${key}: ${value}`)).toEqual([
      expect.stringContaining(`${key} must be at most ${most}`),
    ]);
    expect(await problems(`${key}: ${most}`)).toEqual([]);
  });

  it.each(['a/b', 'a b', 'http://x.y', 'plainname', ''])('refuses the host address %j', async (address) => {
    const { texts } = await reading(minimal.replace('203.0.113.10', JSON.stringify(address)));
    expect(texts.join()).toContain('host_address');
  });

  it.each([
    '203.0.113.10',
    'localhost',
    'localhost:80',
    'host.example',
    'host.example:8443',
    '2001:db8::1',
    '[2001:db8::1]:80',
  ])('accepts the host address %j', async (address) => {
    const { texts } = await reading(minimal.replace('203.0.113.10', JSON.stringify(address)));
    expect(texts).toEqual([]);
  });

  it('needs a data path when a profile has disk', async () => {
    const withDisk = minimal.replace('memory_mb: 512', 'memory_mb: 512, disk_mb: 10');
    expect((await reading(withDisk)).texts.join()).toContain('volume_data_path must be set');
    expect((await reading(`${withDisk}volume_data_path: /data\n`)).texts).toEqual([]);
  });

  it('notes keys that nobody knows, and starts all the same', async () => {
    const { unknown, texts } = await reading(`${minimal}retain_on_closed: true\n`);
    expect(texts).toEqual([]);
    expect(unknown.map(({ key, meant }) => [key, meant])).toEqual([['retain_on_closed', 'retain_on_close']]);
  });

  it('is printed without its secret', async () => {
    const { values, given } = await reading(minimal);
    const printed = printedConfig(values!, given);
    expect(printed).toContain('callback_secret: [REDACTED]\n');
    expect(printed).not.toContain('thirty-two');
    expect(printed).toContain('name: docker  # default\n');
    expect(printed).toContain('host_address: 203.0.113.10\n');
  });

  it.each([
    ['max_retained_disk_mb: 100', 'limits of kept data are set, but retain_on_close is false'],
    ['retain_on_close: true\nmax_retained_disk_mb: 100', 'one tenant can fill it alone'],
    ['retain_on_close: true\nretention_partition_source: manifest.label:x', 'no tenant has a budget'],
    [
      'retain_on_close: true\nretention_tenant_budgets: {t: {max_retained_leases: 1, max_retained_disk_mb: 5, max_partitions: 1}}',
      'has partitions, but retention_partition_source is not set',
    ],
    ['total_cpu_cores: 0.25', 'sku_profiles.small: cpu_cores 0.5 is more than total_cpu_cores (0.25)'],
    ['total_memory_mb: 511', 'sku_profiles.small: memory_mb 512 is more than total_memory_mb (511)'],
  ])('warns of %s', async (yaml, expected) => {
    expect(configWarnings(await config(yaml)).join('\n')).toContain(expected);
  });
});
