import type { AttachmentDetails, ContainerDetails } from '../containers/index.ts';

/** 64 digits that begin with these. */
export const fullId = (start: string): string => start.padEnd(64, '0');

export function anAttachment(asked: Partial<AttachmentDetails> = {}): AttachmentDetails {
  return {
    networkId: fullId('eeee'),
    endpointId: fullId('ffff'),
    ipv4: '10.0.0.2',
    ipv6: undefined,
    mac: '02:42:0a:00:00:02',
    gateway: '10.0.0.1',
    aliases: [],
    links: [],
    driverOptions: {},
    gatewayPriority: undefined,
    fixedIpv4: undefined,
    fixedIpv6: undefined,
    linkLocalAddresses: [],
    ...asked,
  };
}

/** A running container on the default bridge, but for what is said otherwise. */
export function aContainer(asked: Partial<ContainerDetails> = {}): ContainerDetails {
  const networkMode = asked.networkMode ?? 'default';
  return {
    id: fullId('aaaa'),
    name: 'web',
    createdAt: '2026-01-01T00:00:00Z',
    image: 'shop/web:1',
    imageId: 'sha256:1',
    state: {
      status: 'running',
      running: true,
      paused: false,
      restarting: false,
      oomKilled: false,
      pid: 1,
      exitCode: 0,
      error: undefined,
      startedAt: '2026-01-01T00:00:01Z',
      finishedAt: undefined,
      health: undefined,
    },
    restartCount: 0,
    labels: {},
    networkMode,
    tty: false,
    attachments: { bridge: anAttachment() },
    mounts: [],
    ports: [],
    config: { Image: 'shop/web:1', Cmd: ['serve'] },
    hostConfig: { NetworkMode: networkMode },
    ...asked,
  };
}
