import type { ContainerConfig, EndpointSettings, HostConfig } from '@docker/node-sdk';
import type { AttachmentDetails, ContainerDetails } from '../containers/index.ts';
import { type ApiVersion, atLeast } from '../http/index.ts';
import { sharedNetworkOf } from '../references/index.ts';

/** How a new container gets onto the networks of an old one. */
export interface NetworkPlan {
  readonly networkMode: string;
  /** For the create request, by network. */
  readonly endpoints: Readonly<Record<string, EndpointSettings>>;
  /** One after another, before the start. */
  readonly connects: readonly { readonly network: string; readonly endpoint: EndpointSettings }[];
  /** The container's own MAC address, where the engine takes it only there. */
  readonly macAddress: string | undefined;
}

/** Since then a create request takes several networks, and an endpoint its own MAC address. */
const MANY_ENDPOINTS: ApiVersion = { major: 1, minor: 44 };

/** Modes in which a container has no endpoints of its own. */
export const hasNoEndpoints = (mode: string): boolean =>
  mode === 'host' || mode === 'none' || sharedNetworkOf(mode) !== undefined;

export function planNetworks(old: ContainerDetails, mode: string, api: ApiVersion): NetworkPlan {
  if (hasNoEndpoints(mode)) return { networkMode: mode, endpoints: {}, connects: [], macAddress: undefined };
  const attached = attachedNetworks(old);
  const own = ownNetwork(mode, mode !== old.networkMode, attached);
  const names = [own, ...Object.keys(attached).filter((name) => name !== own)];
  const several = atLeast(api, MANY_ENDPOINTS);
  const asked = old.config.MacAddress ?? undefined;
  const endpointOf = (name: string): EndpointSettings => {
    const attachment = attached[name];
    const mac = !several ? undefined : name === own ? asked : attachment && givenMac(attachment);
    return {
      ...(attachment && askedFor(attachment, old.id)),
      ...(mac === undefined ? {} : { MacAddress: mac }),
    };
  };
  const [first = own, ...others] = names;
  const atCreate = several ? names : [first];
  return {
    networkMode: own === 'bridge' ? mode : own,
    endpoints: Object.fromEntries(atCreate.map((name) => [name, endpointOf(name)])),
    connects: several ? [] : others.map((network) => ({ network, endpoint: endpointOf(network) })),
    macAddress: several ? undefined : asked,
  };
}

/** Those that are networks: the engine also lists what stands for "host" and "none". */
function attachedNetworks(old: ContainerDetails): Readonly<Record<string, AttachmentDetails>> {
  return hasNoEndpoints(old.networkMode) ? {} : old.attachments;
}

/**
 * The name of the network that the mode means. A container that was taken off it keeps to those that it is on; unless
 * the mode is a new one.
 */
function ownNetwork(
  mode: string,
  isNew: boolean,
  attached: Readonly<Record<string, AttachmentDetails>>,
): string {
  const wanted = mode === 'default' || mode === '' ? 'bridge' : mode;
  const names = Object.keys(attached).sort();
  if (isNew || names.includes(wanted)) return wanted;
  const byId = names.find((name) => wanted.length >= 12 && attached[name]?.networkId?.startsWith(wanted));
  return byId ?? names[0] ?? wanted;
}

/** What somebody asked for when the container was attached. An address that was merely given is not asked for again. */
function askedFor(attachment: AttachmentDetails, containerId: string): EndpointSettings {
  const { fixedIpv4, fixedIpv6, linkLocalAddresses, driverOptions, links, gatewayPriority } = attachment;
  // An engine before API 1.45 counts the short id among the aliases.
  const aliases = attachment.aliases.filter((alias) => alias !== containerId.slice(0, 12));
  const ipam = {
    ...(fixedIpv4 === undefined ? {} : { IPv4Address: fixedIpv4 }),
    ...(fixedIpv6 === undefined ? {} : { IPv6Address: fixedIpv6 }),
    ...(linkLocalAddresses.length === 0 ? {} : { LinkLocalIPs: [...linkLocalAddresses] }),
  };
  return {
    ...(Object.keys(ipam).length === 0 ? {} : { IPAMConfig: ipam }),
    ...(aliases.length === 0 ? {} : { Aliases: aliases }),
    ...(links.length === 0 ? {} : { Links: [...links] }),
    ...(Object.keys(driverOptions).length === 0 ? {} : { DriverOpts: { ...driverOptions } }),
    ...(gatewayPriority === undefined || gatewayPriority === 0 ? {} : { GwPriority: gatewayPriority }),
  };
}

/** The same, for attaching it once more. Engines up to 26 pass a MAC address over there. */
export function askedEndpoint(attachment: AttachmentDetails, containerId: string): EndpointSettings {
  const mac = givenMac(attachment);
  return { ...askedFor(attachment, containerId), ...(mac === undefined ? {} : { MacAddress: mac }) };
}

/**
 * An endpoint's MAC address, unless it is plainly the one that the engine made of the IPv4 address. On a second network
 * nothing else tells what was asked for from what was given; keeping a given one harms nobody.
 */
function givenMac({ mac, ipv4 }: AttachmentDetails): string | undefined {
  if (mac === undefined || ipv4 === undefined) return mac;
  const bytes = ipv4.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return mac.toLowerCase() === `02:42:${bytes.join(':')}` ? undefined : mac;
}

/** What belongs to the network namespace, and is refused where that is another container's. */
export function blankedConfig(): ContainerConfig {
  return { Hostname: '', Domainname: '', ExposedPorts: {} };
}

/** Like `blankedConfig`. */
export function blankedHostConfig(): HostConfig {
  return {
    PortBindings: {},
    PublishAllPorts: false,
    Dns: [],
    DnsOptions: [],
    DnsSearch: [],
    ExtraHosts: [],
    Links: [],
  };
}
