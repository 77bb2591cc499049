/** From the environment to what a mode works with: read, checked, and put into the words of the domain. */
import { type IpAddress, type Mac, parseIp } from '@berth/kernel/ip';
import { nodeCrypto } from '@berth/service';
import {
  type AddressPair,
  configError,
  configOf,
  type Environment,
  readEnvironment,
} from '@berth/service/config';
import { derivedMac } from '../external/macvlan.ts';
import type { Family, PerFamily } from '../families.ts';
import type { LabelPredicate } from '../selector.ts';
import { type AddressMode, managedServiceAnchorSchema, networkAnchorSchema } from './network-anchor.ts';
import { serviceAnchorSchema } from './service-anchor.ts';

const composeProjectLabel = 'com.docker.compose.project';

/** What every mode that runs for a while has. */
interface CommonSettings {
  readonly logLevel: string;
  /** As it was written; null switches the listener off. */
  readonly metricsAddress: string | null;
}

/** Which containers are ours. */
interface Scope {
  /** All of them have to hold. */
  readonly discriminator: readonly LabelPredicate[];
  readonly bySelector: boolean;
}

/** How we come to an external interface. */
type ExternalSettings =
  | { readonly kind: 'network'; readonly network: string; readonly ignoredInterface: string | undefined }
  | { readonly kind: 'interface'; readonly name: string }
  | { readonly kind: 'macvlan'; readonly name: string; readonly parent: string; readonly mac: Mac };

interface ManagedAnchorSettings {
  readonly target: string;
  readonly name: string;
  readonly image: string | undefined;
  readonly gatewayIp: string | undefined;
  readonly extraEnv: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
}

export interface NetworkAnchorSettings extends CommonSettings {
  readonly dockerHost: string;
  readonly project: string | undefined;
  readonly scope: Scope;
  readonly external: ExternalSettings;
  readonly addressMode: AddressMode;
  readonly gatewayPin: PerFamily<IpAddress | undefined>;
  readonly sharedNetwork: string | undefined;
  readonly dhcpHostname: string;
  readonly pollIntervalMs: number;
  readonly dhcpBackoffMaxMs: number;
  readonly dhcpRelease: boolean;
  readonly dhcpFamilies: readonly Family[];
  readonly forwardFilter: boolean;
  readonly autostartSiblings: boolean;
  readonly autofixDeadNetns: boolean;
  readonly managed: ManagedAnchorSettings | undefined;
}

export interface ServiceAnchorSettings extends CommonSettings {
  readonly gateway:
    | { readonly kind: 'name'; readonly hostname: string }
    | {
        readonly kind: 'addresses';
        readonly addresses: PerFamily<IpAddress | undefined>;
        readonly ignoredHostname: string | undefined;
      };
  readonly resolveIntervalMs: number;
}

/** Throws `CONFIG_INVALID` with all that is wrong. */
export function networkAnchorSettings(env: Environment): NetworkAnchorSettings {
  const reading = readEnvironment(networkAnchorSchema, env);
  const managedReading = readEnvironment(managedServiceAnchorSchema, managesServiceAnchor(env) ? env : {});
  const [values, managedValues] = configOf(reading, managedReading);
  const project = values.project ?? values.composeProject;
  const selector = values.selector ?? [];
  const dhcpHostname = values.dhcpHostname ?? project ?? selector[0]?.value ?? '';
  return {
    logLevel: values.logLevel,
    metricsAddress: values.metricsAddress,
    dockerHost: values.dockerHost,
    project,
    scope: {
      bySelector: selector.length > 0,
      discriminator: selector.length > 0 ? selector : [{ key: composeProjectLabel, value: project ?? '' }],
    },
    external: externalSettings(values, project ?? dhcpHostname),
    addressMode: values.addressMode,
    gatewayPin: addressesOf(values.externalGateway),
    sharedNetwork: values.sharedNetwork,
    dhcpHostname,
    pollIntervalMs: values.pollIntervalMs,
    dhcpBackoffMaxMs: values.dhcpBackoffMaxMs,
    dhcpRelease: values.dhcpRelease,
    dhcpFamilies: values.dhcpFamilies,
    forwardFilter: values.forwardFilter,
    autostartSiblings: values.autostartSiblings,
    autofixDeadNetns: values.autofixDeadNetns,
    managed:
      values.managedTarget === undefined
        ? undefined
        : {
            ...managedValues,
            target: values.managedTarget,
            name: managedValues.name ?? `${values.managedTarget}-service-anchor`,
          },
  };
}

export const managesServiceAnchor = (env: Environment): boolean =>
  (env['ANCHORD_MANAGED_SA_TARGET'] ?? '').trim() !== '';

interface ExternalValues {
  readonly externalNetwork: string | undefined;
  readonly externalInterface: string | undefined;
  readonly vlanParent: string | undefined;
  readonly legacyMac: Mac | undefined;
}

/** A Docker network comes before everything: who moved to one may have left the old variables in place. */
function externalSettings(values: ExternalValues, identity: string): ExternalSettings {
  const { externalNetwork: network, externalInterface, vlanParent: parent, legacyMac } = values;
  if (network !== undefined) return { kind: 'network', network, ignoredInterface: externalInterface };
  const name = externalInterface ?? (parent === undefined ? 'eth0' : 'anchord-ext');
  expectInterfaceName('ANCHORD_EXT_IFACE', name);
  if (parent === undefined) return { kind: 'interface', name };
  expectInterfaceName('ANCHORD_VLAN_PARENT', parent);
  return { kind: 'macvlan', name, parent, mac: legacyMac ?? derivedMac(identity) };
}

/** What the kernel allows. */
const longestInterfaceName = 15;

function expectInterfaceName(key: string, name: string): void {
  const tooLong = Buffer.byteLength(name) > longestInterfaceName;
  if (!tooLong && /^[^\s/:\p{Cc}]+$/u.test(name) && name !== '.' && name !== '..') return;
  const text = tooLong
    ? `${key} must have at most ${longestInterfaceName} bytes`
    : `${key}=${JSON.stringify(name)} is not the name of an interface`;
  throw configError([{ key, text }]);
}

/** Throws `CONFIG_INVALID` with all that is wrong. */
export function serviceAnchorSettings(env: Environment): ServiceAnchorSettings {
  const reading = readEnvironment(serviceAnchorSchema, env);
  const [values] = configOf(reading);
  const addresses = addressesOf(values.gatewayIp);
  const byAddress = addresses.v4 !== undefined || addresses.v6 !== undefined;
  return {
    logLevel: values.logLevel,
    metricsAddress: values.metricsAddress,
    gateway: byAddress
      ? {
          kind: 'addresses',
          addresses,
          ignoredHostname: reading.given.has('gatewayHostname') ? values.gatewayHostname : undefined,
        }
      : { kind: 'name', hostname: values.gatewayHostname },
    resolveIntervalMs: values.resolveIntervalMs,
  };
}

function addressesOf(pair: AddressPair | undefined): PerFamily<IpAddress | undefined> {
  const address = (text: string | undefined) => (text === undefined ? undefined : parseIp(text));
  return { v4: address(pair?.v4), v6: address(pair?.v6) };
}

/** The same as long as project and external interface are. For people who compare logs. */
export function configurationFingerprint(
  project: string,
  external: ExternalSettings,
  externalInterface: string,
): string {
  // As the versions did it that had nothing else: without anything between the two.
  const text =
    external.kind === 'macvlan' ? `${project}${external.parent}` : `${project}|${externalInterface}`;
  return nodeCrypto().createHash('sha256').update(text).digest('hex').slice(0, 8);
}
