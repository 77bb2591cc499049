/**
 * Which requests to Docker each feature makes, and the switches by which the usual socket proxies allow them. The docs, the
 * doctor and the running anchor read this table.
 */

export type Switch = 'CONTAINERS' | 'EVENTS' | 'INFO' | 'NETWORKS' | 'POST' | 'DELETE';

interface PermissionRow {
  /** A method and a path without its version; `*` is one part of it. */
  readonly request: string;
  /** What a socket proxy has to have on. Proxies without a switch of their own for DELETE have it under POST. */
  readonly switches: readonly Switch[];
  readonly what: string;
}

export const permissions = {
  list: { request: 'GET /containers/json', switches: ['CONTAINERS'], what: 'list containers' },
  inspect: { request: 'GET /containers/*/json', switches: ['CONTAINERS'], what: 'inspect containers' },
  events: { request: 'GET /events', switches: ['EVENTS'], what: 'follow events' },
  info: { request: 'GET /info', switches: ['INFO'], what: 'ask the engine about itself' },
  networks: { request: 'GET /networks', switches: ['NETWORKS'], what: 'list networks' },
  network: { request: 'GET /networks/*', switches: ['NETWORKS'], what: 'inspect networks' },
  create: { request: 'POST /containers/create', switches: ['CONTAINERS', 'POST'], what: 'create containers' },
  start: { request: 'POST /containers/*/start', switches: ['CONTAINERS', 'POST'], what: 'start containers' },
  stop: { request: 'POST /containers/*/stop', switches: ['CONTAINERS', 'POST'], what: 'stop containers' },
  restart: {
    request: 'POST /containers/*/restart',
    switches: ['CONTAINERS', 'POST'],
    what: 'restart containers',
  },
  rename: {
    request: 'POST /containers/*/rename',
    switches: ['CONTAINERS', 'POST'],
    what: 'rename containers',
  },
  remove: {
    request: 'DELETE /containers/*',
    switches: ['CONTAINERS', 'POST', 'DELETE'],
    what: 'remove containers',
  },
  connect: {
    request: 'POST /networks/*/connect',
    switches: ['NETWORKS', 'POST'],
    what: 'attach containers to networks',
  },
  disconnect: {
    request: 'POST /networks/*/disconnect',
    switches: ['NETWORKS', 'POST'],
    what: 'detach containers from networks',
  },
} as const satisfies Readonly<Record<string, PermissionRow>>;

export type PermissionName = keyof typeof permissions;
export const permissionNames = Object.keys(permissions) as readonly PermissionName[];

interface FeatureRow {
  readonly title: string;
  readonly needs: readonly PermissionName[];
  /** Works without, a little worse. */
  readonly wants?: readonly PermissionName[];
}

/** What a container is made anew with: the old one stays aside until the new one is up. */
const changes = ['create', 'start', 'stop', 'rename', 'remove'] as const;
/** A restart is for whoever stayed behind when the owner of its namespace was restarted in place. */
const repair = ['list', 'inspect', ...changes, 'restart', 'events'] as const;

const features = {
  discovery: {
    title: 'network-anchor: finding backends, the external interface, dead namespaces',
    needs: ['list', 'inspect', 'events'],
    wants: ['info'],
  },
  gateway: {
    title: 'network-anchor: the gateway of the external network, without DHCP or a pin',
    needs: ['network'],
  },
  siblings: {
    title: 'network-anchor: starting siblings (ANCHORD_AUTOSTART_SIBLINGS)',
    needs: ['list', 'inspect', 'events', 'start'],
  },
  managed: {
    title: 'network-anchor: a managed service-anchor (ANCHORD_MANAGED_SA_TARGET)',
    needs: repair,
  },
  dependents: {
    title: 'network-anchor: bringing dependents out of dead namespaces (ANCHORD_AUTOFIX_DEAD_NETNS)',
    needs: repair,
  },
  'external-rebinder': {
    title: 'external-rebinder',
    needs: ['list', 'inspect', 'events', 'network', 'connect', 'disconnect'],
  },
  'follower-restart': {
    title: 'external-rebinder: restarting the follower (ANCHORD_FOLLOW_RESTART)',
    needs: ['restart'],
  },
  'wrap-rebinder': {
    title: 'wrap-rebinder',
    needs: repair,
    wants: ['connect'],
  },
  doctor: {
    title: 'doctor',
    needs: ['list', 'inspect'],
    // Whatever changes something is for --fix.
    wants: ['events', 'info', 'networks', ...changes, 'restart', 'connect', 'disconnect'],
  },
} as const satisfies Readonly<Record<string, FeatureRow>>;

export type Feature = keyof typeof features;
export const featureNames = Object.keys(features) as readonly Feature[];

export const featureRow = (feature: Feature): FeatureRow => features[feature];

/** The features that cannot do without it. */
export const neededBy = (permission: PermissionName): readonly Feature[] =>
  featureNames.filter((feature) => featureRow(feature).needs.includes(permission));

/** The switches of all that a feature needs, for a socket proxy's settings. */
export const switchesOf = (feature: Feature): readonly Switch[] => [
  ...new Set(featureRow(feature).needs.flatMap((name): readonly Switch[] => permissions[name].switches)),
];
