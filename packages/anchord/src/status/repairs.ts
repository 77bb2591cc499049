/** What was put right lately: noticed where it is logged, so that every repair that has a line of its own is in here. */
import { type Clock, isoTime } from '@berth/service';
import type { Log, Message, MessageArgs } from '@berth/service/log';
import { dataplaneMessages, routeMessages, serviceAnchorMessages } from '../messages/index.ts';

const mostKept = 20;

/** Lines that tell of something that was wrong and was put right. As words: a service-anchor has no use for those tables. */
export const repairWords: ReadonlySet<string> = new Set([
  dataplaneMessages.tablesRepaired.msg,
  routeMessages.enforced.msg,
  serviceAnchorMessages.updated.msg,
  'auto-starting sibling waiting for target',
  'created and started managed service-anchor',
  'rebound dead-netns dependent to new service-anchor',
  'restarting dependent to join the new netns of its restarted target',
  'ended what an interrupted re-creation had left',
  'park: released follower to unblock target network teardown',
  'reattach: follower connected to current network ID',
  'reattach: follower restarted',
  'wrap-rebinder: anchor recreated against live target',
  'wrap-rebinder: anchor restarted into the netns of its restarted target',
  'wrap-rebinder: anchor started beside its target',
]);

export class RecentRepairs {
  readonly #clock: Pick<Clock, 'now'>;
  #kept: readonly { readonly at: string; readonly what: string }[] = [];

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  list(): readonly { readonly at: string; readonly what: string }[] {
    return this.#kept;
  }

  /** The same log, with an ear on it. */
  hearing(log: Log): Log {
    return {
      debug: (msg, attrs) => log.debug(msg, attrs),
      info: (msg, attrs) => log.info(msg, attrs),
      warn: (msg, attrs) => log.warn(msg, attrs),
      error: (msg, attrs) => log.error(msg, attrs),
      write: (level, msg, attrs) => log.write(level, msg, attrs),
      enabled: (level) => log.enabled(level),
      with: (attrs) => this.hearing(log.with(attrs)),
      say: <Attr extends string>(message: Message<Attr>, ...args: MessageArgs<Attr>): void => {
        if (repairWords.has(message.msg)) this.#note(message.msg, args[0]);
        log.say(message, ...args);
      },
    };
  }

  #note(msg: string, attrs: Readonly<Record<string, unknown>> | undefined): void {
    const told = Object.entries(attrs ?? {}).flatMap(([name, value]) =>
      value === '' || value === undefined ? [] : [`${name}=${String(value)}`],
    );
    const at = isoTime(this.#clock.now());
    this.#kept = [...this.#kept, { at, what: [msg, ...told].join(' ') }].slice(-mostKept);
  }
}
