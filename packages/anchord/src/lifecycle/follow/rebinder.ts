/** Keeps a follower on somebody else's network: off it while that goes, back on it when it has come and settled. */
import { isDeepStrictEqual } from 'node:util';
import {
  askedEndpoint,
  type ContainerDetails,
  composeMembership,
  type EngineEvent,
  engineErrors,
} from '@berth/engine';
import { type Clock, sleep } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import { lifecycleMessages, externalRebinderMessages as messages } from '../../messages/index.ts';
import type { AnchordMetrics } from '../../metrics.ts';
import type { Problems } from '../../problems.ts';
import { StormGuard, type StormLimits } from '../storm-guard.ts';
import type { Asked, AskedStore, Endpoint } from './asked-store.ts';
import { type FollowDoor, type Look, lookAtFollower, type Whom } from './look.ts';
import {
  type FollowAction,
  type FollowState,
  planFollow,
  planSettle,
  type Settling,
  type Trigger,
} from './plan.ts';

export interface FollowSettings extends Whom {
  readonly restart: boolean;
  readonly backoffMs: number;
}

export interface FollowParts {
  readonly door: FollowDoor;
  readonly clock: Clock;
  readonly log: Log;
  readonly problems: Problems;
  readonly metrics: Pick<AnchordMetrics, 'lifecycleActions' | 'lifecycleHeldBack'>;
  /** Outlives us. */
  readonly store?: AskedStore;
  readonly random?: () => number;
  readonly limits?: Partial<StormLimits>;
}

/** Constants of the contract, all of them. */
const settleLookMs = 1_000;
const settleLimits = { quietMs: 3_000, longestMs: 90_000 };
const mostAttempts = 4;

export class ExternalRebinder {
  readonly #settings: FollowSettings;
  readonly #parts: FollowParts;
  readonly #storm: StormGuard;
  #state: FollowState = { parked: false, inhabited: undefined };
  #asked: Asked | undefined;

  constructor(settings: FollowSettings, parts: FollowParts) {
    this.#settings = settings;
    this.#parts = parts;
    const { clock, random = Math.random, limits } = parts;
    this.#storm = new StormGuard(() => clock.monotonic(), random, limits);
    this.#asked = parts.store?.load();
  }

  get parked(): boolean {
    return this.#state.parked;
  }

