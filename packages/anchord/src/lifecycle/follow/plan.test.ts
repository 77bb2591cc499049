import { describe, expect, it } from 'vitest';
import { type FollowState, type Membership, planFollow, planSettle, type Settling } from './plan.ts';

const free: FollowState = { parked: false, inhabited: undefined };
const parked: FollowState = { ...free, parked: true };
const seen = (attached: boolean, foreign: number, abandoned = false): Membership => ({
  networkId: 'n1',
  attached,
  storedId: attached ? 'n1' : 'n0',
  foreign,
  abandoned,
});
const wordOf = ({ action }: ReturnType<typeof planFollow>) =>
  'word' in action ? `${action.do} ${action.word}` : action.do;

describe('a follower', () => {
  it.each([
    ['bootstrap', free, seen(true, 2), 'say attached', false],
    ['bootstrap', free, seen(true, 0), 'say attached', false],
    ['bootstrap', free, seen(true, 0, true), 'release', false],
    ['bootstrap', free, seen(false, 2), 'reattach divergence', false],
    ['bootstrap', free, seen(false, 0), 'say empty', true],
    ['bootstrap', free, undefined, 'nothing', true],
    ['create', free, seen(false, 0), 'settle created', false],
    ['destroy', free, undefined, 'say destroyed', true],
    ['connect', free, seen(true, 1), 'nothing', false],
    ['connect', parked, seen(false, 1), 'settle returning', true],
    ['disconnect', parked, seen(false, 0), 'nothing', true],
    ['disconnect', free, undefined, 'nothing', false],
    ['disconnect', free, seen(false, 0), 'say released', true],
    ['disconnect', free, seen(true, 2), 'nothing', false],
    ['disconnect', free, seen(true, 0), 'release', false],
    ['poll', free, undefined, 'say destroyed', true],
    ['poll', parked, undefined, 'nothing', true],
    ['poll', free, seen(true, 2), 'nothing', false],
    ['poll', free, seen(true, 0), 'nothing', false],
    ['poll', free, seen(true, 0, true), 'release', false],
    ['poll', free, seen(false, 0, true), 'say released', true],
    ['poll', { parked: false, inhabited: 'n1' }, seen(true, 0), 'release', false],
    ['poll', free, seen(false, 2), 'settle missed', false],
    ['poll', parked, seen(false, 2), 'settle missed', true],
    ['poll', parked, seen(false, 0), 'nothing', true],
  ] as const)('on %s, %j, seeing %j, does "%s"', (trigger, state, membership, action, isParked) => {
    const decision = planFollow(trigger, state, membership);
    expect(wordOf(decision)).toBe(action);
    expect(decision.state.parked).toBe(isParked);
  });

  it('remembers on which network others were seen, and does not blame a new one', () => {
    const { state } = planFollow('poll', free, seen(true, 2));
    expect(state.inhabited).toBe('n1');
    expect(wordOf(planFollow('poll', state, { ...seen(true, 0), networkId: 'n2' }))).toBe('nothing');
  });
});

describe('a network that comes back', () => {
  const limits = { quietMs: 3_000, longestMs: 90_000 };
  const settle = (counts: readonly number[]) => {
    let settling: Settling | undefined;
    return counts.map((foreign, second) => {
      const step = planSettle(settling, foreign, second * 1_000, limits);
      settling = step.settling;
      return step.outcome;
    });
  };

  it('has settled when somebody is there and nobody came for three seconds', () => {
    expect(settle([0, 0, 1, 2, 2, 2, 2])).toEqual(['wait', 'wait', 'wait', 'wait', 'wait', 'wait', 'ready']);
    expect(settle([2, 2, 2, 2]).at(-1)).toBe('ready');
  });

  it('is not waited for longer than ninety seconds, empty or restless', () => {
    expect(settle(new Array(92).fill(0)).indexOf('timed out')).toBe(90);
    expect(settle(Array.from({ length: 92 }, (_, at) => (at % 2) + 1)).indexOf('timed out')).toBe(90);
  });
});
