import { writeFileSync } from 'node:fs';
import type { Engine, EngineDescription } from '@berth/engine';
import { RecordingLog } from '@berth/service/testing';
import { describe, expect, it } from 'vitest';
import { configFrom, readConfig } from './config/index.ts';
import { checkEngine, tellSettings } from './start-checks.ts';
import { storeFolder } from './testing/store-folder.ts';

async function configOf(more = '') {
  using folder = storeFolder();
  const file = folder.path('backend.yaml');
  const minimal = [
    'sku_profiles: {small: {cpu_cores: 0.5, memory_mb: 64}, large: {cpu_cores: 4, memory_mb: 64}}',
    'sku_mapping: {uuid-1: small, uuid-2: large}',
    'callback_secret: at-least-thirty-two-characters-long',
    'host_address: 203.0.113.10',
  ];
  writeFileSync(file, `${minimal.join('\n')}\n${more}`);
  return configFrom(await readConfig(file, {}));
}

const good: EngineDescription = {
  ...{
    name: 'host',
    version: '26.1.5',
    storageDriver: 'overlay2',
    storageStatus: {},
    dataRoot: '/var/lib/docker',
  },
  ...{ cgroupDriver: 'systemd', cgroupVersion: '2', containers: 0, runningContainers: 0 },
  filtersBridgedPackets: { ipv4: false, ipv6: false },
  securityOptions: ['name=apparmor', 'name=seccomp,profile=default'],
  ipv4Forwarding: true,
  warnings: [],
  cpus: 4,
  memoryBytes: 16384 * 1024 * 1024,
};

/** What is said at the start with an engine that describes itself so. */
async function saidOf(
  described: EngineDescription | Error,
  ping: Engine['system']['ping'] = () => Promise.resolve({ apiVersion: '1.45', engineTime: undefined }),
) {
  const logs = new RecordingLog();
  const info = async (): Promise<EngineDescription> => {
    if (described instanceof Error) throw described;
    return described;
  };
  await checkEngine({ system: { ping, info } }, await configOf(), logs.log, 1000);
  return logs;
}

describe('at the start, the engine', () => {
  it('has to be there', async () => {
    await expect(saidOf(good, () => Promise.reject(new Error('nobody answers')))).rejects.toThrow(
      'nobody answers',
    );
  });

  it('is not spoken of when there is nothing to say', async () => {
    expect((await saidOf(good)).messages()).toEqual([]);
  });

  it.each<[Partial<EngineDescription>, string]>([
    [
      { securityOptions: ['name=apparmor'] },
      'the engine has no seccomp: containers run without a filter of system calls',
    ],
    [{ ipv4Forwarding: false }, 'IPv4 forwarding is off: containers have no network'],
    [{ warnings: ['WARNING: bridge-nf-call-iptables is disabled'] }, 'the engine warns'],
    [{ cpus: 3 }, 'a profile has more cores than the engine, its containers cannot be made'],
    [{ memoryBytes: 16384 * 1024 * 1024 - 1 }, 'total_memory_mb is more than the engine has'],
  ])('is warned of with %j', async (different, message) => {
    expect((await saidOf({ ...good, ...different })).messages('warn')).toEqual([message]);
  });

  it('is named by what it lacks, in numbers', async () => {
    const logs = await saidOf({
      ...good,
      cpus: 2,
      memoryBytes: 8192 * 1024 * 1024,
      warnings: ['no swap limit'],
    });
    expect(logs.attrsOf('a profile has more cores than the engine, its containers cannot be made')).toEqual([
      { profile: 'large', cpu_cores: 4, engine_cpus: 2 },
    ]);
    expect(logs.attrsOf('total_memory_mb is more than the engine has')).toEqual([
      { total_memory_mb: 16384, have_mb: 8192 },
    ]);
    expect(logs.attrsOf('the engine warns')).toEqual([{ warning: 'no swap limit' }]);
  });

  it('that does not say what it is holds nothing up', async () => {
    expect((await saidOf(new Error('500'))).messages('warn')).toEqual(['the engine does not say what it is']);
  });
});

describe('at the start, the settings', () => {
  const told = async (more: string): Promise<RecordingLog> => {
    const logs = new RecordingLog();
    tellSettings(await configOf(more), logs.log);
    return logs;
  };

  it('of SKUs are told', async () => {
    const logs = await told('');
    expect([logs.messages('warn'), logs.messages('error')]).toEqual([[], []]);
    expect(logs.attrsOf('SKU mapping')).toEqual([{ mapping: { 'uuid-1': 'small', 'uuid-2': 'large' } }]);
  });

  it('that take safety away are warned of, loudly where others can read and answer', async () => {
    const logs = await told('network_isolation: false\ncallback_insecure_skip_verify: true\n');
    const insecure =
      'callback_insecure_skip_verify is on: whoever stands in between can read and answer callbacks';
    expect(logs.messages('warn')).toEqual([
      'network_isolation is off: all tenants share the default bridge, and services cannot find one another',
      insecure,
    ]);
    expect(logs.messages('error')).toEqual([insecure]);
  });
});
