/** From Docker to the kernel: events and lists, backends, rules. The doors to both come in from outside. */
import { type Engine, EventFeed } from '@berth/engine';
import { errorText } from '@berth/service/log';
import type { NetworkAnchorSettings } from '../config/settings.ts';
import { Reconciler, type ReconcilerParts } from '../dataplane/index.ts';
import {
  type Backend,
  BackendDiscovery,
  ContainerObserver,
  type SharedNetworkPicker,
} from '../discovery/index.ts';
import { discoveryMessages } from '../messages/index.ts';
import type { Program } from '../program.ts';
import { formatSelector } from '../selector.ts';
import { pause } from '../wakeup.ts';

type Doors = Pick<ReconcilerParts, 'dataplane' | 'conntrack' | 'ownAddresses' | 'onReconciled'>;

export interface FollowParts extends Doors {
  readonly engine: {
    readonly containers: Pick<Engine['containers'], 'list' | 'inspect'>;
    readonly events: Engine['events'];
    readonly system: Pick<Engine['system'], 'ping'>;
    readonly address: string;
  };
  readonly picker: SharedNetworkPicker;
  readonly onBackends: (backends: readonly Backend[]) => void;
  /** The stream of events is gone, or could not be had; for others who listen to it. */
  readonly onStreamLost?: (error: unknown) => void;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

export interface Following {
  readonly observer: ContainerObserver;
  readonly discovery: BackendDiscovery;
  readonly reconciler: Reconciler;
  /** The one stream of events of this process. */
  readonly feed: EventFeed;
}

type Parts = Omit<Program, 'status' | 'onScrape'>;

/** Runs with the scope, but for the reconciler, which is the caller's to run. */
export function followBackends(
  program: Parts,
  settings: Pick<NetworkAnchorSettings, 'scope' | 'project'>,
  { engine, picker, onBackends, onStreamLost, random = Math.random, ...doors }: FollowParts,
): Following {
  const { scope, log, clock, metrics, problems, stop } = program;
  const { discriminator, bySelector } = settings.scope;
  if (bySelector) {
    if (settings.project !== undefined) {
      log.say(discoveryMessages.selectorReplacesProject, { ignored_project: settings.project });
    }
    log.say(discoveryMessages.selectorActive, { selector: formatSelector(discriminator) });
  }
  const reconciler = new Reconciler({ ...program, ...doors });
  const discovery = new BackendDiscovery(picker, {
    log,
    problems,
    scope: formatSelector(discriminator),
    onBackends: (backends) => {
      reconciler.want(backends);
      onBackends(backends);
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
  const feed = new EventFeed(scope, {
    events: engine.events,
    system: engine.system,
    clock,
    filters: { type: ['container', 'network'] },
    backoff: { firstMs: 500, maxMs: 2_000 },
    random,
    observer: {
      lost: (err) => {
        log.say(discoveryMessages.streamFailed, { err });
        onStreamLost?.(err);
      },
    },
  });
  observer.requestSnapshot('initial');
  scope.spawn('discovery', async (signal) => {
    try {
      await Promise.race([observer.run(signal), hear(feed, observer, signal)]);
    } catch (err) {
      if (signal.aborted) return;
      log.say(discoveryMessages.exited, { err });
      stop(1);
    }
  });
  return { observer, discovery, reconciler, feed };
}

async function hear(feed: EventFeed, observer: ContainerObserver, signal: AbortSignal): Promise<void> {
  for await (const { resync, events } of feed.subscribe({ signal })) {
    // Also at the start: between our first list and the moment in which the stream stood, something may have happened.
    if (resync !== undefined) observer.requestSnapshot('event');
    for (const event of events) observer.hear(event);
  }
}

/** Every so often everything is looked at afresh: whatever was missed is found then. */
export function keepLooking(
  { scope, clock, metrics }: Parts,
  everyMs: number,
  { observer, reconciler }: Following,
  alsoLook: () => void,
): void {
  scope.spawn('polling', async (signal) => {
    while (!signal.aborted) {
      alsoLook();
      await pause(clock, everyMs, signal);
      if (signal.aborted) return;
      metrics.dockerEvents.inc({ source: 'poll' });
      observer.requestSnapshot('poll');
      reconciler.verify();
    }
  });
}
