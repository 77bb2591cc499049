/** A storm on a real engine: a target that comes anew or restarts without end, and the usual limits on a clock that is pushed. */
import { connectEngine, type Engine } from '@berth/engine';
import { openSpace, type Space } from '@berth/lab/testing';
import { Scope, systemClock } from '@berth/service';
import { daemonPages, Health, serve } from '@berth/service/http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testParts } from '../testing/program.ts';
import { LifecycleKeeper } from './keeper.ts';

/** Longer than any pause between two repairs, shorter than what is held back. */
const pollMs = 120_000;
const image = 'berth-lab/busybox';
const { signal } = new AbortController();

let space: Space;
let engine: Engine;
let scope: Scope;
beforeAll(async () => {
  space = await openSpace();
  scope = new Scope('storm', () => undefined);
  const endpoint = { kind: 'unix' as const, socketPath: space.host.socketPath };
  engine = connectEngine(scope, { endpoint, env: {} });
});
afterAll(async () => {
  await scope?.close();
  await space?.[Symbol.asyncDispose]();
});

interface Stage {
  readonly keeper: LifecycleKeeper;
  readonly parts: ReturnType<typeof testParts>;
  readonly names: { readonly target: string; readonly anchor: string };
  /** As a scraper reads it, all series together. */
  metric(name: string): Promise<number>;
  push(ms: number): void;
}

async function stage(): Promise<Stage> {
  const parts = testParts();
  let pushedMs = 0;
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + pushedMs };
  const names = { target: space.name('target'), anchor: space.name('target-service-anchor') };
  const [label = '', value = ''] = space.labelled[1].split('=');
  const recipe = {
    target: names.target,
    name: names.anchor,
    image,
    gatewayIp: '172.30.0.2',
    extraEnv: new Map(),
    labels: new Map([[label, value]]),
  };
  const actor = space.name('anchord');
  const self = {
    id: 'f'.repeat(64),
    name: actor,
    image,
    imageId: '',
    gateway: undefined,
    gatewayIsGuess: false,
  };
  // Other tests have containers on this engine.
  const list: Engine['containers']['list'] = async (query, options) =>
    (await engine.containers.list(query, options)).filter(({ labels }) => labels[label] === value);
  const containers = new Proxy(engine.containers, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      return property === 'list' ? list : typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const keeper = new LifecycleKeeper(
    { recipe, reach: { projects: new Set(), selector: [] }, autofix: true, pollMs, actor },
    {
      ...parts,
      clock,
      door: { ...engine, containers, clock: systemClock },
      lookAtSelf: () => Promise.resolve(self),
      settleMs: 50,
    },
  );
  const pages = daemonPages(parts.registry, new Health({}, systemClock));
  const address = await serve(scope, { address: '127.0.0.1:0', pages, log: parts.log, clock: systemClock });
  return {
    keeper,
    parts,
    names,
    async metric(name) {
      const text = await (await fetch(`http://${address}/metrics`)).text();
      const samples = text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'));
      return [...samples].reduce((sum, [, value]) => sum + Number(value), 0);
    },
    push(ms) {
      pushedMs += ms;
    },
  };
}

/** In the namespace of that one. */
async function isTogether({ target, anchor }: Stage['names']): Promise<boolean> {
  const [first, second] = await Promise.all(
    [target, anchor].map(async (name) => {
      const { state } = await engine.containers.inspect(name);
      return state.pid === 0 ? name : await space.host.must(['readlink', `/proc/${state.pid}/ns/net`]);
    }),
  );
  return first === second;
}

describe('a target that comes anew and restarts without end', () => {
  it('keeps its anchor busy ten times and no more, at growing distances; when that is over the anchor is back', async () => {
    const { keeper, parts, names, metric, push } = await stage();
    const renew = async () => {
      await space.host.docker('rm', '--force', names.target);
      await space.start('target', image);
    };
    const restart = () => space.host.docker('restart', '--time', '0', names.target);
    await space.start('target', image);
    /** Until nothing is due before the next poll, or it is held back; answers for how long it waited. */
    const rest = async (): Promise<number> => {
      for (let waitedMs = 0, looks = 0; looks < 20; looks++) {
        const ms = await keeper.look('poll', signal);
        if (ms >= pollMs * 0.9) return waitedMs;
        waitedMs += ms;
        push(ms);
      }
      throw new Error('it does not come to rest');
    };
    const held = 'too many repairs of one container; holding back';
    const timesHeld = () => parts.recording.messages().filter((msg) => msg === held).length;
    const deeds = () => metric('anchord_lifecycle_actions_total');
    const whatIsWrong = () => parts.problems.list().map(({ code }) => code);
    const storm = (round: number) => (round % 2 === 0 ? renew() : restart());
    await rest();
    expect(await isTogether(names)).toBe(true);
    let rounds = 0;
    const pauses: number[] = [];
    for (; timesHeld() === 0 && rounds < 20; rounds++) {
      await storm(rounds);
      pauses.push(await rest());
      if (timesHeld() === 0) expect(await isTogether(names), `round ${rounds}`).toBe(true);
    }
    // The first of the ten was to make it.
    expect(rounds).toBe(10);
    const done = await deeds();
    expect(parts.recording.attrsOf(held)).toMatchObject([{ container: names.anchor, repairs: 10 }]);
    expect(await metric('anchord_lifecycle_held_back_total')).toBe(1);
    expect(whatIsWrong()).toEqual(['repairs-held-back']);
    // Half a minute in the end, less what the round itself took, where a loop would not pause at all.
    expect(Math.max(...pauses.slice(-4))).toBeGreaterThan(10_000);
    for (let more = 0; more < 3; more++) {
      await storm(more);
      await rest();
    }
    expect(await deeds()).toBe(done);
    expect(timesHeld()).toBe(1);
    expect(await isTogether(names)).toBe(false);
    // Nothing happens any more, and nobody calls: the window passes.
    push(600_000);
    await rest();
    expect(await isTogether(names)).toBe(true);
    expect(await deeds()).toBeGreaterThan(done);
    expect(whatIsWrong()).toEqual([]);
    expect(await metric('anchord_lifecycle_held_back_total')).toBe(1);
  });
});
