/**
 * What went wrong in the field from 1.0.1 to 1.3.1, told by name. Beside each stands what a simple program would do, and
 * the trouble in which that ends.
 */
import {
  type EngineEvent,
  EventFeed,
  type EventStream,
  resolveContainer,
  sharedNetworkOf,
} from '@berth/engine';
import { parseIp } from '@berth/kernel/ip';
import { Scope } from '@berth/service';
import { describe, expect, it } from 'vitest';
import { planDefaultRoute } from '../routes/default-route.ts';
import { ofProject } from '../testing/life.ts';
import { testParts } from '../testing/program.ts';
import { defaultRoute } from '../testing/routes.ts';
import { recipe, simKeeper, simRebinder } from '../testing/sim-anchors.ts';
import { type SimContainer, SimHost } from '../testing/sim-host.ts';
import { SimPeer } from '../testing/sim-peer.ts';
import { DeadNamespaceDetector } from './detector.ts';
import { ExternalRebinder } from './follow/rebinder.ts';
import { observeContainers } from './observe.ts';

const mail = ofProject('mail', 'smtp');
const { signal } = new AbortController();

const run = (host: SimHost, name: string, more: Partial<SimContainer> = {}): SimContainer => {
  const made = host.make(name, more);
  host.start(made);
  return made;
};
const remove = (host: SimHost, name: string): void => void host.all.delete(host.find(name).id);
const together = (host: SimHost, ...names: readonly string[]): boolean => {
  const [first, ...others] = names.map((name) => host.find(name).namespace);
  return first !== undefined && others.every((namespace) => namespace === first);
};

/** What looked right before start times were looked at: an id that still means somebody. */
async function looksFineByIds(host: SimHost): Promise<boolean> {
  const all = await observeContainers(host.door().containers, signal);
  return all.every(({ networkMode }) => {
    const reference = sharedNetworkOf(networkMode);
    return reference === undefined || resolveContainer(reference, all).kind === 'found';
  });
}

/** A stream that the test feeds. */
class Stream implements EventStream {
  readonly #events: EngineEvent[] = [];
  #wake: () => void = () => undefined;
  #ended = false;

