import { describe, expect, it } from 'vitest';
import { container } from '../testing/containers.ts';
import type { ObservedContainer } from './container.ts';
import { ObservedWorld } from './observed-world.ts';
import { sharedNetworkPicker } from './shared-network.ts';

const picker = sharedNetworkPicker({ ownNetworks: ['transit'], externalNetwork: undefined, pin: undefined });

const worldOf = (...containers: readonly ObservedContainer[]): ObservedWorld => {
  const world = new ObservedWorld();
  world.replace(containers);
  return world;
};

const addresses = (world: ObservedWorld) => world.discover(picker).backends.map(({ ipv4 }) => ipv4);

const id = (digit: string) => digit.repeat(64);

describe('observed world', () => {
  it('follows one container at a time as well as a whole list', () => {
    const smtp = container('smtp').exposing('tcp/25').on('transit', '10.0.0.5');
    const imap = container('imap').exposing('tcp/143').on('transit', '10.0.0.6');
    const world = worldOf(smtp);
    world.put(imap);
    world.put(smtp.on('transit', '10.0.0.9'));
    expect(addresses(world).sort()).toEqual(['10.0.0.6', '10.0.0.9']);
    world.drop(smtp.id);
    expect(addresses(world)).toEqual(['10.0.0.6']);
    world.replace([smtp]);
    expect(addresses(world)).toEqual(['10.0.0.5']);
  });

  it('does not let a container without ports, such as our own, decide about the shared network', () => {
    const start = sharedNetworkPicker({
      ownNetworks: ['a', 'b'],
      externalNetwork: undefined,
      pin: undefined,
    });
    const world = worldOf();
    world.put(container('anchord').on('a', '10.0.1.1').on('b', '10.0.2.1'));
    expect(world.discover(start).picker.choice.kind).toBe('provisional');
    world.put(container('web').exposing('tcp/80').on('b', '10.0.2.2'));
    expect(world.discover(start).picker.choice).toEqual({ kind: 'settled', network: 'b' });
  });

  it('drops a container that no longer runs', () => {
    const smtp = container('smtp').exposing('tcp/25').on('transit', '10.0.0.5');
    const world = worldOf(smtp);
    world.put(Object.assign(container('smtp'), { running: false }));
    expect(world.has(smtp.id)).toBe(false);
  });

  it('looks a reference up again when its target changes, by id, by name, or when it appears at last', () => {
    const target = Object.assign(container('app').on('transit', '10.0.0.7'), { id: id('a') });
    const byName = container('one').exposing('tcp/1').joining('app');
    const byId = container('two').exposing('tcp/2').joining(id('a'));
    const byShortId = container('three').exposing('tcp/3').joining('aaaaaaaaaaaa');
    const world = worldOf(byName, byId, byShortId);
    expect(world.unresolved().size).toBe(3);
    for (const ref of world.unresolved()) world.learn(ref, undefined);
    expect(addresses(world)).toEqual([]);

    expect(world.forgetReferencesTo({ id: target.id, name: 'app' })).toBe(true);
    expect(world.unresolved().size).toBe(3);
    for (const ref of world.unresolved()) world.learn(ref, target);
    expect(addresses(world)).toEqual(['10.0.0.7', '10.0.0.7', '10.0.0.7']);

    expect(world.forgetReferencesTo({ id: id('b'), name: 'other' })).toBe(false);
    expect(world.forgetReferencesTo({ id: target.id, name: undefined })).toBe(true);
    expect(world.unresolved().size).toBe(3);
  });
});
