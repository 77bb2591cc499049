/** The settings of a network-anchor. */
import { boolean, ipList, list, oneOf, optional, schema, stringMap, text } from '@berth/service/config';
import { families } from '../families.ts';
import {
  composeProjectField,
  dockerFields,
  logLevelField,
  metricsAddressField,
  modeField,
  positiveDuration,
} from './common.ts';
import { labelSelector, macAddress, secretStrings } from './kinds.ts';

const addressModes = ['bootstrap', 'dhcp-refresh', 'slaac-ra-only'] as const;
export type AddressMode = (typeof addressModes)[number];

const trimmed = () => text({ trim: true });

export const networkAnchorSchema = schema({
  title: 'network-anchor',
  about: 'Read once, at the start. Whatever is wrong is fatal before anything was changed.',
  fields: {
    mode: modeField,
    logLevel: logLevelField,
    metricsAddress: metricsAddressField,
    ...dockerFields,
    composeProject: composeProjectField,
    project: optional('ANCHORD_PROJECT', text(), {
      about:
        'The Compose project whose containers are served. To wrap a stack of somebody else, give the name of that project, not of your own.',
      shownDefault: 'COMPOSE_PROJECT_NAME',
    }),
    selector: optional('ANCHORD_LABEL_SELECTOR', labelSelector(), {
      about:
        'Which containers are served, by their labels, instead of by project: `key=value` pairs, separated by commas, all of which have to hold.',
    }),
    autostartSiblings: optional('ANCHORD_AUTOSTART_SIBLINGS', boolean(), {
      about:
        'Start containers that were created but could not start, because the container whose network they join was not there yet. `false` switches the managed service-anchor off as well.',
      default: true,
    }),
    autofixDeadNetns: optional('ANCHORD_AUTOFIX_DEAD_NETNS', boolean(), {
      about:
        'Re-create containers that hang on a managed service-anchor when that one is re-created. `false` only reports them.',
      default: true,
    }),
    managedTarget: optional('ANCHORD_MANAGED_SA_TARGET', trimmed(), {
      about:
        'Name or id of a container that somebody else starts at run time: the network-anchor makes a service-anchor for it. Without it the other `ANCHORD_MANAGED_SA_*` are not read.',
    }),
    addressMode: optional('ANCHORD_ADDRESS_MODE', oneOf(addressModes), {
      about:
        'Where the external address comes from. `bootstrap`: what Docker gave stays. `dhcp-refresh`: DHCP replaces it, DHCPv6 and router advertisements add to it. `slaac-ra-only`: what Docker gave stays, and the kernel makes IPv6 addresses from router advertisements.',
      default: 'bootstrap',
    }),
    externalNetwork: optional('ANCHORD_EXT_NETWORK', text(), {
      about:
        'Name of the Docker network that leads to the LAN. Set it whenever the container stands on several networks: the numbering of interfaces changes from start to start, and this finds the right one by its MAC.',
    }),
    externalInterface: optional('ANCHORD_EXT_IFACE', text(), {
      about:
        'Name of the external interface inside of the container. Only used without `ANCHORD_EXT_NETWORK`.',
      shownDefault: 'eth0 (anchord-ext with ANCHORD_VLAN_PARENT)',
    }),
    externalGateway: optional('ANCHORD_EXT_GATEWAY_IP', ipList(), {
      about:
        'The gateway to the rest of the world, at most one for each family. A router that DHCP names comes before it, the gateway that Docker knows for the network after it.',
      rephrase: (sentence) => `ANCHORD_EXT_GATEWAY_IP: ${sentence}`,
    }),
    sharedNetwork: optional('ANCHORD_SHARED_NETWORK', text(), {
      about:
        'The Docker network on which backends are reached. Without it the network is chosen on which most of them are seen.',
    }),
    dhcpHostname: optional('ANCHORD_DHCP_HOSTNAME', text(), {
      about: 'The name that DHCP announces, and from which the client identifier is made.',
      shownDefault: 'the project; without one, the value of the first key of the selector',
    }),
    pollIntervalMs: optional('ANCHORD_POLL_INTERVAL', positiveDuration(), {
      about: 'How often everything is looked at afresh, beside following events.',
      default: 30_000,
    }),
    dhcpBackoffMaxMs: optional('ANCHORD_DHCP_BACKOFF_MAX', positiveDuration(), {
      about: 'The longest pause between two attempts to get a lease.',
      default: 300_000,
    }),
    dhcpRelease: optional('ANCHORD_DHCP_RELEASE', boolean(), {
      about:
        'Give the lease back at the end. `false` keeps it for the next start, which gets the same address also without a reservation.',
      default: true,
    }),
    dhcpFamilies: optional('ANCHORD_DHCP_FAMILIES', list(oneOf(families), { minItems: 1 }), {
      about:
        'In which families a DHCP client runs: `v4`, `v6` or both. Addresses that routers advertise do not depend on it.',
      default: families,
    }),
    forwardFilter: optional('ANCHORD_FORWARD_FILTER', boolean(), {
      about:
        'Drop what comes from a LAN (the external interface, and every other that Docker has not attached to an inner network) and is neither for an exposed port nor an answer. `false` lets whoever routes the inner networks through this anchor reach every container in them.',
      default: true,
    }),
    vlanParent: optional('ANCHORD_VLAN_PARENT', text(), {
      about:
        'For set-ups from before Docker macvlan networks: the link (in the namespace of this container) on which anchord makes the external interface itself. Switches DHCP on.',
    }),
    legacyMac: optional('ANCHORD_EXT_MAC', macAddress(), {
      about: 'The MAC of the interface that anchord makes. Only used with `ANCHORD_VLAN_PARENT`.',
      shownDefault: 'derived from the project',
    }),
  },
  rules: (rule) => [
    rule('project', ['composeProject', 'selector'], ({ project, composeProject, selector }) =>
      (project ?? composeProject ?? '') === '' && (selector ?? []).length === 0
        ? '(or COMPOSE_PROJECT_NAME) must be set unless ANCHORD_LABEL_SELECTOR is'
        : undefined,
    ),
  ],
});