  sayStart(): void {
    const { network, target, restart, backoffMs } = this.#settings;
    this.#parts.log.say(messages.starting, {
      follow_network: network,
      follow_target: target,
      restart,
      event_backoff: backoffMs * 1_000_000,
      settle_quiet_window: settleLimits.quietMs * 1_000_000,
      settle_max_wait: settleLimits.longestMs * 1_000_000,
    });
  }

  /** Whether the event is about the network that is followed. */
  concerns({ type, attributes }: EngineEvent): boolean {
    return type === 'network' && attributes['name'] === this.#settings.network;
  }

  async hear({ action }: EngineEvent, signal: AbortSignal): Promise<void> {
    if (action !== 'create' && action !== 'destroy' && action !== 'connect' && action !== 'disconnect')
      return;
    this.#parts.log.say(messages.event, { action });
    await this.act(action, signal);
  }

  /** One trigger from its look to the end of what follows from it; never two at once. */
  async act(trigger: Trigger, signal: AbortSignal): Promise<void> {
    const looks = trigger === 'bootstrap' || trigger === 'poll' || trigger === 'disconnect';
    const look = looks ? await this.#look(signal) : undefined;
    if (trigger === 'bootstrap' && look !== undefined) this.#commentBootstrap(look);
    // What can not be seen now is looked at again; only a network that is certainly not there is news.
    const isUnclear =
      look !== undefined && look.kind !== 'seen' && !(look.kind === 'no network' && isGone(look.error));
    if (isUnclear) return;
    const seen = look?.kind === 'seen' ? look.membership : undefined;
    const { action, state } = planFollow(trigger, this.#state, seen);
    this.#state = state;
    if (look?.kind === 'seen' && look.membership.attached) this.#isAttached();
    await this.#perform(action, { trigger, look }, signal);
  }

  async #look(signal: AbortSignal): Promise<Look> {
    const look = await lookAtFollower(this.#parts.door, this.#settings, signal);
    signal.throwIfAborted();
    if (look.kind === 'seen' && look.membership.foreign > 0)
      this.#state = { ...this.#state, inhabited: look.membership.networkId };
    if (look.kind === 'seen' && look.attachment !== undefined)
      this.#remember(look.follower.id, askedEndpoint(look.attachment, look.follower.id));
    return look;
  }

  #remember(follower: string, endpoint: Endpoint): void {
    const asked = { follower, network: this.#settings.network, endpoint };
    if (isDeepStrictEqual(asked, this.#asked)) return;
    this.#asked = asked;
    try {
      this.#parts.store?.save(asked);
    } catch (err) {
      this.#parts.log.say(messages.notWrittenDown, { err });
    }
  }

  #commentBootstrap(look: Look): void {
    const { log } = this.#parts;
    const { network, target } = this.#settings;
    if (look.kind === 'no network') log.say(messages.bootstrapNoNetwork, { network, err: look.error });
    if (look.kind === 'no list') log.say(messages.bootstrapListFailed, { err: look.error });
    if (look.kind === 'no follower') log.say(messages.bootstrapNoFollower, { target });
    if (look.kind === 'no inspection') log.say(messages.bootstrapInspectFailed, { target, err: look.error });
  }

  async #perform(
    action: FollowAction,
    { trigger, look }: { readonly trigger: Trigger; readonly look: Look | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    const { log } = this.#parts;
    const { network, target } = this.#settings;
    const seen = look?.kind === 'seen' ? look.membership : undefined;
    switch (action.do) {
      case 'nothing':
        if (trigger === 'disconnect' && seen?.attached === true)
          log.say(messages.staying, { foreign: seen.foreign });
        return;
      case 'say':
        if (action.word === 'attached')
          log.say(messages.bootstrapAttached, { target, network, network_id: seen?.networkId });
        else if (action.word === 'empty') log.say(messages.bootstrapEmpty, { network });
        else if (action.word === 'released') log.say(messages.markedReleased, { network });
        else log.say(messages.networkDestroyed, { network });
        return;
      case 'release':
        if (look?.kind === 'seen') await this.#release(look.follower);
        return;
      case 'reattach':
        log.say(messages.bootstrapDivergence, {
          target,
          network,
          stored_id: seen?.storedId ?? '',
          current_id: seen?.networkId ?? '',
          attached: seen?.storedId !== undefined,
        });
        await this.#reattach('bootstrap', signal);
        return;
      case 'settle':
        await this.#settle(action.word, signal);
        return;
      default:
        action satisfies never;
    }
  }

  async #release(follower: ContainerDetails): Promise<void> {
    const { door, log, metrics } = this.#parts;
    const { network } = this.#settings;
    try {
      await door.networks.disconnect(network, follower.id, { force: true });
    } catch (err) {
      if (!engineErrors.is(err, 'ENGINE_NOT_ATTACHED') && !isGone(err)) {
        metrics.lifecycleActions.inc({ action: 'release', outcome: 'error' });
        log.say(messages.releaseFailed, { network, err });
        return;
      }
    }
    metrics.lifecycleActions.inc({ action: 'release', outcome: 'ok' });
    this.#state = { ...this.#state, parked: true };
    log.say(messages.released, { network, reason: 'sole-remaining-endpoint' });
  }

  async #settle(word: 'created' | 'returning' | 'missed', signal: AbortSignal): Promise<void> {
    const { log, clock } = this.#parts;
    const { network, backoffMs } = this.#settings;
    const source = { created: 'event/create', returning: 'event/connect-while-parked', missed: 'poll' }[word];
    if (!this.#mayAct()) return;
    const said = { created: messages.networkCreated, returning: messages.returning, missed: messages.missed };
    log.say(said[word], { network });
    await sleep(clock, backoffMs, signal);
    let settling: Settling | undefined;
    for (let after = 0; ; after += settleLookMs) {
      const look = await this.#look(signal);
      if (look.kind !== 'seen') {
        if (look.kind === 'no follower')
          log.say(messages.followerNotFound, { target: this.#settings.target });
        else log.say(messages.settleAborted, { network });
        return;
      }
      // It is there: an event from before our start, or another anchor. Waiting on would keep us from seeing its owner leave.
      if (look.membership.attached) {
        this.#isAttached();
        return;
      }
      const step = planSettle(settling, look.membership.foreign, after, settleLimits);
      settling = step.settling;
      if (step.outcome === 'ready') {
        log.say(messages.settled, { network, foreign: settling.foreign });
        return await this.#reattach(source, signal);
      }
      if (step.outcome === 'timed out') {
        log.say(messages.settleTimedOut, { network });
        return await this.#reattach(source, signal);
      }
      await sleep(clock, settleLookMs, signal);
    }
  }

  /** A network that comes and goes without end would else keep us attaching without end. */
  #mayAct(): boolean {
    const { log, metrics, problems } = this.#parts;
    const { target } = this.#settings;
    const permission = this.#storm.ask(target);
    if (permission.kind !== 'held') {
      problems.clear('repairs-held-back', target);
      return true;
    }
    if (permission.isNews) {
      const { most, withinMs } = this.#storm.limits;
      metrics.lifecycleHeldBack.inc();
      problems.set('repairs-held-back', target, `attached ${most} times in ${withinMs / 1_000} s`);
      log.say(lifecycleMessages.heldBack, {
        container: target,
        repairs: most,
        within: withinMs * 1_000_000,
        retry_in: Math.round(permission.ms) * 1_000_000,
      });
    }
    return false;
  }

  async #reattach(source: string, signal: AbortSignal): Promise<void> {
    if (!this.#mayAct()) return;
    const { door, log, metrics } = this.#parts;
    const { network, target } = this.#settings;
    const look = await this.#look(signal);
    if (look.kind === 'no network') log.say(messages.networkInspectFailed, { network, err: look.error });
    if (look.kind === 'no list') log.say(messages.listFailed, { err: look.error });
    if (look.kind === 'no follower') log.say(messages.followerNotFound, { target });
    if (look.kind === 'no inspection') log.say(messages.connectFailed, { network, source, err: look.error });
    if (look.kind !== 'seen') return;
    // Another anchor was faster, or an event came twice.
    if (look.membership.attached) {
      this.#isAttached();
      return;
    }
    this.#storm.done(target);
    await door.networks.disconnect(network, look.follower.id, { force: true }).catch((err: unknown) => {
      const isFine = engineErrors.is(err, 'ENGINE_NOT_ATTACHED') || isGone(err);
      if (!isFine) log.say(messages.disconnectFailed, { network, err });
    });
    const error = await this.#connect(look.follower, look.membership.networkId, source, signal);
    metrics.lifecycleActions.inc({ action: 'reattach', outcome: error === undefined ? 'ok' : 'error' });
    if (error !== undefined) {
      log.say(messages.connectFailed, { network, source, err: error });
      this.#parts.problems.set('follower-detached', target, errorText(error));
      return;
    }
    this.#isAttached();
    if (this.#settings.restart) await this.#restart(look.follower);
  }

  /** Why it could not be attached. */
  async #connect(
    follower: ContainerDetails,
    firstId: string,
    source: string,
    signal: AbortSignal,
  ): Promise<unknown> {
    const { door, log, clock } = this.#parts;
    const { network, target, backoffMs } = this.#settings;
    let networkId = firstId;
    let endpoint = this.#askedBy(follower);
    for (let attempt = 1; ; attempt++) {
      try {
        await door.networks.connect(networkId, follower.id, endpoint);
      } catch (err) {
        const isLast = attempt >= mostAttempts;
        if (engineErrors.is(err, 'ENGINE_ADDRESS_IN_USE') && !isLast) {
          const backoff = backoffMs * 1_000_000;
          log.say(messages.addressInUse, { attempt, of: mostAttempts, backoff });
          await sleep(clock, backoffMs, signal);
          networkId = await this.#newestId(networkId, signal);
          continue;
        }
        if (engineErrors.is(err, 'ENGINE_BAD_REQUEST') && endpoint.IPAMConfig !== undefined && !isLast) {
          log.say(messages.withoutFixedAddress, { network, err });
          const { IPAMConfig: _, ...rest } = endpoint;
          endpoint = rest;
          continue;
        }
        if (!engineErrors.is(err, 'ENGINE_ALREADY_ATTACHED')) return err;
      }
      log.say(messages.connected, { target, network, network_id: networkId, source });
      return undefined;
    }
  }

  async #newestId(before: string, signal: AbortSignal): Promise<string> {
    try {
      return (await this.#parts.door.networks.inspect(this.#settings.network, { signal })).id;
    } catch (error) {
      if (!engineErrors.is(error)) throw error;
      return before;
    }
  }

  /** Its aliases, fixed addresses and driver options; of a stranger to us at least the alias that Compose gives. */
  #askedBy({ id, labels }: ContainerDetails): Endpoint {
    const known = this.#asked;
    if (known?.follower === id && known.network === this.#settings.network) return known.endpoint;
    const service = composeMembership(labels)?.service;
    return service === undefined ? {} : { Aliases: [service] };
  }

  async #restart(follower: ContainerDetails): Promise<void> {
    const { door, log, metrics } = this.#parts;
    const { target } = this.#settings;
    try {
      await door.containers.restart(follower.id);
      metrics.lifecycleActions.inc({ action: 'restart', outcome: 'ok' });
      log.say(messages.restarted, { target });
    } catch (err) {
      metrics.lifecycleActions.inc({ action: 'restart', outcome: 'error' });
      log.say(messages.restartFailed, { target, err });
    }
  }

  #isAttached(): void {
    this.#state = { ...this.#state, parked: false };
    this.#parts.problems.clear('follower-detached', this.#settings.target);
  }
}

const isGone = (error: unknown): boolean => engineErrors.is(error, 'ENGINE_NOT_FOUND');
