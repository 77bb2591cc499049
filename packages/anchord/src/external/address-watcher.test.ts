import { parseIp } from '@berth/kernel/ip';
import type { InterfaceAddress } from '@berth/kernel/network';
import { describe, expect, it } from 'vitest';
import { testParts } from '../testing/program.ts';
import { AddressWatcher } from './address-watcher.ts';

const address = (text: string, scope = 'global'): InterfaceAddress =>
  ({ link: 2, address: parseIp(text), scope }) as InterfaceAddress;

function watcher() {
  const { recording, problems, log } = testParts();
  const state = { link: 2 as number | undefined, addresses: [] as readonly InterfaceAddress[] };
  const network = { addresses: { list: () => [...state.addresses] } } as never;
  const clock = { nowMs: 0, monotonic: () => clock.nowMs };
  const watch = new AddressWatcher({ network, clock, log, problems }, () => state.link);
  const seen = (...texts: readonly string[]) => {
    state.addresses = texts.map((text) => address(text));
    watch.look();
  };
  return { recording, problems, clock, state, watch, seen };
}

describe('the external address', () => {
  it('is told when it is another one, and not when it is the same again', () => {
    const { recording, seen } = watcher();
    seen('10.99.0.40');
    seen('10.99.0.40');
    seen('10.99.0.150', '10.99.0.40');
    expect(recording.attrsOf('external IPv4 changed')).toEqual([
      { old: '', new: '10.99.0.40' },
      { old: '10.99.0.40', new: '10.99.0.150' },
    ]);
  });

  it('tells a loss once, and is a problem until there is one again, in either family', () => {
    const { recording, problems, seen } = watcher();
    seen('10.99.0.40');
    seen();
    seen();
    expect(recording.attrsOf('external IPv4 lost')).toEqual([{ old: '10.99.0.40' }]);
    expect(problems.of('no-external-address')).toHaveLength(1);
    seen('fd99::40');
    expect(problems.of('no-external-address')).toEqual([]);
    seen('10.99.0.40');
    // The one that it had: nothing has changed for anybody.
    expect(recording.attrsOf('external IPv4 changed')).toHaveLength(1);
  });

  it('is none where the interface is not there, or has nothing but an address of the link', () => {
    const { problems, state, watch } = watcher();
    state.addresses = [address('fe80::1', 'link')];
    watch.look();
    expect(problems.of('no-external-address')).toHaveLength(1);
    state.link = undefined;
    state.addresses = [address('10.99.0.40')];
    watch.look();
    expect(problems.of('no-external-address')).toHaveLength(1);
  });

  it('is missed in the log, once, when it stays away', () => {
    const { recording, clock, state, watch, seen } = watcher();
    const missed = () => recording.attrsOf('external interface has no address').map(({ err }) => err);
    seen();
    clock.nowMs = 9_999;
    seen();
    expect(missed()).toEqual([]);
    clock.nowMs = 10_000;
    seen();
    seen();
    expect(missed()).toEqual(['neither IPv4 nor IPv6']);
    seen('fd99::40');
    state.link = undefined;
    clock.nowMs = 20_000;
    watch.look();
    clock.nowMs = 50_000;
    watch.look();
    expect(missed()).toEqual(['neither IPv4 nor IPv6', 'there is no such interface']);
  });

  it('says in which families clients may come', () => {
    const { watch, seen } = watcher();
    seen('10.99.0.40');
    expect(watch.inUse).toEqual({ v4: true, v6: false });
    seen('10.99.0.40', 'fd99::40');
    expect(watch.inUse).toEqual({ v4: true, v6: true });
  });
});
