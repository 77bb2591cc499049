/**
 * What keeps a tenant inside its container. Read it from top to bottom: every container that we make has all of it, and no
 * manifest can take any of it away.
 */
import type { ContainerCreateRequest } from '@docker/node-sdk';
import type { SkuProfile } from '../placement/index.ts';

type HostConfig = NonNullable<ContainerCreateRequest['HostConfig']>;

export interface HardeningSettings {
  readonly readonlyRootfs: boolean;
  readonly pidsLimit: number;
  /** Open files of one process; 0 leaves it to the engine, which may not be allowed to raise it. */
  readonly nofileLimit: number;
  /** The log file of a container is rotated at this size, and so many are kept. */
  readonly logMaxSizeMb: number;
  readonly logMaxFiles: number;
}

export const mib = 1024 * 1024;

export function hardening(settings: HardeningSettings, profile: SkuProfile): HostConfig {
  const { readonlyRootfs, pidsLimit, nofileLimit, logMaxSizeMb, logMaxFiles } = settings;
  const memory = profile.memoryMb * mib;
  return {
    // No capability at all, none to be gained by a setuid program, and never the engine's privileged mode.
    CapDrop: ['ALL'],
    CapAdd: [],
    Privileged: false,
    SecurityOpt: ['no-new-privileges:true'],

    // Nothing of the image can be changed; what has to be written goes into the mounts.
    ReadonlyRootfs: readonlyRootfs,

    // Memory and swap together are the memory of the profile: no swap. CPU in billionths of a core.
    Memory: memory,
    MemorySwap: memory,
    NanoCpus: Math.round(profile.cpuCores * 1e9),
    PidsLimit: pidsLimit,
    ...(nofileLimit > 0 && { Ulimits: [{ Name: 'nofile', Soft: nofileLimit, Hard: nofileLimit }] }),

    // What a tenant prints cannot fill the host's disk.
    LogConfig: {
      Type: 'json-file',
      Config: { 'max-size': `${logMaxSizeMb}m`, 'max-file': String(logMaxFiles) },
    },

    // A container that ends stays ended: that is how its failure is seen.
    RestartPolicy: { Name: 'no' },
    AutoRemove: false,

    // Namespaces of its own, all of them.
    PidMode: '',
    IpcMode: 'private',
    UTSMode: '',
    UsernsMode: '',
  };
}
