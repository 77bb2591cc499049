/** What a wrap-rebinder hears, remembers and says; what it plans is shown by itself. */
import type { EngineEvent } from '@berth/engine';
import { VirtualClock } from '@berth/service';
import { describe, expect, it } from 'vitest';
import { ofProject } from '../../testing/life.ts';
import { testParts } from '../../testing/program.ts';
import { simRebinder } from '../../testing/sim-anchors.ts';
import { type SimContainer, SimHost } from '../../testing/sim-host.ts';
import { wrapTargetLabel } from './plan.ts';
import { type WrapParts, WrapRebinder } from './rebinder.ts';

const wrap = ofProject('wrap');
const { signal } = new AbortController();
const orphaned =
  'wrap-rebinder: anchor has stale netmode whose target ID no longer exists; manual recreate required';
/** Far less than a poll. */
const momentMs = 5_000;

const run = (host: SimHost, name: string, more: Partial<SimContainer> = {}): SimContainer => {
  const made = host.make(name, more);
  host.start(made);
  return made;
};
const renew = (host: SimHost, name: string, more: Partial<SimContainer> = {}): SimContainer => {
  host.remove(host.find(name));
  return run(host, name, more);
};
const sitsWith = (host: SimHost, name: string, target = 'target'): boolean =>
  host.find(name).namespace === host.find(target).namespace;

function rebinderOn(host: SimHost, door: Partial<WrapParts['door']> = {}) {
  const parts = testParts();
  const rebinder = new WrapRebinder(
    { project: 'wrap', selfId: 'f'.repeat(64), actor: 'rebinder', pollMs: 60_000, graceMs: 3_500 },
    {
      ...parts,
      clock: host.clock,
      door: { ...host.door('rebinder'), ...door },
      onLooked: () => undefined,
      random: () => 0.5,
    },
  );
  return { rebinder, recording: parts.recording };
}

/** Its own loop, which hears what Docker tells. */
async function running(host: SimHost, clock: VirtualClock) {
  const { rebinder, recording } = rebinderOn(host);
  host.onEvent = (action, { id, name, labels }) =>
    rebinder.hear({ type: 'container', action, id, attributes: { ...labels, name }, at: 0, key: '' });
  const stop = new AbortController();
  const end = rebinder.run(stop.signal);
  await clock.advance(momentMs);
  return {
    rebinder,
    recording,
    stop: async () => {
      stop.abort();
      await clock.advance(momentMs);
      await end;
    },
  };
}

