import { VirtualClock } from '@berth/service';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeEngine, type Mishap } from '../testing/fake-engine.ts';
import { parseAsideName } from './marks.ts';
import { recoverRecreations } from './recover.ts';
import { recreateContainer } from './recreate.ts';

/** Moves time on as long as the work waits for it. */
async function finished<Result>(clock: VirtualClock, work: Promise<Result>): Promise<Result> {
  let done = false;
  const settled = work.finally(() => {
    done = true;
  });
  settled.catch(() => undefined);
  while (!done) await clock.advance(clock.nextDue === undefined ? 0 : clock.nextDue - clock.monotonic());
  return settled;
}

interface Scenario {
  readonly runs: boolean;
  readonly fits: boolean;
  readonly networks: number;
  readonly moved: boolean;
}

/** A container, and what an attempt to make it anew meets. */
async function given(scenario: Scenario) {
  const clock = new VirtualClock();
  const engine = new FakeEngine(clock);
  engine.images.set('web', 'sha256:1');
  const { id } = await engine.containers.create(
    {
      Image: 'web',
      ExposedPorts: { '25/tcp': {} },
      NetworkingConfig: { EndpointsConfig: { n0: {} } },
      HostConfig: { NetworkMode: 'n0' },
    },
    { name: 'mail' },
  );
  for (let count = 1; count < scenario.networks; count++) await engine.networks.connect(`n${count}`, id);
  if (scenario.runs) await engine.containers.start(id);
  if (scenario.moved) engine.images.set('web', 'sha256:2');
  const door = { ...engine, system: { spokenVersion: () => Promise.resolve({ major: 1, minor: 41 }) } };
  const verify = (): Promise<void> =>
    scenario.fits ? Promise.resolve() : Promise.reject(new Error('does not answer'));
  const attempt = () =>
    finished(
      clock,
      recreateContainer(door, { container: id, operation: 'op0001' }, { settleMs: 10, verify }).catch(
        (error: unknown) => error,
      ),
    );
  const recover = () =>
    finished(
      clock,
      recoverRecreations(engine, () => true, { settleMs: 10, verify }),
    );
  return { engine, clock, id, attempt, recover };
}

const scenario = fc.record({
  runs: fc.boolean(),
  fits: fc.boolean(),
  networks: fc.integer({ min: 1, max: 3 }),
  moved: fc.boolean(),
});
const mishaps = fc.array(
  fc.constantFrom<Mishap>(undefined, undefined, 'unreachable', 'lost request', 'lost answer'),
  {
    maxLength: 40,
  },
);

it('where nothing goes wrong, the new one takes over', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (what) => {
      const { engine, id, attempt } = await given({ ...what, fits: true });
      expect(await attempt()).toMatchObject({ oldId: id, name: 'mail', leftover: undefined });
      expect(engine.everything).toMatchObject([{ name: 'mail', state: { running: what.runs } }]);
      expect(engine.everything[0]?.id).not.toBe(id);
    }),
  );
});

it('where the engine makes something else of the image, whatever it is called, the old one stays', async () => {
  const { engine, id, attempt } = await given({ runs: true, fits: true, networks: 1, moved: true });
  engine.images.set('sha256:1', 'sha256:3');
  expect(await attempt()).toMatchObject({
    code: 'ENGINE_RECREATE_FAILED',
    message: expect.stringContaining('sha256:1 became sha256:3'),
  });
  expect(engine.everything).toMatchObject([{ id, name: 'mail', state: { running: true } }]);
});

describe('whatever goes wrong on the way,', () => {
  it('there is one container in the end, complete, under its name, as up as it was', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, mishaps, fc.boolean(), async (what, list, late) => {
        const { engine, clock, attempt, recover, id } = await given(what);
        let call = 0;
        // Only a creation takes long enough to be given up while it goes on.
        engine.mishap = (what) => (late && what === 'create' ? 'late' : list[call++]);
        const outcome = await attempt();
        engine.mishap = () => undefined;
        await clock.advance(1000);
        const recovered = await recover();
        const problem = JSON.stringify({ outcome: String(outcome), recovered });
        expect([engine.everything.length, problem]).toEqual([1, problem]);
        const [left] = engine.everything;
        expect(left).toMatchObject({ name: 'mail', imageId: 'sha256:1', state: { running: what.runs } });
        expect(Object.keys(left?.attachments ?? {})).toHaveLength(what.networks);
        // A container that is not fit never takes over; one that does not have to run is not looked at.
        if (!what.fits && what.runs) expect(left?.id).toBe(id);
        if (!(outcome instanceof Error)) expect(left?.id).not.toBe(id);
      }),
      { numRuns: 500 },
    );
  });

  it('and wherever this program dies, the next one puts it right, or the same operation ends it', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, fc.nat(60), fc.boolean(), fc.boolean(), async (what, dies, mid, again) => {
        const { engine, attempt, recover } = await given(what);
        let call = 0;
        // From there on nothing arrives any more; the last call may still have been carried out.
        engine.mishap = () => {
          call += 1;
          if (call < dies) return undefined;
          return call === dies && mid ? 'lost answer' : 'lost request';
        };
        await attempt();
        engine.mishap = () => undefined;
        if (again) await attempt();
        await recover();
        expect(engine.everything.map(({ name, state }) => [name, state.running])).toEqual([
          ['mail', what.runs],
        ]);
        expect(Object.keys(engine.everything[0]?.attachments ?? {})).toHaveLength(what.networks);
        expect(engine.everything[0]?.imageId).toBe('sha256:1');
      }),
      { numRuns: 500 },
    );
  });

  it('at no moment both containers run, and none is gone before the other is there', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, mishaps, async (what, list) => {
        const { engine, attempt, recover } = await given(what);
        const wrong: unknown[] = [];
        const look = (): void => {
          const names = engine.everything.map(({ name }) => parseAsideName(name)?.name ?? name);
          const up = engine.everything.filter(({ state }) => state.running);
          if (!names.includes('mail') || up.length > 1) wrong.push(engine.everything);
        };
        let call = 0;
        engine.mishap = () => {
          look();
          return list[call++];
        };
        await attempt();
        engine.mishap = () => void look();
        await recover();
        expect(wrong).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('two operations on one container', () => {
  it('leave one container, whichever of them wins', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat(4)), fc.boolean(), async (latencies, runs) => {
        const { engine, clock, id, recover } = await given({ runs, fits: true, networks: 2, moved: false });
        const door = { ...engine, system: { spokenVersion: () => Promise.resolve({ major: 1, minor: 41 }) } };
        engine.latencyMs = () => latencies.next().value;
        const both = ['first1', 'second'].map((operation) =>
          recreateContainer(door, { container: id, operation }, { settleMs: 1 }).catch(
            (error: unknown) => error,
          ),
        );
        await finished(clock, Promise.all(both));
        engine.latencyMs = () => 0;
        await recover();
        expect(engine.everything.map(({ name, state }) => [name, state.running])).toEqual([['mail', runs]]);
      }),
      { numRuns: 500 },
    );
  });
});
