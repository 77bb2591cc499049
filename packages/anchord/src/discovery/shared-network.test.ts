import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chosenNetwork, pickSharedNetwork, sharedNetworkPicker, standingOn } from './shared-network.ts';

const picker = (ownNetworks: readonly string[], externalNetwork?: string, pin?: string) =>
  sharedNetworkPicker({ ownNetworks, externalNetwork, pin });

describe('shared-network picker', () => {
  it('never takes the external network by itself, and sorts its candidates', () => {
    const picked = picker(['transit', 'lan', 'backend'], 'lan');
    expect(picked.candidates).toEqual(['backend', 'transit']);
  });

  it('prefers a name with transit in it, else the alphabet, as long as it sees no backend', () => {
    expect(picker(['a', 'My_Transit_2', 'my_transit_1']).choice).toEqual({
      kind: 'provisional',
      network: 'My_Transit_2',
    });
    expect(picker(['b', 'a']).choice).toEqual({ kind: 'provisional', network: 'a' });
  });

  it('settles where most backends stand, transit breaking a tie, then the alphabet', () => {
    const start = picker(['a', 'b', 'transit']);
    expect(pickSharedNetwork(start, [['b'], ['b', 'a'], ['transit']]).choice).toEqual({
      kind: 'settled',
      network: 'b',
    });
    expect(chosenNetwork(pickSharedNetwork(start, [['b', 'transit']]))).toBe('transit');
    expect(chosenNetwork(pickSharedNetwork(start, [['b', 'a']]))).toBe('a');
  });

  it('stays provisional while backends stand only where we do not', () => {
    const start = picker(['a', 'lan'], 'lan');
    expect(pickSharedNetwork(start, [['lan'], ['elsewhere'], []])).toEqual(start);
  });

  it('never moves again once it has settled', () => {
    const settled = pickSharedNetwork(picker(['a', 'b']), [['b']]);
    expect(pickSharedNetwork(settled, [['a'], ['a']])).toEqual(settled);
  });

  it('keeps to its pin, even if that is the external network', () => {
    const pinned = picker(['lan', 'transit'], 'lan', 'lan');
    expect(chosenNetwork(pickSharedNetwork(pinned, [['transit']]))).toBe('lan');
  });

  it('refuses a pin that is not one of our networks', () => {
    expect(() => picker(['b', 'a'], undefined, 'c')).toThrow(
      'ANCHORD_SHARED_NETWORK="c" not present on self (have a, b)',
    );
  });

  it('has no choice when the external network is all there is', () => {
    const alone = picker(['lan'], 'lan');
    expect(chosenNetwork(pickSharedNetwork(alone, [['lan']]))).toBeUndefined();
  });

  it('guesses anew when it stands on other networks, and keeps what it has settled on or is pinned to', () => {
    const on = (...ownNetworks: readonly string[]) => ({ ownNetworks, externalNetwork: 'lan' });
    const guess = standingOn(picker(['b', 'lan'], 'lan'), on('lan', 'b', 'a'));
    expect(guess).toEqual({ candidates: ['a', 'b'], choice: { kind: 'provisional', network: 'a' } });
    expect(standingOn(guess, on('lan')).choice).toEqual({ kind: 'none' });
    expect(chosenNetwork(standingOn(picker(['lan'], 'lan'), on('lan', 'late')))).toBe('late');
    const settled = pickSharedNetwork(guess, [['b']]);
    expect(standingOn(settled, on('lan', 'a', 'c'))).toEqual({
      candidates: ['a', 'c'],
      choice: { kind: 'settled', network: 'b' },
    });
    expect(standingOn(settled, on('a', 'b'))).toBe(settled);
    const pinned = picker(['lan', 'b'], 'lan', 'b');
    expect(standingOn(pinned, on('lan', 'a')).choice).toEqual({ kind: 'pinned', network: 'b' });
  });

  it('changes its choice at most once, whatever it sees', () => {
    const name = fc.constantFrom('a', 'b', 'c-transit', 'lan', 'foreign');
    const sighting = fc.array(fc.array(name, { maxLength: 4 }), { maxLength: 4 });
    fc.assert(
      fc.property(fc.array(sighting, { maxLength: 8 }), (observations) => {
        let at = picker(['lan', 'c-transit', 'b', 'a'], 'lan');
        const choices = [chosenNetwork(at)];
        for (const observation of observations) {
          at = pickSharedNetwork(at, observation);
          if (choices.at(-1) !== chosenNetwork(at)) choices.push(chosenNetwork(at));
        }
        expect(choices.length).toBeLessThanOrEqual(2);
      }),
    );
  });
});