describe('a wrap-rebinder', () => {
  it('acts on the start of a target, and on that of one of its project', async () => {
    const clock = new VirtualClock();
    const host = new SimHost(clock);
    run(host, 'target');
    run(host, 'web', { mode: 'container:target', labels: wrap });
    const { rebinder, recording, stop } = await running(host, clock);
    expect(rebinder.wraps).toEqual([{ container: 'web', target: 'target' }]);
    renew(host, 'target');
    await clock.advance(momentMs);
    expect(sitsWith(host, 'web')).toBe(true);
    expect(recording.attrsOf('tracked target started, recreating affected wrap-anchors')).toEqual([
      { target: 'target', anchors: ['web'] },
    ]);
    run(host, 'mail', { mode: 'container:target', labels: wrap });
    run(host, 'stranger', { mode: 'container:target', labels: ofProject('other') });
    await clock.advance(momentMs);
    expect(rebinder.wraps.map(({ container }) => container)).toEqual(['web', 'mail']);
    await stop();
  });

  it('waits ten seconds for Compose where the target is of its own project', async () => {
    const clock = new VirtualClock();
    const host = new SimHost(clock);
    run(host, 'target', { labels: wrap });
    run(host, 'web', { mode: 'container:target', labels: wrap });
    const { stop } = await running(host, clock);
    renew(host, 'target', { labels: wrap });
    await clock.advance(9_500);
    expect(sitsWith(host, 'web')).toBe(false);
    await clock.advance(2_000);
    expect(sitsWith(host, 'web')).toBe(true);
    await stop();
  });

  it('does not fight with another one', async () => {
    const host = new SimHost();
    run(host, 'target');
    run(host, 'web', { mode: 'container:target', labels: wrap });
    const both = ['one', 'two'].map((actor) => simRebinder(host, actor));
    for (const { rest } of both) await rest();
    renew(host, 'target');
    host.deeds.length = 0;
    await Promise.all(both.map(({ rest }) => rest()));
    expect(sitsWith(host, 'web')).toBe(true);
    expect([...host.all.values()].map(({ name }) => name).sort()).toEqual(['target', 'web']);
    expect(both.flatMap(({ recording }) => recording.messages('warn'))).toEqual([]);
    expect(
      both.flatMap(({ recording }) =>
        recording.attrsOf('wrap-rebinder: anchor recreated against live target'),
      ),
    ).toHaveLength(1);
  });

  it('writes the name of the target on what it makes, for whoever comes after it', async () => {
    const host = new SimHost();
    run(host, 'target');
    run(host, 'web', { mode: 'container:target', labels: wrap });
    const first = rebinderOn(host);
    await first.rebinder.look('startup', signal);
    renew(host, 'target');
    await first.rebinder.look('poll', signal);
    expect(host.find('web').labels).toMatchObject({ ...wrap, [wrapTargetLabel]: 'target' });
    host.remove(host.find('target'));
    const { rebinder, recording } = rebinderOn(host);
    await rebinder.look('startup', signal);
    run(host, 'target');
    await rebinder.look('poll', signal);
    expect(sitsWith(host, 'web')).toBe(true);
    expect(recording.messages()).not.toContain(orphaned);
  });

  it('asks the engine once for the name of a target that went before its own start', async () => {
    const host = new SimHost();
    const target = run(host, 'target');
    run(host, 'web', { mode: 'container:target', labels: wrap });
    host.remove(target);
    const asked: unknown[] = [];
    const attributes = { name: 'target' };
    const gone: EngineEvent = {
      type: 'container',
      action: 'destroy',
      id: target.id,
      attributes,
      at: 0,
      key: '',
    };
    const { rebinder, recording } = rebinderOn(host, {
      events: {
        past: (query) => {
          asked.push(query.filters);
          return Promise.resolve([gone]);
        },
      },
    });
    for (let look = 0; look < 3; look++) await rebinder.look('poll', signal);
    expect(asked).toEqual([{ type: ['container'], event: ['destroy'], container: [target.id] }]);
    run(host, 'target');
    await rebinder.look('poll', signal);
    expect(sitsWith(host, 'web')).toBe(true);
    expect(recording.messages()).not.toContain(orphaned);
  });

  it('says once that nobody knows the target of a container any more', async () => {
    const host = new SimHost();
    const target = run(host, 'target');
    run(host, 'web', { mode: 'container:target', labels: wrap });
    host.remove(target);
    const { rebinder, recording } = rebinderOn(host);
    for (let look = 0; look < 3; look++) await rebinder.look('poll', signal);
    expect(recording.attrsOf(orphaned)).toEqual([{ anchor: 'web', stored_ref: target.id }]);
    expect(rebinder.wraps).toEqual([{ container: 'web', target: undefined }]);
  });

  it('says once that it holds a repair back, until it has done it', async () => {
    const host = new SimHost();
    run(host, 'target');
    run(host, 'web', { mode: 'container:target', labels: wrap });
    const { rebinder, recording } = rebinderOn(host);
    await rebinder.look('startup', signal);
    renew(host, 'target');
    await rebinder.look('event/target-start', signal);
    renew(host, 'target');
    for (let look = 0; look < 3; look++) await rebinder.look('event/target-start', signal);
    const suppressed = 'wrap-rebinder: suppressing rapid recreate';
    expect(recording.attrsOf(suppressed)).toMatchObject([
      { anchor: 'web', target: 'target', source: 'event/target-start' },
    ]);
    expect(sitsWith(host, 'web')).toBe(false);
    host.pass(momentMs);
    await rebinder.look('poll', signal);
    expect(sitsWith(host, 'web')).toBe(true);
  });

  it('grants the configured time at a restart as well', async () => {
    const host = new SimHost();
    const { containers } = host.door();
    const graces: unknown[] = [];
    const { rebinder } = rebinderOn(host, {
      containers: {
        ...containers,
        restart: async (id, options) => {
          graces.push(options);
          await containers.restart(id);
        },
      },
    });
    const target = run(host, 'target');
    run(host, 'web', { mode: 'container:target', labels: wrap });
    await rebinder.look('startup', signal);
    host.restart(target);
    await rebinder.look('poll', signal);
    expect(graces).toEqual([{ graceS: 4 }]);
    expect(sitsWith(host, 'web')).toBe(true);
  });
});
