/** Network-anchor: gives a project its address on the LAN, and leads each exposed port to its backend. */
import { connectEngine, type Engine, EventFeed } from '@berth/engine';
import { Conntrack } from '@berth/kernel/conntrack';
import { Network } from '@berth/kernel/network';
import { Nftables } from '@berth/kernel/nftables';
import { errorText } from '@berth/service/log';
import {
  configurationFingerprint,
  type NetworkAnchorSettings,
  networkAnchorSettings,
} from '../config/settings.ts';
import { Dataplane, probeShape, Reconciler, watchRulesets } from '../dataplane/index.ts';
import {
  BackendDiscovery,
  ContainerObserver,
  inspectSelf,
  ownReferences,
  type SharedNetworkPicker,
  sharedNetworkPicker,
} from '../discovery/index.ts';
import { families } from '../families.ts';
import { dataplaneMessages, discoveryMessages, processMessages } from '../messages/index.ts';
import { checkForwarding, PathChecker, probe } from '../path/index.ts';
import type { Mode, Program } from '../program.ts';
import { formatSelector } from '../selector.ts';
import { pause } from '../wakeup.ts';
import { findExternalInterface, startExternalSide } from './external-side.ts';
import { tellStatus } from './network-anchor-status.ts';

const gates = {
  tables_installed: { title: 'The tables are in the kernel', severity: 'error', readiness: 'latched' },
  reconciled: { title: 'The kernel has what Docker says', severity: 'error', readiness: 'latched' },
} as const;

type Gate = (met: keyof typeof gates) => void;

export const networkAnchorMode: Mode<NetworkAnchorSettings, typeof gates> = {
  name: 'network-anchor',
  readSettings: networkAnchorSettings,
  gates,
  async run(program, settings, gate) {
    const { scope } = program;
    const engine = connectEngine(scope, { clock: program.clock });
    const network = scope.own(Network.open());
    const external = await findExternalInterface(program, settings, engine, network);
    sayStart(program, settings, external.name);
    const dataplane = installDataplane(program, settings, external.name, gate);
    const addresses = startExternalSide(program, settings, { engine, network, external });
    const picker = await pickNetworks(program, settings, engine);
    tellStatus(program.status, settings, { network, external, dataplane });
    const { observer, reconciler } = followBackends(program, settings, gate, {
      engine,
      network,
      dataplane,
      picker,
      externalLink: () => external.link()?.index,
    });
    scope.spawn('polling', async (signal) => {
      while (!signal.aborted) {
        addresses.look();
        checkForwarding({ ...program, inUse: addresses.inUse });
        await pause(program.clock, settings.pollIntervalMs, signal);
        if (signal.aborted) return;
        program.metrics.dockerEvents.inc({ source: 'poll' });
        observer.requestSnapshot('poll');
        reconciler.verify();
      }
    });
    await reconciler.run(scope.signal);
    return undefined;
  },
};

function sayStart({ log }: Program, settings: NetworkAnchorSettings, ext_iface: string): void {
  const { project = '', addressMode: address_mode, dhcpHostname: hostname, external } = settings;
  const fp = configurationFingerprint(project, ext_iface);
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
  { forwardFilter }: NetworkAnchorSettings,
  externalInterface: string,
  gate: Gate,
): Dataplane {
  const nftables = scope.own(Nftables.open());
  const shape = probeShape(nftables, { externalInterface, forwardFilter });
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
  dataplane.install();
  gate('tables_installed');
  return dataplane;
}

async function pickNetworks(
  { scope, log }: Program,
  { external, sharedNetwork: pin }: NetworkAnchorSettings,
  engine: Engine,
): Promise<SharedNetworkPicker> {
  const self = await inspectSelf(engine.containers, ownReferences(), scope.signal);
  const externalNetwork = external.kind === 'network' ? external.network : undefined;
  const picker = sharedNetworkPicker({ ownNetworks: Object.keys(self.attachments), externalNetwork, pin });
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
  readonly externalLink: () => number | undefined;
}

function followBackends(
  program: Program,
  settings: NetworkAnchorSettings,
  gate: Gate,
  { engine, network, dataplane, picker, externalLink }: Followed,
): { readonly observer: ContainerObserver; readonly reconciler: Reconciler } {
  const { scope, log, clock, metrics, problems, stop } = program;
  const { discriminator, bySelector } = settings.scope;
  if (bySelector) {
    if (settings.project !== undefined) {
      log.say(discoveryMessages.selectorReplacesProject, { ignored_project: settings.project });
    }
    log.say(discoveryMessages.selectorActive, { selector: formatSelector(discriminator) });
  }
  const reconciler = new Reconciler({
    ...program,
    dataplane,
    conntrack: scope.own(Conntrack.open()),
    ownAddresses: () => network.addresses.list().map(({ address }) => address),
    onReconciled: () => gate('reconciled'),
  });
  watchRulesets(scope, program, () => reconciler.verify());
  const paths = new PathChecker(
    { ...program, network, system: engine.system, probe, externalLink },
    settings.pollIntervalMs,
  );
  scope.spawn('checking paths', (signal) => paths.run(signal));
  const discovery = new BackendDiscovery(picker, {
    log,
    problems,
    scope: formatSelector(discriminator),
    onBackends: (backends) => {
      reconciler.want(backends);
      paths.check(backends);
    },
  });
  const observer = new ContainerObserver({
    containers: engine.containers,
    discriminator,
    clock,
    log,
    onWorld: (world) => discovery.observe(world),
    onEvent: ({ action, attributes }) => {
      metrics.dockerEvents.inc({ source: 'event' });
      log.say(discoveryMessages.event, { action, actor: attributes['name'] ?? '' });
    },
    onDocker: (state) => {
      if (state === 'answers') problems.clear('docker-unreachable', engine.address);
      else problems.set('docker-unreachable', engine.address, errorText(state.error));
    },
  });
  program.status.tell('sharedNetwork', () => discovery.sharedNetwork);
  observer.requestSnapshot('initial');
  scope.spawn('discovery', async (signal) => {
    const feed = new EventFeed(scope, {
      events: engine.events,
      system: engine.system,
      clock,
      filters: { type: ['container', 'network'] },
      backoff: { firstMs: 500, maxMs: 2_000 },
      observer: { lost: (err) => log.say(discoveryMessages.streamFailed, { err }) },
    });
    try {
      await Promise.race([observer.run(signal), hear(feed, observer, signal)]);
    } catch (err) {
      if (signal.aborted) return;
      log.say(discoveryMessages.exited, { err });
      stop(1);
    }
  });
  return { observer, reconciler };
}

async function hear(feed: EventFeed, observer: ContainerObserver, signal: AbortSignal): Promise<void> {
  for await (const { resync, events } of feed.subscribe({ signal })) {
    // Also at the start: between our first list and the moment in which the stream stood, something may have happened.
    if (resync !== undefined) observer.requestSnapshot('event');
    for (const event of events) observer.hear(event);
  }
}
