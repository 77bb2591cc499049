import { getEventListeners } from 'node:events';
import { Scope, systemClock } from '@berth/service';
import { expect, it } from 'vitest';
import type { Engine } from '../engine.ts';
import { behindProxy } from '../testing/faulty-site.ts';
import { makeEvents } from '../testing/noise.ts';
import { eventually, held, isNoMore } from '../testing/resources.ts';
import { onEveryEngine, type Site } from '../testing/site.ts';
import type { EngineEvent } from './events.ts';
import { EventFeed, type FeedOptions } from './feed.ts';

const rethrow = (error: unknown): void => {
  throw error;
};

function follow(engine: Engine, scope: Scope, options: Partial<FeedOptions> = {}): EventFeed {
  return new EventFeed(scope, {
    events: engine.events,
    system: engine.system,
    clock: systemClock,
    filters: { type: ['container'] },
    backoff: { firstMs: 1, maxMs: 10 },
    ...options,
  });
}

const yes = (): boolean => true;

/** What a careful subscriber knows: a list whenever it is told to, and what it heard since. */
function knownNames(site: Site, engine: Engine, feed: EventFeed, scope: Scope): ReadonlySet<string> {
  const names = new Set<string>();
  const label = `berth.test=${site.name}`;
  const relist = async (): Promise<void> => {
    const listed = await engine.containers.list({ all: true, filters: { label: [label] } });
    names.clear();
    for (const { names: own } of listed) names.add(own[0] ?? '');
  };
  const accepts = ({ attributes }: EngineEvent): boolean => attributes['berth.test'] === site.name;
  scope.spawn('known names', async (signal) => {
    for await (const { resync, events } of feed.subscribe({ signal, accepts })) {
      // The stream that asked for the list may be gone by now, and the engine with it.
      if (resync !== undefined) await eventually('a list', () => relist().then(yes, () => signal.aborted));
      for (const { action, attributes } of events) {
        if (action === 'create') names.add(attributes['name'] ?? '');
        if (action === 'destroy') names.delete(attributes['name'] ?? '');
      }
    }
  });
  return names;
}

const namesOnEngine = async (site: Site): Promise<string[]> =>
  (await site.containers()).map(({ names }) => names[0] ?? '').sort();

