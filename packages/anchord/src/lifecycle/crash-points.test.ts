/**
 * An anchor is killed before and after every single call of every repair; the next one brings everything to its end. The
 * calls are counted from a run that nobody disturbs, so a new call is a new pair of crash points.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { ofProject } from '../testing/life.ts';
import { recipe, type SimAnchor, simKeeper, simRebinder } from '../testing/sim-anchors.ts';
import { type SimContainer, SimHost } from '../testing/sim-host.ts';

interface Story {
  readonly anchor: (host: SimHost) => SimAnchor;
  /** Everything in order, as an anchor leaves it. */
  readonly before: (host: SimHost) => void;
  readonly trouble: (host: SimHost) => void;
  /** Names of all that has to run in the end, by the owner of the namespace in which it has to sit. */
  readonly together: Readonly<Record<string, readonly string[]>>;
}

const mail = ofProject('mail');
const wrap = ofProject('wrap');
const run = (host: SimHost, name: string, more: Partial<SimContainer> = {}): SimContainer => {
  const made = host.make(name, more);
  host.start(made);
  return made;
};
const gone = (host: SimHost, name: string): void => void host.all.delete(host.find(name).id);
const target = (host: SimHost): SimContainer => run(host, 'target');
const managed = (host: SimHost) => simKeeper(host);
const withDependents = (host: SimHost): void => {
  for (const name of ['one', 'two']) run(host, name, { mode: `container:${recipe.name}`, labels: mail });
};

const stories: Readonly<Record<string, Story>> = {
  'a managed service-anchor is made': {
    anchor: managed,
    before: () => undefined,
    trouble: target,
    together: { target: [recipe.name] },
  },
  'its target is made anew, and two dependents hang on it': {
    anchor: managed,
    before: target,
    trouble: (host) => {
      withDependents(host);
      gone(host, 'target');
      target(host);
    },
    together: { target: [recipe.name, 'one', 'two'] },
  },
  'its target is restarted in place': {
    anchor: managed,
    before: target,
    trouble: (host) => {
      withDependents(host);
      host.restart(host.find('target'));
    },
    together: { target: [recipe.name, 'one', 'two'] },
  },
  'siblings wait, and one was given up by Docker': {
    anchor: managed,
    before: (host) => {
      target(host);
      run(host, 'owner', { labels: mail });
      host.make('late', { mode: 'container:owner', labels: mail });
      run(host, 'early', { mode: 'container:owner', labels: mail });
    },
    trouble: (host) => {
      const early = host.find('early');
      const owner = host.find('owner');
      for (const one of [early, owner]) host.stop(one);
      expect(() => host.start(early)).toThrow('cannot join');
      host.start(owner);
    },
    together: { owner: ['late', 'early'], target: [recipe.name] },
  },
  'the target of two wrap containers is made anew': {
    anchor: (host) => simRebinder(host),
    before: (host) => {
      target(host);
      for (const name of ['wrap1', 'wrap2'])
        run(host, name, { mode: 'container:target', labels: { ...wrap, 'anchord.wrap-target': 'target' } });
    },
    trouble: (host) => {
      gone(host, 'target');
      target(host);
    },
    together: { target: ['wrap1', 'wrap2'] },
  },
};

async function stage(story: Story): Promise<SimHost> {
  const host = new SimHost();
  story.before(host);
  expect(await story.anchor(host).rest()).toBe(true);
  run(host, 'stranger', { labels: ofProject('other') });
  story.trouble(host);
  host.calls = 0;
  host.deeds.length = 0;
  return host;
}

function expectTogether(host: SimHost, { together }: Story): void {
  const names = [...Object.keys(together), ...Object.values(together).flat(), 'stranger'];
  expect([...host.all.values()].map(({ name }) => name).sort()).toEqual([...new Set(names)].sort());
  for (const [owner, members] of Object.entries(together))
    for (const name of members) {
      expect(`${name} ${host.find(name).status}`).toBe(`${name} running`);
      expect(host.find(name).namespace).toBe(host.find(owner).namespace);
    }
  expect(host.deeds.filter(({ container }) => container.name === 'stranger')).toEqual([]);
}

/** Lets everything that can go on go on; a dead anchor never does. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('an anchor that is killed in the middle of a repair', () => {
  let points = 0;
  afterAll(() => void process.stdout.write(`  crash points of the repairs: ${points}\n`));

  it.each(Object.entries(stories))('is followed by one that ends it: %s', async (_, story) => {
    const undisturbed = await stage(story);
    expect(await story.anchor(undisturbed).rest()).toBe(true);
    expectTogether(undisturbed, story);
    const { calls } = undisturbed;
    expect(calls).toBeGreaterThan(5);
    for (let at = 1; at <= calls; at++) {
      for (const death of ['death before', 'death after'] as const) {
        const host = await stage(story);
        host.onCall = (_call, number) => (number === at ? death : 'done');
        let ended = false;
        void story
          .anchor(host)
          .rest()
          .then(() => {
            ended = true;
          });
        for (let turns = 0; turns < 10 && !ended; turns++) await breathe();
        host.onCall = () => 'done';
        expect(await story.anchor(host).rest()).toBe(true);
        expectTogether(host, story);
        points += 1;
      }
    }
  });

  it.each(
    Object.entries(stories),
  )('gets over a lost request and a lost answer at every call: %s', async (_, story) => {
    const { calls } = await (async () => {
      const host = await stage(story);
      await story.anchor(host).rest();
      return host;
    })();
    for (let at = 1; at <= calls; at++) {
      for (const fate of ['lost request', 'lost answer'] as const) {
        const host = await stage(story);
        host.onCall = (_call, number) => (number === at ? fate : 'done');
        await story.anchor(host).rest();
        expect(await story.anchor(host).rest()).toBe(true);
        expectTogether(host, story);
      }
    }
  });
});
