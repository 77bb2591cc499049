import type { EngineEvent } from '@berth/engine';
import { VirtualClock } from '@berth/service';
import { RecordingLog } from '@berth/service/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { container, FakeDocker } from '../testing/containers.ts';
import { ContainerObserver } from './observer.ts';
import { sharedNetworkPicker } from './shared-network.ts';

const mail = { 'com.docker.compose.project': 'mail' };
const smtp = container('smtp').labelled(mail).exposing('tcp/25').on('transit', '10.0.0.5');
const picker = sharedNetworkPicker({ ownNetworks: ['transit'], externalNetwork: undefined, pin: undefined });

const event = (action: string, one: { id: string; name: string; labels: object }): EngineEvent => ({
  type: 'container',
  action,
  id: one.id,
  attributes: { name: one.name, ...one.labels },
  at: 0,
  key: '',
});

const networkEvent = (action: string, id: string): EngineEvent => ({
  type: 'network',
  action,
  id: 'n',
  attributes: { name: 'transit', container: id },
  at: 0,
  key: '',
});

describe('container observer', () => {
  let docker: FakeDocker;
  let clock: VirtualClock;
  let recording: RecordingLog;
  let observer: ContainerObserver;
  let seen: (readonly string[])[];
  let counted: string[];
  let stop: AbortController;
  let running: Promise<void>;

  beforeEach(() => {
    docker = new FakeDocker();
    clock = new VirtualClock();
    recording = new RecordingLog();
    seen = [];
    counted = [];
    stop = new AbortController();
    observer = new ContainerObserver({
      containers: docker,
      discriminator: [{ key: 'com.docker.compose.project', value: 'mail' }],
      clock,
      log: recording.log,
      onWorld: (world) =>
        seen.push(world.discover(picker).backends.map(({ name, ipv4 }) => `${name} ${ipv4}`)),
      onEvent: ({ action }) => counted.push(action),
      onDocker: () => undefined,
    });
    running = observer.run(stop.signal);
  });

  afterEach(async () => {
    stop.abort();
    await running;
  });

  /** Lets everything happen that can happen without time passing. */
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  const start = async () => {
    observer.requestSnapshot('initial');
    await settle();
  };

  it('takes a whole list at the start, with the scope and the expose label as filters', async () => {
    docker.run(smtp, container('foreign').exposing('tcp/1').on('transit', '10.0.0.9'));
    await start();
    expect(seen).toEqual([['smtp 10.0.0.5']]);
    expect(docker.asked).toEqual(['list']);
  });

  it('looks only at the container that an event speaks of', async () => {
    await start();
    docker.run(smtp);
    observer.hear(event('start', smtp));
    await settle();
    expect(seen.at(-1)).toEqual(['smtp 10.0.0.5']);
    expect(docker.asked).toEqual(['list', `inspect ${smtp.id}`]);
  });

  it('takes a burst of events for one', async () => {
    docker.run(smtp);
    await start();
    for (const action of ['kill', 'die', 'stop', 'start', 'rename']) observer.hear(event(action, smtp));
    await settle();
    expect(docker.asked).toEqual(['list', `inspect ${smtp.id}`]);
    expect(counted).toHaveLength(5);
  });

  it('counts commands and health checks in a container, and does nothing about them', async () => {
    docker.run(smtp);
    await start();
    for (const action of ['exec_create: sh', 'exec_die', 'health_status: healthy']) {
      observer.hear(event(action, smtp));
    }
    await settle();
    expect(docker.asked).toEqual(['list']);
    expect(counted).toHaveLength(3);
  });

  it('passes containers of others over', async () => {
    await start();
    observer.hear(event('start', container('foreign').exposing('tcp/1')));
    await settle();
    expect({ asked: docker.asked, counted }).toEqual({ asked: ['list'], counted: [] });
  });

  it('drops a container that died or is gone', async () => {
    docker.run(smtp);
    await start();
    docker.all.clear();
    observer.hear(event('die', smtp));
    await settle();
    expect(seen.at(-1)).toEqual([]);
  });

  it('tells of a death once: the look after it finds nothing new', async () => {
    docker.run(smtp);
    await start();
    docker.run({ ...smtp, running: false });
    observer.hear(event('die', smtp));
    await settle();
    expect(docker.asked).toEqual(['list', `inspect ${smtp.id}`]);
    expect(seen).toEqual([['smtp 10.0.0.5'], []]);
  });

  it('drops a container that died without waiting for an answer about it', async () => {
    docker.run(smtp);
    await start();
    observer.hear(event('die', smtp));
    expect(seen.at(-1)).toEqual([]);
    expect(docker.asked).toEqual(['list']);
  });

  it('does not take a container for alive by an answer that is older than its death', async () => {
    docker.run(smtp);
    await start();
    docker.meanwhile = () => {
      docker.meanwhile = undefined;
      observer.hear(event('die', smtp));
      docker.all.clear();
    };
    observer.hear(event('start', smtp));
    await settle();
    expect(docker.asked).toEqual(['list', `inspect ${smtp.id}`, `inspect ${smtp.id}`]);
    expect(seen.slice(1)).not.toContainEqual(['smtp 10.0.0.5']);
    expect(seen.at(-1)).toEqual([]);
  });

  it('does not take a container for alive by a list that is older than its death', async () => {
    docker.run(smtp);
    await start();
    docker.meanwhile = () => {
      docker.meanwhile = undefined;
      observer.hear(event('die', smtp));
      docker.all.clear();
    };
    observer.requestSnapshot('poll');
    await settle();
    expect(seen.slice(1)).not.toContainEqual(['smtp 10.0.0.5']);
    expect(seen.at(-1)).toEqual([]);
  });

  it('sees a container change its networks', async () => {
    docker.run(smtp);
    await start();
    docker.run(smtp.on('transit', '10.0.0.8'));
    observer.hear(networkEvent('connect', smtp.id));
    observer.hear(networkEvent('connect', 'somebody-else'));
    await settle();
    expect(seen.at(-1)).toEqual(['smtp 10.0.0.8']);
    expect(counted).toEqual(['connect']);
  });

  it('follows a wrap target that is re-created outside of the scope', async () => {
    const wrap = container('wrap').labelled(mail).exposing('tcp/80').joining('app');
    const app = container('app').on('transit', '10.0.0.7');
    docker.run(wrap, app);
    await start();
    expect(seen.at(-1)).toEqual(['wrap 10.0.0.7']);
    const next = app.on('transit', '10.0.0.70');
    docker.run(next);
    observer.hear(event('start', next));
    await settle();
    expect(seen.at(-1)).toEqual(['wrap 10.0.0.70']);
    expect(counted).toEqual([]);
  });

  it('looks at a target again when it changes while it is looked at', async () => {
    const wrap = container('wrap').labelled(mail).exposing('tcp/80').joining('app');
    const app = container('app').on('transit', '10.0.0.7');
    docker.run(wrap, app);
    docker.meanwhile = (asked) => {
      if (asked !== 'inspect app') return;
      docker.meanwhile = undefined;
      docker.run(app.on('transit', '10.0.0.70'));
      observer.hear(event('start', app));
    };
    await start();
    expect(seen[0]).toEqual(['wrap 10.0.0.70']);
  });

  it('looks at a container again that changes while the list is read', async () => {
    docker.run(smtp);
    docker.meanwhile = () => {
      docker.meanwhile = undefined;
      docker.run(smtp.on('transit', '10.0.0.8'));
      observer.hear(event('start', smtp));
    };
    await start();
    expect(seen.at(-1)).toEqual(['smtp 10.0.0.8']);
  });

  it.each([
    ['initial', 'initial snapshot failed'],
    ['poll', 'poll snapshot failed'],
    ['event', 'event-driven snapshot failed'],
  ] as const)('says that a look failed (%s), keeps what it knows, and looks again by itself', async (reason, message) => {
    docker.failure = new Error('engine is away');
    observer.requestSnapshot(reason);
    await settle();
    expect(recording.messages('warn')).toEqual([message]);
    expect(seen).toEqual([]);
    docker.failure = undefined;
    docker.run(smtp);
    await clock.advance(2_000);
    await settle();
    expect(seen).toEqual([['smtp 10.0.0.5']]);
  });

  it('takes a whole list after a single look failed', async () => {
    docker.run(smtp);
    await start();
    docker.failure = new Error('engine is away');
    observer.hear(event('start', smtp));
    await settle();
    docker.failure = undefined;
    await clock.advance(2_000);
    await settle();
    expect(docker.asked).toEqual(['list', `inspect ${smtp.id}`, 'list']);
  });
});
