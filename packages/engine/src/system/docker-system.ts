import { type Api, type ApiVersion, type CallOptions, Fields } from '../http/index.ts';
import type { DiskUsage, EngineDescription, EngineVersion, Ping, System } from './system.ts';

export class DockerSystem implements System {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async ping(options?: CallOptions): Promise<Ping> {
    const { date, 'api-version': apiVersion } = await this.#api.ping(options);
    const engineTime = date === undefined ? Number.NaN : Date.parse(date);
    return {
      apiVersion: typeof apiVersion === 'string' ? apiVersion : undefined,
      engineTime: Number.isNaN(engineTime) ? undefined : engineTime,
    };
  }

  async version(options?: CallOptions): Promise<EngineVersion> {
    const what = "ask for the engine's version";
    const answer = await this.#api.json({ method: 'GET', path: '/version', what }, options);
    const fields = new Fields(answer, "the engine's version");
    return {
      version: fields.text('Version'),
      apiVersion: fields.text('ApiVersion'),
      minApiVersion: fields.maybeText('MinAPIVersion'),
      os: fields.maybeText('Os') ?? '',
      architecture: fields.maybeText('Arch') ?? '',
      kernel: fields.maybeText('KernelVersion') ?? '',
    };
  }

  async info(options?: CallOptions): Promise<EngineDescription> {
    const what = 'ask the engine about itself';
    const answer = await this.#api.json({ method: 'GET', path: '/info', what }, options);
    const fields = new Fields(answer, "the engine's description");
    return {
      name: fields.maybeText('Name') ?? '',
      version: fields.maybeText('ServerVersion') ?? '',
      storageDriver: fields.maybeText('Driver') ?? '',
      storageStatus: parsePairs(fields.raw['DriverStatus']),
      dataRoot: fields.maybeText('DockerRootDir') ?? '',
      cgroupDriver: fields.maybeText('CgroupDriver') ?? '',
      cgroupVersion: fields.maybeText('CgroupVersion') ?? '',
      securityOptions: fields.texts('SecurityOptions'),
      ipv4Forwarding: fields.flag('IPv4Forwarding'),
      filtersBridgedPackets: {
        ipv4: toldFlag(fields.raw['BridgeNfIptables']),
        ipv6: toldFlag(fields.raw['BridgeNfIp6tables']),
      },
      warnings: fields.texts('Warnings'),
      containers: fields.number('Containers'),
      runningContainers: fields.number('ContainersRunning'),
      cpus: fields.number('NCPU'),
      memoryBytes: fields.number('MemTotal'),
    };
  }

  async diskUsage(options?: CallOptions): Promise<DiskUsage> {
    const what = "ask for the engine's disk usage";
    const answer = await this.#api.json({ method: 'GET', path: '/system/df', what }, options);
    const fields = new Fields(answer, "the engine's disk usage");
    return {
      layersBytes: fields.maybeNumber('LayersSize') ?? 0,
      images: fields.list('Images').length,
      containers: fields.list('Containers').length,
      volumes: fields.list('Volumes').length,
    };
  }

  spokenVersion(options?: CallOptions): Promise<ApiVersion> {
    return this.#api.version(options);
  }
}

const toldFlag = (value: unknown): boolean | undefined => (typeof value === 'boolean' ? value : undefined);

/** Docker's lists of [name, value]. What is not such a pair is left out: it is for people only. */
function parsePairs(value: unknown): Record<string, string> {
  if (!Array.isArray(value)) return {};
  const pairs = value.filter(
    (pair): pair is [string, string] =>
      Array.isArray(pair) && typeof pair[0] === 'string' && typeof pair[1] === 'string',
  );
  return Object.fromEntries(pairs);
}
