/** Wrap-rebinder: makes containers anew that join a container of another stack, when that one was made anew. */
import { EventFeed } from '@berth/engine';
import { type WrapRebinderSettings, wrapRebinderSettings } from '../config/rebinders.ts';
import { anchordErrors } from '../errors.ts';
import { projectOf, WrapRebinder } from '../lifecycle/index.ts';
import { wrapRebinderMessages as messages } from '../messages/index.ts';
import { type Mode, runMode } from '../program.ts';
import { connectWatched } from './connect.ts';
import { ourselves } from './own-container.ts';

const gates = {
  wraps_checked: {
    title: 'The wrap containers were looked at once',
    severity: 'error',
    readiness: 'latched',
  },
} as const;

const wrapRebinderMode: Mode<WrapRebinderSettings, typeof gates> = {
  name: 'wrap-rebinder',
  readSettings: wrapRebinderSettings,
  gates,
  async run(program, settings, gate) {
    const { scope, log, clock } = program;
    const engine = connectWatched(program, ['wrap-rebinder']);
    const own = await ourselves(program, engine, scope.signal, (err) =>
      log.say(messages.recheckListFailed, { err }),
    );
    const project = settings.project ?? projectOf(own.labels);
    if (project === undefined)
      throw anchordErrors.error(
        'PROJECT_UNKNOWN',
        'COMPOSE_PROJECT_NAME must be set in wrap-rebinder mode, because our own container carries no Compose label',
      );
    program.status.tell('scope', () => ({ project, selector: '' }));
    const rebinder = new WrapRebinder(
      {
        project,
        selfId: own.id,
        actor: own.name,
        pollMs: settings.pollIntervalMs,
        graceMs: settings.restartTimeoutMs,
      },
      { ...program, door: { ...engine, clock }, onLooked: () => gate('wraps_checked') },
    );
    program.status.tell('wraps', () => rebinder.wraps);
    const feed = new EventFeed(scope, {
      ...engine,
      clock,
      filters: { type: ['container'], event: ['start'] },
      backoff: { firstMs: 500, maxMs: 2_000 },
      observer: { lost: (err) => log.say(messages.streamFailed, { err }) },
    });
    scope.spawn('events', async (signal) => {
      for await (const { resync, events } of feed.subscribe({ signal })) {
        if (resync !== undefined && resync !== 'start') rebinder.resync();
        for (const event of events) rebinder.hear(event);
      }
    });
    await rebinder.run(scope.signal);
    return undefined;
  },
};

/** Until the end of the process. */
export const run = (env: NodeJS.ProcessEnv): Promise<never> => runMode(wrapRebinderMode, env);
