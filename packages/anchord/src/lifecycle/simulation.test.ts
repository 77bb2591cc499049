/**
 * Random histories, where others act also between two calls of a repair; calls are lost, and so are looks, as when events
 * are. Whenever the others rest, the anchors have to come to rest as well, everything has to sit where it belongs, and
 * nothing foreign may have been touched. The seed is BERTH_SEED; a failure names the history that failed.
 */
import { seededRandom } from '@berth/service';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simKeeper, simRebinder } from '../testing/sim-anchors.ts';
import { expectInOrder, SimWorld } from '../testing/sim-world.ts';

const seed = fc.readConfigureGlobal().seed ?? 0;
const histories = 500;
const stepsOfEach = 400;

describe('anchors in a world that does not rest', () => {
  it('come to rest whenever it does, with everything in its place and nothing foreign touched', async () => {
    let steps = 0;
    let repairs = 0;
    for (let history = 0; history < histories; history++) {
      const random = seededRandom(seed * 1_000 + history);
      const world = new SimWorld(random);
      const keeper = simKeeper(world.host, { gateway: () => world.gateway });
      const rebinder = simRebinder(world.host);
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
        await keeper.rest();
        await rebinder.rest();
        world.host.onCall = () => 'done';
        // An operation of somebody whom we do not know is left alone for two minutes.
        for (let round = 0; round < 2; round++) {
          expect(await keeper.rest(), say('the keeper does not rest')).toBe(true);
          expect(await rebinder.rest(), say('the rebinder does not rest')).toBe(true);
        }
        const before = world.host.deeds.length;
        await keeper.rest();
        await rebinder.rest();
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
