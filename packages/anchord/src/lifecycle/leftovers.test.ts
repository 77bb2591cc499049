import { describe, expect, it } from 'vitest';
import { life } from '../testing/life.ts';
import { Leftovers } from './leftovers.ts';

/** Whoever was set aside by an operation of ours, of one that is none, and of one on a container that is out of reach. */
const [ours, theirs, foreign] = ['0a', 'ff', 'fe'].map((mark, at) => {
  const name = `web${at}.berth-${mark.padEnd(16, '0')}.up`;
  return life(name, { isAside: true });
});
const all = [life('web0'), ...[ours, theirs, foreign].filter((one) => one !== undefined)];

describe('what a re-creation has left half done', () => {
  const due = () => {
    let ms = 0;
    const leftovers = new Leftovers({
      now: () => ms,
      isOwn: (operation) => operation.startsWith('0a'),
      isWithinReach: ({ id }) => id !== foreign?.id,
    });
    return (laterMs: number, seen = all) => {
      ms += laterMs;
      return [...leftovers.due(seen)];
    };
  };

  it('is ours to end at once, and that of others once it has stood still for two minutes', () => {
    const after = due();
    expect(after(0)).toEqual([ours?.id]);
    expect(after(119_999)).toEqual([ours?.id]);
    expect(after(1)).toEqual([ours?.id, theirs?.id]);
  });

  it('is not called abandoned for what was there before it', () => {
    const after = due();
    after(0);
    after(60_000, [life('web0')]);
    expect(after(0)).toEqual([ours?.id]);
    expect(after(60_000)).toEqual([ours?.id]);
    expect(after(60_000)).toEqual([ours?.id, theirs?.id]);
  });
});