/** Only read when there is a target. */
export const managedServiceAnchorSchema = schema({
  title: 'managed service-anchor',
  about: 'The service-anchor that a network-anchor makes. Only read when `ANCHORD_MANAGED_SA_TARGET` is set.',
  fields: {
    name: optional('ANCHORD_MANAGED_SA_NAME', trimmed(), {
      about: 'Name of the service-anchor that is made.',
      shownDefault: '<target>-service-anchor',
    }),
    image: optional('ANCHORD_MANAGED_SA_IMAGE', trimmed(), {
      about: 'Its image. Setting it switches the check for a newer image off.',
      shownDefault: "the network-anchor's own image",
    }),
    gatewayIp: optional('ANCHORD_MANAGED_SA_GATEWAY_IP', trimmed(), {
      about: 'What it gets as `ANCHORD_GATEWAY_IP`.',
      shownDefault: "the network-anchor's own addresses on the shared network",
    }),
    extraEnv: optional('ANCHORD_MANAGED_SA_EXTRA_ENV', secretStrings(), {
      about:
        'Further environment for it, as a JSON object of strings. Comes before what anchord sets itself.',
      default: new Map<string, string>(),
    }),
    labels: optional('ANCHORD_MANAGED_SA_LABELS', stringMap(), {
      about:
        'Labels for it, as a JSON object of strings. `com.docker.compose.*` and `anchord.managed-by` are reserved.',
      default: new Map<string, string>(),
      check: (labels) => {
        const reserved = [...labels.keys()].find(isReservedLabel);
        return reserved && `: ${JSON.stringify(reserved)} is reserved (Compose or anchord set it)`;
      },
      rephrase: (sentence) => sentence.replace(' : ', ': '),
    }),
  },
});

const isReservedLabel = (key: string): boolean =>
  key.startsWith('com.docker.compose.') || key === 'anchord.managed-by';
