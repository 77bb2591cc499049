import type { ContainerConfig, HostConfig } from '@docker/node-sdk';
import { Fields } from '../http/index.ts';
import type {
  Attachment,
  AttachmentDetails,
  ContainerDetails,
  ContainerState,
  ContainerStatus,
  ContainerSummary,
  PublishedPort,
} from './containers.ts';

const statuses: ReadonlySet<string> = new Set<ContainerStatus>([
  'created',
  'running',
  'paused',
  'restarting',
  'removing',
  'exited',
  'dead',
  'unknown',
]);

const isStatus = (text: string): text is ContainerStatus => statuses.has(text);

const statusOf = (text: string): ContainerStatus => (isStatus(text) ? text : 'unknown');

/** Docker writes the year 1 for "never". */
const timeOf = (text: string | undefined): string | undefined =>
  text === undefined || text.startsWith('0001-') ? undefined : text;

const withoutSlash = (name: string): string => name.replace(/^\//, '');

export function parseSummary(fields: Fields): ContainerSummary {
  return {
    id: fields.text('Id'),
    names: ownNameFirst(fields.texts('Names').map(withoutSlash)),
    image: fields.maybeText('Image') ?? '',
    imageId: fields.maybeText('ImageID') ?? '',
    createdAt: fields.number('Created'),
    status: statusOf(fields.text('State')),
    statusText: fields.maybeText('Status') ?? '',
    labels: fields.textMap('Labels'),
    networkMode: fields.maybeFields('HostConfig')?.maybeText('NetworkMode') ?? '',
    attachments: Object.fromEntries(
      (fields.maybeFields('NetworkSettings')?.each('Networks') ?? []).map(([name, endpoint]) => [
        name,
        parseAttachment(endpoint),
      ]),
    ),
  };
}

/** Links of the old kind show up as further names, "other/alias", in any order. */
const ownNameFirst = (names: string[]): string[] =>
  names.sort((a, b) => Number(a.includes('/')) - Number(b.includes('/')));

function parseAttachment(endpoint: Fields): Attachment {
  return {
    networkId: endpoint.maybeText('NetworkID'),
    endpointId: endpoint.maybeText('EndpointID'),
    ipv4: endpoint.maybeText('IPAddress'),
    ipv6: endpoint.maybeText('GlobalIPv6Address'),
    mac: endpoint.maybeText('MacAddress'),
    gateway: endpoint.maybeText('Gateway'),
  };
}

export function parseDetails(answer: unknown): ContainerDetails {
  const fields = new Fields(answer, 'the inspected container');
  const config = fields.fields('Config');
  const hostConfig = fields.fields('HostConfig');
  const network = fields.maybeFields('NetworkSettings');
  return {
    id: fields.text('Id'),
    name: withoutSlash(fields.text('Name')),
    createdAt: fields.text('Created'),
    image: config.maybeText('Image') ?? '',
    imageId: fields.maybeText('Image') ?? '',
    state: parseState(fields.fields('State')),
    restartCount: fields.maybeNumber('RestartCount') ?? 0,
    labels: config.textMap('Labels'),
    networkMode: hostConfig.maybeText('NetworkMode') ?? '',
    tty: config.flag('Tty'),
    attachments: Object.fromEntries(
      (network?.each('Networks') ?? []).map(([name, endpoint]) => [name, parseAttachmentDetails(endpoint)]),
    ),
    mounts: fields.list('Mounts').map((mount) => ({
      type: mount.text('Type'),
      name: mount.maybeText('Name'),
      source: mount.maybeText('Source'),
      target: mount.text('Destination'),
      writable: mount.flag('RW'),
    })),
    ports: network === undefined ? [] : parsePorts(network),
    config: config.raw as ContainerConfig,
    hostConfig: hostConfig.raw as HostConfig,
  };
}

function parseState(state: Fields): ContainerState {
  const health = state.maybeFields('Health')?.maybeText('Status');
  return {
    status: statusOf(state.text('Status')),
    running: state.flag('Running'),
    paused: state.flag('Paused'),
    restarting: state.flag('Restarting'),
    oomKilled: state.flag('OOMKilled'),
    pid: state.maybeNumber('Pid') ?? 0,
    exitCode: state.maybeNumber('ExitCode') ?? 0,
    error: state.maybeText('Error'),
    startedAt: timeOf(state.maybeText('StartedAt')),
    finishedAt: timeOf(state.maybeText('FinishedAt')),
    health: health === 'starting' || health === 'healthy' || health === 'unhealthy' ? health : undefined,
  };
}

function parseAttachmentDetails(endpoint: Fields): AttachmentDetails {
  const asked = endpoint.maybeFields('IPAMConfig');
  return {
    ...parseAttachment(endpoint),
    aliases: endpoint.texts('Aliases'),
    links: endpoint.texts('Links'),
    driverOptions: endpoint.textMap('DriverOpts'),
    gatewayPriority: endpoint.maybeNumber('GwPriority'),
    fixedIpv4: asked?.maybeText('IPv4Address'),
    fixedIpv6: asked?.maybeText('IPv6Address'),
    linkLocalAddresses: asked?.texts('LinkLocalIPs') ?? [],
  };
}

/** A port that is exposed and not published has no bindings; one that is published on both families has two. */
function parsePorts(network: Fields): PublishedPort[] {
  const ports = network.maybeFields('Ports');
  return Object.keys(ports?.raw ?? {}).flatMap((containerPort) =>
    (ports?.list(containerPort) ?? []).map((binding) => ({
      containerPort,
      hostIp: binding.maybeText('HostIp') ?? '',
      hostPort: Number(binding.maybeText('HostPort') ?? 0),
    })),
  );
}
