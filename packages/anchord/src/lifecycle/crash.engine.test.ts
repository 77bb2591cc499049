/** A repair on a real engine: its anchor is killed before and after each call, and the engine restarts in the middle. */
import { connectEngine, type Engine, parseAsideName } from '@berth/engine';
import { startEngine } from '@berth/lab';
import { openSpace, type Space, waitFor } from '@berth/lab/testing';
import { Scope, systemClock } from '@berth/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testParts } from '../testing/program.ts';
import { WrapRebinder } from './wrap/rebinder.ts';

const pollMs = 30_000;
const { signal } = new AbortController();

let space: Space;
let engine: Engine;
let scope: Scope;
beforeAll(async () => {
  space = await openSpace();
  scope = new Scope('crash points', () => undefined);
  const endpoint = { kind: 'unix' as const, socketPath: space.host.socketPath };
  engine = connectEngine(scope, { endpoint, env: {} });
});
afterAll(async () => {
  await scope?.close();
  await space?.[Symbol.asyncDispose]();
});

/** What happens before each call, and after each one that changes something; true: nothing is ever heard of it again. */
type Hook = (point: number) => Promise<boolean>;

const never = (): Promise<never> => new Promise<never>(() => undefined);

/** Every call of a noun goes through the hook. */
function hooked<Noun extends object>(noun: Noun, hook: Hook, counter: { points: number }): Noun {
  return new Proxy(noun, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== 'function') return member;
      return async (...args: readonly unknown[]): Promise<unknown> => {
        if (await hook(counter.points++)) return await never();
        const result: unknown = await Reflect.apply(member, target, args);
        // After a question nothing has changed: that death is the one before the next call.
        if (property === 'inspect' || property === 'list') return result;
        return (await hook(counter.points++)) ? await never() : result;
      };
    },
  });
}

function rebinder(hook: Hook, counter = { points: 0 }): WrapRebinder {
  const containers = hooked(engine.containers, hook, counter);
  return new WrapRebinder(
    { project: space.id, selfId: 'f'.repeat(64), actor: 'rebinder-1', pollMs, graceMs: 1_000 },
    {
      ...testParts(),
      clock: systemClock,
      door: { ...engine, containers, clock: systemClock },
      onLooked: () => undefined,
      settleMs: 50,
      limits: { firstPauseMs: 0, longestPauseMs: 0, most: 1_000 },
    },
  );
}

const undisturbed: Hook = () => Promise.resolve(false);

async function rest(one: WrapRebinder): Promise<void> {
  for (let look = 0; look < 20; look++) {
    const ms = await one.look('poll', signal).catch(() => 0);
    if (ms >= pollMs * 0.9) return;
  }
  throw new Error('it does not come to rest');
}

const label = () => ['--label', `com.docker.compose.project=${space.id}`];
const run = (name: string, ...args: readonly string[]) => space.start(name, ...args, 'berth-lab/busybox');
const renew = async (): Promise<void> => {
  await space.host.docker('rm', '--force', space.name('target'));
  await run('target');
};

async function expectTogether(): Promise<void> {
  const [target, web] = await Promise.all([
    engine.containers.inspect(space.name('target')),
    engine.containers.inspect(space.name('web')),
  ]);
  expect(web.state.status).toBe('running');
  const namespaceOf = (pid: number) => space.host.must(['readlink', `/proc/${pid}/ns/net`]);
  expect(await namespaceOf(web.state.pid)).toBe(await namespaceOf(target.state.pid));
  const all = await engine.containers.list({ all: true });
  const asides = all
    .flatMap(({ names }) => names)
    .filter((name) => parseAsideName(name)?.name === space.name('web'));
  expect(asides).toEqual([]);
}

describe('a wrap container that is made anew on a real engine', () => {
  it('comes through its anchor being killed at every call', async () => {
    await run('target');
    await run(
      'web',
      ...label(),
      ...[
        '--restart',
        'unless-stopped',
        // It ends at once, so that each of the many rounds does.
        '--stop-signal',
        'KILL',
        '--network',
        `container:${space.name('target')}`,
      ],
    );
    await rest(rebinder(undisturbed));
    await renew();
    const counter = { points: 0 };
    await rest(rebinder(undisturbed, counter));
    await expectTogether();
    expect(counter.points).toBeGreaterThan(20);
    let killed = 0;
    for (let at = 0; at < counter.points; at++) {
      await renew();
      const death = Promise.withResolvers<'dead'>();
      let dead = false;
      const hook: Hook = (point) => {
        dead ||= point >= at;
        if (dead) death.resolve('dead');
        return Promise.resolve(dead);
      };
      const outcome = await Promise.race([rest(rebinder(hook)), death.promise]);
      if (outcome === 'dead') killed += 1;
      await rest(rebinder(undisturbed));
      await expectTogether();
    }
    process.stdout.write(`  crash points on a real engine: ${killed}\n`);
    expect(killed).toBeGreaterThan(20);
  }, 1_200_000);

  it('comes through a restart of the engine in the middle', async () => {
    await renew();
    let restarted = false;
    const hook: Hook = async () => {
      const aside = (await engine.containers.list({ all: true })).some(
        ({ names }) => parseAsideName(names[0] ?? '')?.name === space.name('web'),
      );
      if (!aside || restarted) return false;
      restarted = true;
      const pid = (await space.host.must(['cat', '/run/docker.pid'])).trim();
      await space.host.must(['kill', '-TERM', pid]);
      const gone = async () => (await space.host.exec(['kill', '-0', pid])).code !== 0;
      await waitFor('the end of the engine', gone, { timeoutMs: 60_000, everyMs: 50 });
      await startEngine(space.host);
      return false;
    };
    await rest(rebinder(hook));
    expect(restarted).toBe(true);
    // Nobody has told the target to start with the engine.
    await space.host.docker('start', space.name('target'));
    await rest(rebinder(undisturbed));
    await expectTogether();
  });
});
