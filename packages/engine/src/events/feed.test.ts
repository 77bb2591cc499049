import { getEventListeners } from 'node:events';
import { Scope, VirtualClock } from '@berth/service';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anEvent, ScriptedEvents } from '../testing/scripted-events.ts';
import type { EngineEvent } from './events.ts';
import { EventFeed, type FeedOptions } from './feed.ts';
import type { EventBatch, SubscribeOptions, Subscription } from './subscription.ts';

describe('the feed', () => {
  let clock: VirtualClock;
  let engine: ScriptedEvents;
  let scope: Scope;
  let failures: unknown[];

  beforeEach(() => {
    clock = new VirtualClock();
    engine = new ScriptedEvents();
    failures = [];
    scope = new Scope('test', (error) => failures.push(error));
  });
  afterEach(async () => {
    await scope.close();
    expect(failures).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  const feed = (options: Partial<FeedOptions> = {}): EventFeed =>
    new EventFeed(scope, { events: engine, system: engine, clock, random: () => 1, ...options });
  const subscribe = (to: EventFeed, options: Partial<SubscribeOptions> = {}): Subscription =>
    to.subscribe({ signal: scope.signal, ...options });
  const settle = (): Promise<void> => clock.advance(0);
  const taken = async (subscription: Subscription): Promise<EventBatch | undefined> =>
    (await subscription.next()).value;

  describe('to a subscriber', () => {
    it('first asks for a list, when the stream stands, and then tells what happens', async () => {
      engine.refusal = new Error('not yet');
      const subscription = subscribe(feed());
      let batch: EventBatch | undefined;
      const waiting = taken(subscription).then((value) => (batch = value));
      await settle();
      expect(batch).toBeUndefined();
      engine.refusal = undefined;
      await clock.advance(250);
      await waiting;
      expect(batch).toEqual({ resync: 'start', events: [] });
      const [start, die] = [anEvent('start'), anEvent('die')];
      engine.stream.send(start, die);
      await settle();
      expect(await taken(subscription)).toEqual({ resync: undefined, events: [start, die] });
    });

    it('that comes later: the same, over the same stream', async () => {
      const one = feed();
      await settle();
      const [first, second] = [
        subscribe(one),
        subscribe(one, { accepts: (event) => event.action === 'die' }),
      ];
      const die = anEvent('die');
      engine.stream.send(anEvent('start'), die);
      await settle();
      expect((await taken(first))?.events).toHaveLength(2);
      expect(await taken(second)).toEqual({ resync: 'start', events: [die] });
      expect(engine.streams).toHaveLength(1);
    });

    it('that is slow: one resync in place of what it did not take', async () => {
      const one = feed();
      const slow = subscribe(one, { capacity: 10 });
      const quick = subscribe(one);
      await settle();
      await taken(slow);
      for (let count = 0; count < 100; count++) engine.stream.send(anEvent('start'));
      await settle();
      const { resync, events } = (await taken(slow)) ?? {};
      expect(resync).toBe('overflow');
      expect(events?.length).toBeLessThanOrEqual(10);
      expect((await taken(quick))?.events).toHaveLength(100);
      const later = anEvent('die');
      engine.stream.send(later);
      await settle();
      expect(await taken(slow)).toEqual({ resync: undefined, events: [later] });
    });

    it('that has left: nothing', async () => {
      const one = feed();
      const subscription = subscribe(one);
      await settle();
      for await (const _ of subscription) break;
      engine.stream.send(anEvent('start'));
      await settle();
      expect(await subscription.next()).toEqual({ done: true, value: undefined });
    });

    it('that is told to stop: the end, while the feed goes on', async () => {
      const stop = new AbortController();
      const told = feed().subscribe({ signal: stop.signal });
      await taken(told);
      const waiting = told.next();
      stop.abort();
      expect(await waiting).toEqual({ done: true, value: undefined });
      expect(engine.stream.disposed).toBe(false);
      expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0);
      expect(await feed().subscribe({ signal: stop.signal }).next()).toEqual({
        done: true,
        value: undefined,
      });
    });

    it('at the end of the scope: the end, also while it waits', async () => {
      const one = feed();
      const subscription = subscribe(one);
      await taken(subscription);
      const waiting = subscription.next();
      await settle();
      await scope.close();
      expect(await waiting).toEqual({ done: true, value: undefined });
      expect(engine.stream.disposed).toBe(true);
      expect(await subscribe(one).next()).toEqual({ done: true, value: undefined });
    });
  });

  it('opens one stream for any number of events', async () => {
    const one = feed();
    await settle();
    for (let count = 0; count < 1000; count++) engine.stream.send(anEvent('start'));
    await settle();
    expect(one.received).toBe(1000);
    expect(engine.streams).toHaveLength(1);
  });

  describe('when the stream ends', () => {
    const lost: [unknown, number][] = [];
    const observed = (options: Partial<FeedOptions> = {}): EventFeed => {
      lost.length = 0;
      return feed({ observer: { lost: (error, ms) => lost.push([error, ms]) }, ...options });
    };

    it.each([
      ['with an error', new Error('broken')],
      ['in good order', undefined],
    ])('%s, opens it again, from a little before its last event, and has everybody list', async (_, error) => {
      const subscription = subscribe(observed());
      await taken(subscription);
      const [seen, missed] = [anEvent('start', 2_000_000), anEvent('die', 2_000_001)];
      engine.stream.send(seen);
      await settle();
      await taken(subscription);
      engine.stream.break(error);
      await settle();
      expect(lost).toEqual([[error ?? expect.objectContaining({ code: 'ENGINE_TRUNCATED' }), 250]]);
      await clock.advance(250);
      expect(engine.streams).toHaveLength(2);
      expect(engine.stream.query.since).toBe(1_998_000);
      engine.stream.send(seen, missed);
      await settle();
      expect(await taken(subscription)).toEqual({ resync: 'gap', events: [missed] });
    });

    it('waits longer from time to time, and begins anew after a stream that lived', async () => {
      engine.refusal = new Error('down');
      observed({ backoff: { firstMs: 100, maxMs: 1000 } });
      for (let count = 0; count < 6; count++) await clock.advance(1000);
      expect(lost.map(([, ms]) => ms).slice(0, 6)).toEqual([100, 200, 400, 800, 1000, 1000]);
      engine.refusal = undefined;
      await clock.advance(1000);
      const before = lost.length;
      engine.stream.break();
      await clock.advance(1000);
      expect(lost[before]?.[1]).toBe(1000);
      await clock.advance(10_000);
      engine.stream.break();
      await settle();
      expect(lost.at(-1)?.[1]).toBe(100);
    });

    it('spreads its attempts', async () => {
      engine.refusal = new Error('down');
      observed({ backoff: { firstMs: 100, maxMs: 100 }, random: () => 0 });
      await settle();
      expect(lost).toEqual([[engine.refusal, 50]]);
    });

    it('knows where to go on by the engine’s clock, also without any event', async () => {
      observed();
      await settle();
      expect(engine.stream.query.since).toBe(998_000);
      engine.engineTime = 5_000_000;
      engine.stream.break();
      await clock.advance(250);
      expect(engine.stream.query.since).toBe(998_000);
      engine.stream.break();
      await clock.advance(500);
      expect(engine.stream.query.since).toBe(4_998_000);
    });
  });

  describe('when nothing happens for long', () => {
    it('leaves a stream alone that tells all that the engine tells', async () => {
      const known = anEvent('start', 1_000_500);
      feed({ idleMs: 60_000 });
      await settle();
      engine.stream.send(known);
      await settle();
      engine.engineTime = 1_500_000;
      engine.remembered = [known];
      await clock.advance(600_000);
      expect(engine.asked.length).toBeGreaterThan(5);
      expect(engine.asked[0]).toEqual({ since: 998_500, until: 1_500_000, filters: undefined });
      expect(engine.streams).toHaveLength(1);
    });

    it('does not ask while events come', async () => {
      feed({ idleMs: 60_000 });
      await settle();
      for (let count = 0; count < 20; count++) {
        engine.stream.send(anEvent('start'));
        await clock.advance(30_000);
      }
      expect(engine.asked).toEqual([]);
    });

    it.each([
      ['tells of something that the stream did not', { remembered: [anEvent('die')] }],
      ['does not answer any more', { refusal: new Error('no answer') }],
    ])('opens a new stream if the engine %s', async (_, behaviour) => {
      const subscription = subscribe(feed({ idleMs: 60_000 }));
      await taken(subscription);
      engine.engineTime = 1_500_000;
      Object.assign(engine, behaviour);
      await clock.advance(60_000);
      engine.refusal = undefined;
      await clock.advance(1000);
      expect(engine.streams).toHaveLength(2);
      expect(engine.streams[0]?.disposed).toBe(true);
      expect((await taken(subscription))?.resync).toBe('gap');
    });
  });

  it('counts an event once, however often it comes, and forgets old ones', async () => {
    const one = feed();
    await settle();
    const events: EngineEvent[] = Array.from({ length: 600 }, () => anEvent('start'));
    engine.stream.send(...events, ...events.slice(-500));
    await settle();
    expect(one.received).toBe(600);
  });
});