  tell(action: string): void {
    const at = Date.now();
    this.#events.push({
      type: 'container',
      action,
      id: 'c',
      attributes: {},
      at,
      key: `${action} ${this.#events.length}`,
    });
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EngineEvent, void, void> {
    for (let at = 0; ; at++) {
      while (at >= this.#events.length && !this.#ended)
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      const event = this.#events[at];
      if (event === undefined) return;
      yield event;
    }
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

describe('1.0.1: each event opened a stream of its own, until the host had no TCP memory left', () => {
  it('five events are one subscription; a second one opens when the first has ended', async () => {
    const streams: Stream[] = [];
    const scope = new Scope('feed', () => undefined);
    const clock = new SimHost().clock;
    const feed = new EventFeed(scope, {
      clock: {
        ...clock,
        after: (ms, callback) => (ms > 5_000 ? { cancel: () => undefined } : clock.after(ms, callback)),
      },
      events: {
        open: () => {
          const stream = new Stream();
          streams.push(stream);
          return Promise.resolve(stream);
        },
        past: () => Promise.resolve([]),
      },
      system: { ping: () => Promise.resolve({ apiVersion: '1.41', engineTime: 0 } as never) },
    });
    const heard: string[] = [];
    const subscription = feed.subscribe({ signal });
    const next = async () => {
      for (const { action } of (await subscription.next()).value?.events ?? []) heard.push(action);
    };
    await next();
    for (let count = 0; count < 5; count++) {
      streams[0]?.tell(`start ${count}`);
      while (heard.length <= count) await next();
    }
    expect(heard).toHaveLength(5);
    expect(streams).toHaveLength(1);
    streams[0]?.end();
    await next();
    expect(streams).toHaveLength(2);
    for (const stream of streams) stream.end();
    await scope.close();
  });
});

describe('1.0.2: a managed service-anchor that was removed stayed away', () => {
  it('it is made again while its target runs, and not while that does not', async () => {
    const host = new SimHost();
    run(host, 'target');
    const keeper = simKeeper(host);
    await keeper.rest();
    remove(host, recipe.name);
    // Whoever waits for the next start of the target waits for ever: nobody starts it.
    expect(host.named(recipe.name)).toBeUndefined();
    await keeper.rest();
    expect(together(host, 'target', recipe.name)).toBe(true);
    host.stop(host.find('target'));
    remove(host, recipe.name);
    await keeper.rest();
    expect(host.named(recipe.name)).toBeUndefined();
  });

  it('after an upgrade each follows the new image, once, and noise of events changes nothing', async () => {
    const host = new SimHost();
    run(host, 'target');
    await simKeeper(host).rest();
    const old = host.find(recipe.name).id;
    const upgraded = simKeeper(host, { imageId: 'sha256:2' });
    await upgraded.rest();
    const now = host.find(recipe.name);
    expect(now.id).not.toBe(old);
    expect(now.imageId).toBe('sha256:2');
    for (let noise = 0; noise < 5; noise++) await upgraded.rest();
    expect(host.find(recipe.name).id).toBe(now.id);
  });

  it('it carries no label of Compose, which would make orchestrators stumble', async () => {
    const host = new SimHost();
    run(host, 'target', { labels: mail });
    await simKeeper(host).rest();
    const labels = Object.keys(host.find(recipe.name).labels);
    expect(labels.filter((label) => label.startsWith('com.docker.compose.'))).toEqual([]);
  });
});

describe('1.1.0: containers sat in dead namespaces, and nobody said so', () => {
  it('each is told once while it lasts, and again when it comes back', async () => {
    const host = new SimHost();
    run(host, 'owner', { labels: mail });
    run(host, 'app', { mode: 'container:owner', labels: mail });
    const parts = testParts();
    const detector = new DeadNamespaceDetector(
      { projects: new Set(['mail']), intervalMs: 1_000 },
      { ...parts, clock: host.clock, containers: host.door().containers },
    );
    const told = () => parts.recording.attrsOf('dependent in dead netns');
    await detector.look(signal);
    expect(told()).toEqual([]);
    const reference = host.find('owner').id;
    remove(host, 'owner');
    for (let look = 0; look < 3; look++) await detector.look(signal);
    const hint = 'docker compose -p mail up -d --no-deps --force-recreate smtp';
    expect(told()).toMatchObject([{ container: 'app', stale_target: reference, hint }]);
    remove(host, 'app');
    run(host, 'owner', { labels: mail });
    run(host, 'app', { mode: 'container:owner', labels: mail });
    await detector.look(signal);
    host.restart(host.find('owner'));
    // By ids alone everything looks fine.
    expect(await looksFineByIds(host)).toBe(true);
    await detector.look(signal);
    expect(told().at(-1)).toMatchObject({ container: 'app', why: 'owner restarted' });
    expect(told()).toHaveLength(2);
  });
});

describe('1.2.0: a service-anchor was made anew, and twenty-one containers lost their network', () => {
  const dependents = Array.from({ length: 21 }, (_, at) => `app${at + 1}`);

  async function stage(names: readonly string[]): Promise<SimHost> {
    const host = new SimHost();
    run(host, 'target');
    await simKeeper(host).rest();
    for (const name of names) run(host, name, { mode: `container:${recipe.name}`, labels: mail });
    remove(host, 'target');
    run(host, 'target');
    return host;
  }

  it('all of them come along', async () => {
    const host = await stage(dependents);
    expect(together(host, 'target', ...dependents)).toBe(false);
    await simKeeper(host).rest();
    expect(together(host, 'target', recipe.name, ...dependents)).toBe(true);
  });

  it('and none is lost when Docker refuses to make it anew: what was removed first would be gone', async () => {
    const some = dependents.slice(0, 2);
    const host = await stage(some);
    let creates = 0;
    host.onCall = (call) => {
      if (call === 'create') creates += 1;
      // The service-anchor itself is made; nothing else is.
      return call === 'create' && creates > 1 ? 'lost request' : 'done';
    };
    await simKeeper(host).rest();
    expect(creates).toBeGreaterThan(1);
    for (const name of some) expect(host.seek(name)?.status, name).toBe('running');
    host.onCall = () => 'done';
    await simKeeper(host).rest();
    expect(together(host, 'target', recipe.name, ...some)).toBe(true);
  });
});

describe('1.3.0: a follower pinned the network of another stack, and took its address when that came back', () => {
  const follow = (peer: SimPeer) =>
    new ExternalRebinder(
      { network: 'peer', target: 'mail', project: undefined, restart: false, backoffMs: 2_000 },
      { ...testParts(), clock: peer.clock, door: peer.door() },
    );

  it('it leaves when it is the last one: Docker refuses to remove the network as long as it stays', async () => {
    const peer = new SimPeer(() => 0.5);
    peer.up();
    peer.join();
    const rebinder = follow(peer);
    await rebinder.act('bootstrap', signal);
    peer.leave();
    peer.remove();
    expect(peer.networkId, 'it is pinned').toBeDefined();
    await rebinder.act('disconnect', signal);
    peer.remove();
    expect(peer.networkId).toBeUndefined();
  });

  it('it comes back when nobody came for three seconds: at once, it would take an address that is meant for another', async () => {
    const peer = new SimPeer(() => 0.5);
    const rebinder = follow(peer);
    await rebinder.act('bootstrap', signal);
    peer.up();
    const firstOthers = peer.others;
    let looks = 0;
    peer.onLook = () => {
      looks += 1;
      if (looks <= 4) peer.up();
    };
    await rebinder.act('create', signal);
    expect(firstOthers).toBe(1);
    expect(peer.othersWhenJoined).toBe(5);
    expect(peer.isPinned).toBe(true);
  });

  it('and it has its aliases again', async () => {
    const peer = new SimPeer(() => 0.5);
    peer.up();
    peer.join('mail', 'post');
    const rebinder = follow(peer);
    await rebinder.act('bootstrap', signal);
    peer.leave();
    await rebinder.act('disconnect', signal);
    peer.up();
    await rebinder.act('connect', signal);
    expect(peer.aliases).toEqual(['mail', 'post']);
  });
});

describe('1.3.0: wrap containers lost a target that was away for longer than a poll', () => {
  const wrap = ofProject('wrap');

  it('its name is remembered; by the reference alone nothing leads back to it', async () => {
    const host = new SimHost();
    run(host, 'target');
    run(host, 'web', { mode: 'container:target', labels: wrap });
    const rebinder = simRebinder(host);
    await rebinder.rest();
    remove(host, 'target');
    for (let poll = 0; poll < 3; poll++) await rebinder.rest();
    run(host, 'target');
    expect(await looksFineByIds(host)).toBe(false);
    await rebinder.rest();
    expect(together(host, 'target', 'web')).toBe(true);
    const made = host.find('web').id;
    await rebinder.rest();
    expect(host.find('web').id).toBe(made);
  });

  it('and a target that is restarted in place is noticed, though every id still fits', async () => {
    const host = new SimHost();
    run(host, 'target');
    run(host, 'web', { mode: 'container:target', labels: wrap });
    host.restart(host.find('target'));
    expect(await looksFineByIds(host)).toBe(true);
    await simRebinder(host).rest();
    expect(together(host, 'target', 'web')).toBe(true);
  });
});

describe('1.3.1: a default route went away while its gateway stayed the same', () => {
  const gateway = parseIp('172.30.0.2');
  const wanted = { gateway, link: 3, onLink: false };

  it('the kernel is asked, not the memory of what was set last', () => {
    let setLast: string | undefined = gateway;
    // Who compares with what was set last sees no reason to do anything.
    expect(setLast === gateway).toBe(true);
    setLast = undefined;
    expect(planDefaultRoute('v4', [], wanted)).toMatchObject({ kind: 'replace', reason: 'missing' });
    expect(planDefaultRoute('v4', [defaultRoute('172.30.0.9')], wanted)).toMatchObject({
      kind: 'replace',
      reason: 'drifted',
    });
  });
});
