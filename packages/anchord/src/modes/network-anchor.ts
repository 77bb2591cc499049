/** Network-anchor: gives a project its address on the LAN, and leads each exposed port to its backend. */
import type { ContainerDetails, Engine } from '@berth/engine';
import { Conntrack } from '@berth/kernel/conntrack';
import { Network } from '@berth/kernel/network';
import { Nftables } from '@berth/kernel/nftables';
import { CodedError } from '@berth/service';
import {
  configurationFingerprint,
  type NetworkAnchorSettings,
  networkAnchorSettings,
} from '../config/settings.ts';
import { Dataplane, type ForwardFilter, ownNetworks, probeShape, watchRulesets } from '../dataplane/index.ts';
import {
  inspectSelf,
  ownReferences,
  type SharedNetworkPicker,
  sharedNetworkPicker,
} from '../discovery/index.ts';
import { anchordErrors } from '../errors.ts';
import { families } from '../families.ts';
import { dataplaneMessages, discoveryMessages, processMessages } from '../messages/index.ts';
import { checkForwarding, PathChecker, probe } from '../path/index.ts';
import { type Mode, type Program, runMode } from '../program.ts';
import { connectWatched } from './connect.ts';
import { findExternalInterface, startExternalSide } from './external-side.ts';
import { type Following, followBackends, keepLooking } from './follow-backends.ts';
import { sayStreamLost, startLifecycleSide } from './lifecycle-side.ts';
import { tellStatus } from './network-anchor-status.ts';
import { followOwnNetworks, InnerSide } from './own-networks.ts';

const gates = {
  tables_installed: { title: 'The tables are in the kernel', severity: 'error', readiness: 'latched' },
  reconciled: { title: 'The kernel has what Docker says', severity: 'error', readiness: 'latched' },
} as const;

type Gate = (met: keyof typeof gates) => void;

const networkAnchorMode: Mode<NetworkAnchorSettings, typeof gates> = {
  name: 'network-anchor',
  readSettings: networkAnchorSettings,
  gates,
  async run(program, settings, gate) {
    const { scope } = program;
    const manages = settings.managed !== undefined && settings.autostartSiblings;
    const engine = connectWatched(program, manages ? ['managed'] : []);
    const network = scope.own(Network.open());
    const external = await findExternalInterface(program, settings, engine, network);
    sayStart(program, settings, external.name);
    const dataplane = installDataplane(program, settings, external.name, gate);
    const externalSide = startExternalSide(program, settings, { engine, network, external });
    const self = await inspectSelf(engine.containers, ownReferences(), scope.signal);
    const picker = pickNetworks(program, settings, self);
    const inner = new InnerSide(program, settings, { network, external, dataplane }, self);
    tellStatus(program.status, settings, { network, external, dataplane, inner });
    const following = startFollowing(program, settings, gate, {
      engine,
      network,
      dataplane,
      picker,
      inner,
      externalLink: () => external.link()?.index,
    });
    const lookAtOurselves = followOwnNetworks(program, {
      ...{ engine, network, feed: following.feed, id: self.id },
      onSeen: (seen) => {
        const { reconciler, discovery, observer } = following;
        if (external.lookAgain(seen)) externalSide.replugged();
        if (inner.standsOn(seen)) reconciler.verify();
        if (discovery.standOn(ownNetworks(seen.attachments), networkOf(settings))) {
          observer.requestSnapshot('event');
        }
      },
    });
    startLifecycleSide(program, settings, { engine, ...following });
    keepLooking(program, settings.pollIntervalMs, following, () => {
      externalSide.look();
      lookAtOurselves();
      checkForwarding({ ...program, inUse: externalSide.inUse });
    });
    await following.reconciler.run(scope.signal);
    return undefined;
  },
};

/** Until the end of the process. */
export const run = (env: NodeJS.ProcessEnv): Promise<never> => runMode(networkAnchorMode, env);

