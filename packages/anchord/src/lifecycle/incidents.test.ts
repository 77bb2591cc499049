/**
 * What went wrong in the field from 1.0.1 to 1.2.0, told by name. Beside each stands what a simple program would do, and
 * the trouble in which that ends.
 */
import {
  type EngineEvent,
  EventFeed,
  type EventStream,
  resolveContainer,
  sharedNetworkOf,
} from '@berth/engine';
import { Scope } from '@berth/service';
import { describe, expect, it } from 'vitest';
import { ofProject } from '../testing/life.ts';
import { testParts } from '../testing/program.ts';
import { recipe, simKeeper } from '../testing/sim-anchors.ts';
import { type SimContainer, SimHost } from '../testing/sim-host.ts';
import { DeadNamespaceDetector } from './detector.ts';
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

  get isOpen(): boolean {
    return !this.#ended;
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

/** Looks at what is new by asking for events again, and leaves the stream before open. */
async function naiveWatch(open: () => Stream, events: number): Promise<void> {
  for (let at = 0; at <= events; at++) {
    const stream = open();
    stream.tell(`start ${at}`);
    for await (const _ of stream) break;
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
    const opened: Stream[] = [];
    const open = (): Stream => {
      const stream = new Stream();
      opened.push(stream);
      return stream;
    };
    await naiveWatch(open, 5);
    expect(opened.filter(({ isOpen }) => isOpen)).toHaveLength(6);
    for (const stream of opened) stream.end();
  });
});

/** Makes the anchor when its target starts, of the image that is called like ours, with the labels of whom it stands beside. */
function naiveKeeper(host: SimHost, image = 'anchord:1') {
  return {
    hear(action: 'start' | 'destroy', name: string): void {
      if (action !== 'start' || name !== recipe.target) return;
      const { id, labels } = host.find(name);
      const there = host.named(recipe.name);
      if (there?.mode === `container:${id}` && there.labels['image'] === image) return;
      if (there !== undefined) remove(host, recipe.name);
      run(host, recipe.name, { mode: `container:${id}`, labels: { ...labels, image } });
    },
  };
}

/** Makes the anchor anew at any event unless its image is called like ours: Docker tells the image of a container by its id. */
function noisyKeeper(host: SimHost, image = 'anchord:1'): () => void {
  return () => {
    const { id } = host.find(recipe.target);
    const there = host.named(recipe.name);
    if (there?.mode === `container:${id}` && there.imageId === image) return;
    if (there !== undefined) remove(host, recipe.name);
    run(host, recipe.name, { mode: `container:${id}`, imageId: `sha256:${image}` });
  };
}

describe('1.0.2: a managed service-anchor that was removed stayed away', () => {
  it('it is made again while its target runs, and not while that does not', async () => {
    const host = new SimHost();
    run(host, 'target');
    const keeper = simKeeper(host);
    await keeper.rest();
    remove(host, recipe.name);
    // Whoever waits for the next start of the target waits for ever: nobody starts it.
    naiveKeeper(host).hear('destroy', recipe.name);
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
    const elsewhere = new SimHost();
    run(elsewhere, 'target');
    naiveKeeper(elsewhere).hear('start', 'target');
    const stale = elsewhere.find(recipe.name).id;
    // The image is another one, and is called as before.
    naiveKeeper(elsewhere).hear('start', 'target');
    expect(elsewhere.find(recipe.name).id).toBe(stale);
    const upgraded = simKeeper(host, { imageId: 'sha256:2' });
    await upgraded.rest();
    const now = host.find(recipe.name);
    expect(now.id).not.toBe(old);
    expect(now.imageId).toBe('sha256:2');
    const naive = noisyKeeper(elsewhere);
    const naivelyMade = new Set<string>();
    for (let noise = 0; noise < 5; noise++) {
      naive();
      naivelyMade.add(elsewhere.find(recipe.name).id);
      await upgraded.rest();
    }
    expect(naivelyMade.size).toBe(5);
    expect(host.find(recipe.name).id).toBe(now.id);
  });

  it('it carries no label of Compose, which would make orchestrators stumble', async () => {
    const host = new SimHost();
    run(host, 'target', { labels: mail });
    await simKeeper(host).rest();
    const composeLabels = () =>
      Object.keys(host.find(recipe.name).labels).filter((label) => label.startsWith('com.docker.compose.'));
    expect(composeLabels()).toEqual([]);
    remove(host, recipe.name);
    naiveKeeper(host).hear('start', 'target');
    expect(composeLabels()).not.toEqual([]);
  });
});

/** Tells at each look of everybody whose owner's id means nobody, or another one than when it was looked at first. */
async function naiveDetector(host: SimHost): Promise<readonly string[]> {
  const all = await observeContainers(host.door().containers, signal);
  return all.flatMap(({ name, networkMode }) => {
    const reference = sharedNetworkOf(networkMode);
    return reference !== undefined && resolveContainer(reference, all).kind !== 'found' ? [name] : [];
  });
}

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
    const naivelyTold: string[] = [];
    for (let look = 0; look < 3; look++) {
      await detector.look(signal);
      naivelyTold.push(...(await naiveDetector(host)));
    }
    expect(naivelyTold).toEqual(['app', 'app', 'app']);
    const hint = 'docker compose -p mail up -d --no-deps --force-recreate smtp';
    expect(told()).toMatchObject([{ container: 'app', stale_target: reference, hint }]);
    remove(host, 'app');
    run(host, 'owner', { labels: mail });
    run(host, 'app', { mode: 'container:owner', labels: mail });
    await detector.look(signal);
    host.restart(host.find('owner'));
    expect(await naiveDetector(host)).toEqual([]);
    await detector.look(signal);
    expect(told().at(-1)).toMatchObject({ container: 'app', why: 'owner restarted' });
    expect(told()).toHaveLength(2);
  });
});

/** Makes one anew in the namespace of that one, as it comes to mind: away with it, then the new one. */
async function naiveRecreate(host: SimHost, name: string, owner: string): Promise<void> {
  const { containers } = host.door();
  await containers.remove(name, { force: true });
  const mode = `container:${host.find(owner).id}`;
  const request = { Image: 'sha256:1', HostConfig: { NetworkMode: mode } };
  await containers.start((await containers.create(request, { name })).id);
}

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
    const naive = await stage(dependents);
    await naiveRecreate(naive, recipe.name, 'target');
    expect(together(naive, 'target', recipe.name)).toBe(true);
    for (const name of dependents) expect(together(naive, 'target', name), name).toBe(false);
    const host = await stage(dependents);
    await simKeeper(host).rest();
    expect(together(host, 'target', recipe.name, ...dependents)).toBe(true);
  });

  it('and none is lost when Docker refuses to make it anew: what was removed first would be gone', async () => {
    const some = dependents.slice(0, 2);
    const naive = await stage(some);
    naive.onCall = (call) => (call === 'create' ? 'lost request' : 'done');
    for (const name of some) await expect(naiveRecreate(naive, name, 'target')).rejects.toThrow();
    expect(some.filter((name) => naive.named(name) !== undefined)).toEqual([]);
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
