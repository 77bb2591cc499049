/** Wires the side of a network-anchor that keeps other containers alive. None of it may stop the data path. */
import type { Engine, EngineEvent, EventFeed } from '@berth/engine';
import type { NetworkAnchorSettings } from '../config/settings.ts';
import { type BackendDiscovery, inspectSelf, ownReferences } from '../discovery/index.ts';
import {
  DeadNamespaceDetector,
  LifecycleKeeper,
  projectsOf,
  sayWhatIsOff,
  selfOf,
} from '../lifecycle/index.ts';
import { lifecycleMessages as messages } from '../messages/index.ts';
import type { Program } from '../program.ts';
import { ourselves } from './own-container.ts';

export interface LifecycleSide {
  readonly engine: Engine;
  readonly feed: EventFeed;
  readonly discovery: BackendDiscovery;
}

export function startLifecycleSide(
  program: Program,
  settings: NetworkAnchorSettings,
  side: LifecycleSide,
): void {
  const { scope, log } = program;
  if (!settings.autostartSiblings) sayWhatIsOff(log, settings);
  else
    scope.spawn('lifecycle', async (signal) => {
      try {
        await keepAlive(program, settings, side, signal);
      } catch (err) {
        if (!signal.aborted) log.say(messages.exited, { err });
      }
    });
  scope.spawn('dead namespaces', async (signal) => {
    try {
      await detect(program, settings, side, signal);
    } catch (err) {
      if (!signal.aborted) log.say(messages.detectorExited, { err });
    }
  });
}

async function keepAlive(
  program: Program,
  { managed: recipe, scope, pollIntervalMs, autofixDeadNetns, ...settings }: NetworkAnchorSettings,
  { engine, feed, discovery }: LifecycleSide,
  signal: AbortSignal,
): Promise<void> {
  const own = await ourselves(program, engine, signal, (err) =>
    program.log.say(messages.selfInspectFailed, { err }),
  );
  const keeper = new LifecycleKeeper(
    {
      recipe,
      reach: {
        projects: projectsOf(own, scope.bySelector ? undefined : settings.project),
        selector: scope.bySelector ? scope.discriminator : [],
      },
      autofix: autofixDeadNetns,
      pollMs: pollIntervalMs,
      actor: own.name,
    },
    {
      ...program,
      door: { ...engine, clock: program.clock },
      lookAtSelf: async (until) =>
        selfOf(await inspectSelf(engine.containers, ownReferences(), until), discovery),
    },
  );
  const accepts = ({ type, action, attributes }: EngineEvent): boolean =>
    type === 'container'
      ? action === 'start' || action === 'destroy'
      : type === 'network' && attributes['container'] === own.id;
  const listen = async (): Promise<void> => {
    for await (const { resync, events } of feed.subscribe({ signal, accepts })) {
      if (resync !== undefined && resync !== 'start') keeper.resync();
      for (const event of events) keeper.hear(event);
    }
  };
  // What is being repaired at the end is brought to its end, as far as there is time.
  await Promise.all([keeper.run(signal), listen()]);
}

async function detect(
  program: Program,
  { scope, project, pollIntervalMs: intervalMs }: NetworkAnchorSettings,
  { engine }: LifecycleSide,
  signal: AbortSignal,
): Promise<void> {
  const projects = scope.bySelector
    ? new Set<string>()
    : projectsOf(
        await ourselves(program, engine, signal, (err) =>
          program.log.say(messages.selfInspectFailed, { err }),
        ),
        project,
      );
  const parts = { ...program, containers: engine.containers };
  await new DeadNamespaceDetector({ projects, intervalMs }, parts).run(signal);
}

/** Readers look for the words of each listener. */
export function sayStreamLost(
  { log }: Program,
  { autostartSiblings }: NetworkAnchorSettings,
  err: unknown,
): void {
  if (autostartSiblings) log.say(messages.streamFailed, { err });
}
