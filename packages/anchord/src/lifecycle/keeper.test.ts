/** What a keeper hears of, and what it does then; what it comes upon by itself at its polls is shown elsewhere. */
import { VirtualClock } from '@berth/service';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ofProject } from '../testing/life.ts';
import { recipe, simKeeper } from '../testing/sim-anchors.ts';
import { type SimContainer, SimHost } from '../testing/sim-host.ts';

const mail = ofProject('mail');
/** Far less than a poll. */
const momentMs = 5_000;

describe('a keeper', () => {
  let clock: VirtualClock;
  let host: SimHost;
  let stop: AbortController;
  let running: Promise<void>;
  let gateway: string;
  let anchor: ReturnType<typeof simKeeper>;

  const spawn = (name: string, more: Partial<SimContainer> = {}): SimContainer => {
    const made = host.make(name, more);
    host.start(made);
    return made;
  };
  /** What Docker tells reaches it as long as `tells` says so. */
  const tells = (isHeard: boolean): void => {
    host.onEvent = (action, { id, name, labels }) => {
      if (isHeard) hear('container', action, { ...labels, name }, id);
    };
  };
  const hear = (type: string, action: string, attributes: Readonly<Record<string, string>>, id = ''): void =>
    anchor.keeper.hear({ type, action, id, attributes, at: clock.now(), key: '' });

  beforeEach(async () => {
    clock = new VirtualClock();
    host = new SimHost(clock);
    stop = new AbortController();
    gateway = '172.30.0.2';
    anchor = simKeeper(host, { gateway: () => gateway });
    spawn('target');
    running = anchor.keeper.run(stop.signal);
    await clock.advance(momentMs);
    tells(true);
  });
  afterEach(async () => {
    stop.abort();
    await clock.advance(momentMs);
    await running;
  });

  it('has made what was missing at its start', () => {
    expect(host.find(recipe.name)).toMatchObject({
      status: 'running',
      namespace: host.find('target').namespace,
    });
    expect(anchor.recording.attrsOf('created and started managed service-anchor')).toMatchObject([
      { source: 'backfill' },
    ]);
  });

  it('acts on the start of an owner, and not before the next poll without a word of it', async () => {
    const owner = host.make('owner', { labels: mail });
    const waiting = host.make('app', { labels: mail, mode: 'container:owner' });
    tells(false);
    host.start(owner);
    await clock.advance(momentMs);
    expect(waiting.status).toBe('created');
    hear('container', 'start', { name: 'owner' }, owner.id);
    await clock.advance(momentMs);
    expect(waiting.status).toBe('running');
    expect(anchor.recording.attrsOf('auto-starting sibling waiting for target')).toEqual([
      { sibling: waiting.id, target: 'owner', source: 'event' },
    ]);
  });

  it('acts on the end of the service-anchor that it has made, and on nobody else’s', async () => {
    const calls = host.calls;
    hear('container', 'destroy', { name: 'somebody' });
    hear('container', 'die', { name: recipe.name });
    hear('network', 'create', { name: 'transit' });
    await clock.advance(momentMs);
    expect(host.calls).toBe(calls);
    host.remove(host.find(recipe.name));
    await clock.advance(momentMs);
    expect(host.find(recipe.name).status).toBe('running');
    expect(anchor.recording.attrsOf('created and started managed service-anchor').at(-1)).toMatchObject({
      source: 'event/sa-gone',
    });
  });

  it('says why it does not make another one while the target does not run', async () => {
    host.stop(host.find('target'));
    host.remove(host.find(recipe.name));
    await clock.advance(momentMs);
    expect(host.named(recipe.name)).toBeUndefined();
    const skipped = 'managed service-anchor destroyed but target is not running; skipping respawn';
    expect(anchor.recording.attrsOf(skipped)).toEqual([{ name: recipe.name, target: 'target' }]);
  });

  it('follows our address as soon as we are on another one', async () => {
    gateway = '172.30.0.9';
    await clock.advance(momentMs);
    expect(host.find(recipe.name).env).toContain('ANCHORD_GATEWAY_IP=172.30.0.2');
    hear('network', 'connect', { name: 'transit' });
    await clock.advance(momentMs);
    expect(host.find(recipe.name).env).toContain('ANCHORD_GATEWAY_IP=172.30.0.9');
  });

  it('looks at everything after a gap in the events', async () => {
    tells(false);
    host.remove(host.find(recipe.name));
    await clock.advance(momentMs);
    expect(host.named(recipe.name)).toBeUndefined();
    anchor.keeper.resync();
    await clock.advance(momentMs);
    expect(host.find(recipe.name).status).toBe('running');
  });

  it('says once that a name is taken, as long as nothing else is to be said', async () => {
    tells(false);
    host.remove(host.find(recipe.name));
    spawn(recipe.name);
    for (let look = 0; look < 3; look++) {
      anchor.keeper.resync();
      await clock.advance(momentMs);
    }
    const taken = 'managed service-anchor name belongs to another container; leaving it alone';
    expect(anchor.recording.attrsOf(taken)).toHaveLength(1);
  });

  it('looks for an old image as soon as Docker tells of our own, and says why it could not before', async () => {
    stop.abort();
    await clock.advance(momentMs);
    await running;
    let isKnown = false;
    stop = new AbortController();
    anchor = simKeeper(host, {
      imageId: 'sha256:2',
      gateway: () => {
        if (!isKnown) throw new Error('no answer');
        return gateway;
      },
    });
    running = anchor.keeper.run(stop.signal);
    await clock.advance(momentMs);
    const skipped = 'F-45 backfill self-inspect failed; skipping image-drift check';
    expect(anchor.recording.messages('warn')).toEqual([skipped]);
    expect(host.find(recipe.name).imageId).toBe('sha256:1');
    isKnown = true;
    anchor.keeper.resync();
    await clock.advance(momentMs);
    expect(host.find(recipe.name).imageId).toBe('sha256:2');
    expect(anchor.recording.attrsOf('managed service-anchor needs recreate')).toMatchObject([
      { reason: 'image_drift', sa_image_id: 'sha256:1', parent_image_id: 'sha256:2' },
    ]);
  });

  it('gives whoever restarts an owner two seconds to restart what hangs on it', async () => {
    const owner = spawn('owner', { labels: mail });
    const app = spawn('app', { labels: mail, mode: 'container:owner' });
    await clock.advance(momentMs);
    host.restart(owner);
    await clock.advance(1_500);
    expect(app.namespace).not.toBe(owner.namespace);
    await clock.advance(1_500);
    expect(app.namespace).toBe(owner.namespace);
  });

  it('takes dependents along that could not be while their owner was made anew twice', async () => {
    const app = spawn('app', { labels: mail, mode: `container:${recipe.name}` });
    const { id } = app;
    host.onCall = (call) =>
      call === 'create' && host.named(recipe.name) !== undefined ? 'lost request' : 'done';
    for (let time = 0; time < 2; time++) {
      const { id: before } = host.find(recipe.name);
      host.remove(host.find('target'));
      spawn('target');
      await clock.advance(momentMs);
      expect(host.find(recipe.name).id).not.toBe(before);
      expect(host.seek(id)?.namespace).not.toBe(host.find('target').namespace);
    }
    host.onCall = () => 'done';
    await clock.advance(60_000);
    expect(host.find('app').namespace).toBe(host.find('target').namespace);
    expect(host.find('app').mode).toBe(`container:${host.find(recipe.name).id}`);
  });
});
