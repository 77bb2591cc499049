import { parseMac } from '@berth/kernel/ip';
import { describe, expect, it } from 'vitest';
import { derivedMac, type ObservedLink, planMacvlan } from './macvlan.ts';

const child = { name: 'anchord-ext', parent: 'eth0.42', mac: parseMac('02:42:aa:bb:cc:dd') };

const link = (changes: Partial<ObservedLink>): ObservedLink => ({
  index: 5,
  name: 'anchord-ext',
  mac: parseMac('02:42:AA:bb:cc:dd'),
  up: true,
  kind: 'macvlan',
  macvlanMode: 'bridge',
  parent: 2,
  ...changes,
});
const parent = link({ index: 2, name: 'eth0.42', kind: 'vlan', macvlanMode: undefined, parent: 1 });
const create = { kind: 'create', child, parent: 2 };

describe('self-made macvlan', () => {
  it('waits for its parent', () => {
    expect(planMacvlan([link({})], child)).toEqual({ kind: 'parent-missing' });
  });

  it.each([
    ['is made when it is missing', [parent], [create]],
    ['is left alone when it is right', [parent, link({})], []],
    ['is set up when it is down', [parent, link({ up: false })], [{ kind: 'set-up', index: 5 }]],
    [
      'is made anew with another MAC',
      [parent, link({ mac: parseMac('02:42:00:00:00:00') })],
      [{ kind: 'delete', index: 5 }, create],
    ],
    [
      'is made anew in another mode',
      [parent, link({ macvlanMode: 'private' })],
      [{ kind: 'delete', index: 5 }, create],
    ],
    ['is made anew on another parent', [parent, link({ parent: 1 })], [{ kind: 'delete', index: 5 }, create]],
    [
      'is made anew as another kind',
      [parent, link({ kind: 'veth' })],
      [{ kind: 'delete', index: 5 }, create],
    ],
  ])('%s', (_, links, steps) => {
    expect(planMacvlan(links, child)).toEqual({ kind: 'steps', steps });
  });

  it('has a MAC that depends on the project alone, as deployed reservations expect it', () => {
    // printf 'anchord:mail' | sha256sum
    expect(derivedMac('mail')).toBe('02:42:4b:1f:af:cf');
    expect(derivedMac('mail')).not.toBe(derivedMac('web'));
  });
});
