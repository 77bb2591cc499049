/** External-rebinder: keeps one container on a network that another stack owns and makes anew. */
import { EventFeed } from '@berth/engine';
import { type ExternalRebinderSettings, externalRebinderSettings } from '../config/rebinders.ts';
import { anchordErrors } from '../errors.ts';
import { AskedFile, ExternalRebinder, projectOf } from '../lifecycle/index.ts';
import { externalRebinderMessages as messages } from '../messages/index.ts';
import { type Mode, runMode } from '../program.ts';
import { pause, Wakeup } from '../wakeup.ts';
import { connectWatched } from './connect.ts';
import { ourselves } from './own-container.ts';

const gates = {
  follower_checked: { title: 'The follower was looked at once', severity: 'error', readiness: 'latched' },
} as const;

const externalRebinderMode: Mode<ExternalRebinderSettings, typeof gates> = {
  name: 'external-rebinder',
  readSettings: externalRebinderSettings,
  gates,
  async run(program, settings, gate) {
    const { scope, log, clock } = program;
    const { network, target, restart, eventBackoffMs: backoffMs, pollIntervalMs } = settings;
    const engine = connectWatched(program, [
      'external-rebinder',
      ...(restart ? (['follower-restart'] as const) : []),
    ]);
    const project = settings.project ?? (await ownProject());
    const rebinder = new ExternalRebinder(
      { network, target, project, restart, backoffMs },
      { ...program, door: engine, store: new AskedFile() },
    );
    program.status.tell('follows', () => `${target} on ${network}`);
    program.status.tell('parked', () => rebinder.parked);
    rebinder.sayStart();
    await rebinder.act('bootstrap', scope.signal);
    gate('follower_checked');
    const feed = new EventFeed(scope, {
      ...engine,
      clock,
      filters: { type: ['network'] },
      backoff: { firstMs: 500, maxMs: 2_000 },
      observer: { lost: (err) => log.say(messages.streamFailed, { err }) },
    });
    await follow();
    return undefined;

    /** Without one the follower is looked for by its container's name alone. */
    async function ownProject(): Promise<string | undefined> {
      try {
        const sayFailed = (err: unknown) => log.say(messages.bootstrapListFailed, { err });
        return projectOf((await ourselves(program, engine, scope.signal, sayFailed)).labels);
      } catch (error) {
        if (anchordErrors.is(error, 'SELF_NOT_FOUND')) return undefined;
        throw error;
      }
    }

    /** Events and polls one after another: what happens while the other stack settles waits, and is not lost. */
    async function follow(): Promise<void> {
      const { signal } = scope;
      const wakeup = new Wakeup();
      const heard: Parameters<typeof rebinder.hear>[0][] = [];
      let mustLook = false;
      scope.spawn('events', async () => {
        const accepts = (event: (typeof heard)[number]) => rebinder.concerns(event);
        for await (const { resync, events } of feed.subscribe({ signal, accepts })) {
          mustLook ||= resync !== undefined;
          heard.push(...events);
          wakeup.wake();
        }
      });
      while (!signal.aborted) {
        const pollMs = pollIntervalMs * (0.9 + 0.2 * Math.random());
        const woken = await wakeup.waitUpTo(clock, pollMs, signal);
        if (signal.aborted) return;
        for (let event = heard.shift(); event !== undefined; event = heard.shift())
          await rebinder.hear(event, signal);
        if (mustLook || !woken) {
          mustLook = false;
          await rebinder.act('poll', signal);
        }
        await pause(clock, 0, signal);
      }
    }
  },
};

/** Until the end of the process. */
export const run = (env: NodeJS.ProcessEnv): Promise<never> => runMode(externalRebinderMode, env);
