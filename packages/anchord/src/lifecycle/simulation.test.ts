/**
 * Random histories: containers are created, started, ended, removed, renamed and restarted by others at any moment, also
 * between two calls of a repair; calls are lost, and so are looks, as when events are. Whenever the others rest, the
 * anchors have to come to rest as well, everything has to sit where it belongs, and nothing foreign may have been touched.
 * The seed is BERTH_SEED; a failure names the history that failed.
 */
import { parseAsideName } from '@berth/engine';
import { seededRandom } from '@berth/service';
import { describe, expect, it } from 'vitest';
import { ofProject } from '../testing/life.ts';
import { recipe, simKeeper, simRebinder } from '../testing/sim-anchors.ts';
import { type SimContainer, SimHost } from '../testing/sim-host.ts';

const seed = Number(process.env['BERTH_SEED'] ?? '20261') || 20_261;
const histories = 500;
const stepsOfEach = 400;

const [mail, wrap, other] = ['mail', 'wrap', 'other'].map((project) => ofProject(project));

class World {
  readonly host = new SimHost();
  readonly keeper = simKeeper(this.host, { gateway: () => this.gateway });
  readonly rebinder = simRebinder(this.host);
  readonly random: () => number;
  gateway = '172.30.0.2';
  troubles = 0;

  constructor(random: () => number) {
    this.random = random;
    for (const name of ['target', 'owner', 'stranger'])
      this.spawn(name, name === 'owner' ? mail : name === 'stranger' ? other : {});
    this.spawn('app', mail, 'container:owner');
    this.spawn('guest', other, 'container:stranger');
    for (const name of ['wrap1', 'wrap2']) this.spawn(name, { ...wrap }, 'container:target');
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.random() * items.length)];
  }

  spawn(name: string, labels: Readonly<Record<string, string>> | undefined, mode = 'bridge'): void {
    if (this.host.named(name) !== undefined) return;
    const made = this.host.make(name, { labels: labels ?? {}, mode });
    this.try(() => this.host.start(made));
  }

  /** What somebody else tries may fail. */
  try(deed: () => void): void {
    try {
      deed();
    } catch {
      this.troubles += 1;
    }
  }

  /** One thing that somebody else does. Names of what is set aside are nobody's to know. */
  stir(): void {
    const known = [...this.host.all.values()].filter(({ name }) => !name.includes('.berth-'));
    const one = this.pick(known);
    const kind = this.random();
    if (kind < 0.1) this.spawn('target', {});
    else if (kind < 0.15) this.spawn('owner', mail);
    else if (kind < 0.2) this.spawn('stranger', other);
    else if (kind < 0.25) this.spawn('dependent', mail, `container:${recipe.name}`);
    else if (kind < 0.3) this.spawn('app', mail, 'container:owner');
    else if (kind < 0.33) this.gateway = `172.30.0.${2 + Math.floor(this.random() * 3)}`;
    else if (kind < 0.36) this.restartEngine();
    else if (one === undefined) return;
    else if (kind < 0.6) this.try(() => this.host.restart(one));
    else if (kind < 0.75) this.host.stop(one);
    else if (kind < 0.85) this.try(() => this.host.start(one));
    else if (kind < 0.97) this.host.all.delete(one.id);
    else this.try(() => this.host.rename(one, `${one.name}x`.slice(0, 12)));
  }

  /** Docker starts them in whatever order. */
  restartEngine(): void {
    const ran = [...this.host.all.values()].filter(({ status }) => status === 'running');
    for (const one of ran) this.host.stop(one);
    for (const one of ran.sort(() => this.random() - 0.5)) this.try(() => this.host.start(one));
  }
}

const isForeign = ({ name, labels }: SimContainer): boolean =>
  labels['com.docker.compose.project'] === 'other' || /^(stranger|guest|target|owner)x*$/.test(name);

function expectInOrder({ host }: World): void {
  const all = [...host.all.values()];
  // Whoever took the name of a container that is being replaced keeps it, and nobody else's is removed for that.
  const aside = all.filter(({ name }) => {
    const plain = parseAsideName(name)?.name;
    return plain !== undefined && host.named(plain) === undefined;
  });
  expect(aside.map(({ name }) => name)).toEqual([]);
  // A start that somebody else has tried, and that failed for want of its owner, may be tried again.
  const touched = host.deeds.filter(
    ({ call, container }) =>
      isForeign(container) && !(call === 'start' && container.mode.startsWith('container:')),
  );
  expect(touched.map(({ call, container }) => `${call} ${container.name}`)).toEqual([]);
  const target = host.named('target');
  if (target?.status === 'running') {
    const anchor = host.named(recipe.name);
    expect(`${anchor?.status} ${anchor?.namespace}`).toBe(`running ${target.namespace}`);
  }
  for (const one of all) {
    const reference = /^container:(.*)$/.exec(one.mode)?.[1];
    const owner = reference === undefined ? undefined : host.seek(reference);
    const isOurs = ['mail', 'wrap'].includes(one.labels['com.docker.compose.project'] ?? '');
    if (isOurs && one.status === 'running' && owner?.status === 'running')
      expect(`${one.name} in ${one.namespace}`).toBe(`${one.name} in ${owner.namespace}`);
  }
}

describe('anchors in a world that does not rest', () => {
  it('come to rest whenever it does, with everything in its place and nothing foreign touched', async () => {
    let steps = 0;
    let repairs = 0;
    for (let history = 0; history < histories; history++) {
      const random = seededRandom(seed * 1_000 + history);
      const world = new World(random);
      const say = (what: string) => `history ${history} of seed ${seed}: ${what}`;
      for (let step = 0; step < stepsOfEach; step++) {
        steps += 1;
        world.stir();
        if (random() > 0.02) continue;
        // In the middle of a repair others go on, and calls get lost.
        world.host.onCall = () => {
          if (random() < 0.1) world.stir();
          const fate = random();
          return fate < 0.02 ? 'lost request' : fate < 0.04 ? 'lost answer' : 'done';
        };
        await world.keeper.rest();
        await world.rebinder.rest();
        world.host.onCall = () => 'done';
        // An operation of somebody whom we do not know is left alone for two minutes.
        for (let round = 0; round < 2; round++) {
          expect(await world.keeper.rest(), say('the keeper does not rest')).toBe(true);
          expect(await world.rebinder.rest(), say('the rebinder does not rest')).toBe(true);
        }
        const before = world.host.deeds.length;
        await world.keeper.rest();
        await world.rebinder.rest();
        expect(world.host.deeds.length, say('somebody is never content')).toBe(before);
        repairs += before;
        try {
          expectInOrder(world);
        } catch (error) {
          throw new Error(say('not in order'), { cause: error });
        }
        world.host.deeds.length = 0;
      }
    }
    process.stdout.write(`  simulated steps: ${steps}, deeds of the anchors: ${repairs}, seed ${seed}\n`);
    expect(steps).toBe(histories * stepsOfEach);
  }, 300_000);
});