onEveryEngine('the feed', (site) => {
  /** Containers come and go while `meanwhile` happens. */
  async function turmoil(
    what: string,
    meanwhile: (round: number) => Promise<unknown> | undefined,
  ): Promise<void> {
    for (let round = 0; round < 12; round++) {
      const id = await site.create(`${what}-${round}`);
      await meanwhile(round);
      if (round % 3 === 0) await site.engine.containers.remove(id);
    }
  }

  const converge = async (names: ReadonlySet<string>): Promise<void> => {
    const wanted = await namesOnEngine(site);
    await eventually(`knowing ${wanted}`, () => [...names].sort().join() === wanted.join());
  };

  it('and a list together miss nothing that happens while they begin', async () => {
    await using scope = new Scope('test', rethrow);
    const views: ReadonlySet<string>[] = [];
    await turmoil('begin', async () => {
      const own = scope.child('view');
      views.push(knownNames(site, site.engine, follow(site.engine, own), own));
    });
    for (const names of views) await converge(names);
  });

  it('makes up for what happened while the engine could not be reached', async () => {
    await using scope = new Scope('test', rethrow);
    await using faulty = await behindProxy(site);
    const feed = follow(faulty.engine, scope);
    const names = knownNames(site, faulty.engine, feed, scope);
    await eventually('the stream stands', () => feed.live);
    await turmoil('gone', async (round) => {
      if (round === 2) await faulty.proxy.refuse();
      if (round === 5) await faulty.proxy.accept();
      if (round > 5) faulty.proxy.cutConnections();
    });
    await converge(names);
  });

  it.each([
    ['come twice', 'duplicate-events'],
    ['change places', 'swap-events'],
  ] as const)('knows in the end what there is, also if events %s', async (_, kind) => {
    await using scope = new Scope('test', rethrow);
    await using faulty = await behindProxy(site);
    faulty.proxy.add({ on: 'GET /events', fault: { kind } });
    const feed = follow(faulty.engine, scope);
    const names = knownNames(site, faulty.engine, feed, scope);
    await eventually('the stream stands', () => feed.live);
    await turmoil(kind, () => undefined);
    // Whoever swaps two events holds the last odd one back; a reconnect brings it.
    faulty.proxy.clear();
    faulty.proxy.cutConnections();
    await converge(names);
  });

  it('notices that its stream is dead although nobody closed it', async () => {
    await using scope = new Scope('test', rethrow);
    await using faulty = await behindProxy(site);
    faulty.proxy.add({ on: 'GET /events', fault: { kind: 'stall', afterBytes: 0 }, times: 1 });
    const lost: unknown[] = [];
    const feed = follow(faulty.engine, scope, {
      idleMs: 100,
      observer: { lost: (error) => lost.push(error) },
    });
    const names = knownNames(site, faulty.engine, feed, scope);
    await eventually('the stream stands', () => feed.live);
    await site.create('silent');
    await eventually('it was opened again', () => lost.length > 0 && feed.live);
    expect(String(lost[0])).toMatch(/is silent, but the engine tells of "container [^"]+"/);
    await converge(names);
  });

  it('leaves a quiet stream alone', async () => {
    await using scope = new Scope('test', rethrow);
    await using faulty = await behindProxy(site);
    const feed = follow(faulty.engine, scope, { idleMs: 20, filters: { type: ['plugin'] } });
    await eventually('it was asked for its past', () => faulty.proxy.count('GET', '/events') > 5);
    expect(feed.live).toBe(true);
    const streams = faulty.proxy.exchanges.filter(
      ({ url }) => url.includes('/events') && !url.includes('until'),
    );
    expect(streams).toHaveLength(1);
  });

  it('takes 10,000 events over one stream, and holds not a thing more than before', async () => {
    const id = await site.run('noisy');
    await using scope = new Scope('test', rethrow);
    const feed = follow(site.engine, scope);
    const slow = feed.subscribe({ signal: scope.signal, capacity: 100 });
    let quick = 0;
    scope.spawn('quick subscriber', async (signal) => {
      for await (const { events } of feed.subscribe({ signal, capacity: 20_000 })) quick += events.length;
    });
    await makeEvents(site, id, 100);
    await eventually('the first events', () => feed.received >= 100);
    const before = held();
    const listeners = getEventListeners(scope.signal, 'abort').length;
    const received = feed.received;
    // The engine leaves out what a reader has not taken for a tenth of a second, once a thousand events wait for it.
    for (let made = 500; made <= 10_000; made += 500) {
      await makeEvents(site, id, 500);
      await eventually(`${made} events`, () => feed.received >= received + made);
    }
    expect(quick).toBeGreaterThanOrEqual(10_000);
    expect((await slow.next()).value).toMatchObject({ resync: 'start' });
    await eventually('as few descriptors and timers as before', () => isNoMore(held(), before));
    expect(getEventListeners(scope.signal, 'abort')).toHaveLength(listeners);
  });

  it('holds not a thing more after 100 streams that broke', async () => {
    const id = await site.run('breaking');
    await using faulty = await behindProxy(site);
    await using scope = new Scope('test', rethrow);
    const feed = follow(faulty.engine, scope, { backoff: { firstMs: 0, maxMs: 0 } });
    const streams = (): number => faulty.proxy.count('GET', '/events');
    const breakStreams = async (count: number): Promise<void> => {
      const wanted = streams() + count;
      faulty.proxy.add({ on: 'GET /events', fault: { kind: 'cut', afterBytes: 2000 } });
      faulty.proxy.cutConnections();
      while (streams() < wanted) await makeEvents(site, id, 20);
      faulty.proxy.clear();
      const last = streams();
      faulty.proxy.cutConnections();
      await eventually('a stream that stays', () => streams() > last && feed.live);
    };
    await breakStreams(5);
    const before = held();
    const listeners = getEventListeners(scope.signal, 'abort').length;
    await breakStreams(100);
    await eventually('as few descriptors and timers as before', () => isNoMore(held(), before));
    expect(getEventListeners(scope.signal, 'abort')).toHaveLength(listeners);
  });
});