function sayStart({ log }: Program, settings: NetworkAnchorSettings, ext_iface: string): void {
  const { project = '', addressMode: address_mode, dhcpHostname: hostname, external } = settings;
  const fp = configurationFingerprint(project, external, ext_iface);
  const same = { project, ext_iface, hostname, fp };
  if (external.kind === 'macvlan') {
    const { parent: vlan_parent, mac } = external;
    log.say(processMessages.networkAnchorStarting, { ...same, vlan_parent, mac });
  } else {
    const ext_network = external.kind === 'network' ? external.network : '';
    log.say(processMessages.networkAnchorStarting, { ...same, ext_network, address_mode });
  }
}

function installDataplane(
  { scope, log }: Program,
  settings: NetworkAnchorSettings,
  externalInterface: string,
  gate: Gate,
): Dataplane {
  const nftables = scope.own(Nftables.open());
  // Who else stands here is looked up as soon as Docker is asked.
  const forwardFilter: ForwardFilter = { kind: settings.forwardFilter ? 'external' : 'off' };
  const shape = settingUp(() => probeShape(nftables, { externalInterface, forwardFilter }));
  for (const family of families) {
    if (shape.guard[family] !== 'local-address') log.say(dataplaneMessages.fibMissing, { family });
  }
  const dataplane = new Dataplane(nftables, shape);
  scope.defer(() => {
    try {
      dataplane.remove();
    } catch (err) {
      log.say(dataplaneMessages.teardownFailed, { err });
    }
  }, 'removing the tables');
  settingUp(() => dataplane.install());
  gate('tables_installed');
  return dataplane;
}

/** Readers look for the words before those of the kernel. */
function settingUp<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause;
    throw new CodedError(cause.code, `nat setup: ${cause.message}`, cause.remedy, { cause });
  }
}

const networkOf = ({ external }: NetworkAnchorSettings): string | undefined =>
  external.kind === 'network' ? external.network : undefined;

function pickNetworks(
  { log }: Program,
  settings: NetworkAnchorSettings,
  self: ContainerDetails,
): SharedNetworkPicker {
  const { external, sharedNetwork: pin } = settings;
  const externalNetwork = networkOf(settings);
  const own = ownNetworks(self.attachments);
  // The old kind makes its way to the LAN by itself.
  if (own.length === 0 && external.kind !== 'macvlan') {
    throw anchordErrors.error('NO_OWN_NETWORKS', `no networks on self (${self.name})`);
  }
  const picker = sharedNetworkPicker({ ownNetworks: own, externalNetwork, pin });
  log.say(discoveryMessages.pickerInitialised, { candidates: picker.candidates, pinned: pin ?? '' });
  if (picker.choice.kind === 'none') {
    log.say(discoveryMessages.noCandidates, { ext_network: externalNetwork ?? '' });
  }
  return picker;
}

interface Followed {
  readonly engine: Engine;
  readonly network: Network;
  readonly dataplane: Dataplane;
  readonly picker: SharedNetworkPicker;
  readonly inner: InnerSide;
  readonly externalLink: () => number | undefined;
}

function startFollowing(
  program: Program,
  settings: NetworkAnchorSettings,
  gate: Gate,
  { engine, network, dataplane, picker, inner, externalLink }: Followed,
): Following {
  const { scope } = program;
  const paths = new PathChecker(
    { ...program, network, system: engine.system, probe, externalLink },
    settings.pollIntervalMs,
  );
  scope.spawn('checking paths', (signal) => paths.run(signal));
  const following: Following = followBackends(program, settings, {
    engine,
    dataplane,
    picker,
    conntrack: scope.own(Conntrack.open()),
    ownAddresses: () => network.addresses.list().map(({ address }) => address),
    onReconciled: () => gate('reconciled'),
    onBackends: (backends) => {
      paths.check(backends);
      if (inner.settledOn(following.discovery.settledNetwork)) following.reconciler.verify();
    },
    onStreamLost: (err) => sayStreamLost(program, settings, err),
  });
  watchRulesets(scope, program, () => following.reconciler.verify());
  program.status.tell('sharedNetwork', () => following.discovery.sharedNetwork);
  return following;
}
