import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { container } from '../testing/containers.ts';
import { discover, unresolvedReferences } from './backends.ts';
import type { ObservedContainer } from './container.ts';
import { type SharedNetworkPicker, sharedNetworkPicker, standingOn } from './shared-network.ts';

const onTransit = sharedNetworkPicker({
  ownNetworks: ['lan', 'transit'],
  externalNetwork: 'lan',
  pin: undefined,
});

const finder =
  (...known: readonly ObservedContainer[]) =>
  (ref: string) =>
    known.find(({ id, name }) => id === ref || name === ref);

const find = (containers: readonly ObservedContainer[], ...others: readonly ObservedContainer[]) =>
  discover(containers, finder(...containers, ...others), onTransit);

describe('discovery of backends', () => {
  it('takes both addresses on the shared network', () => {
    const smtp = container('smtp')
      .exposing('tcp/25')
      .on('backend', '10.9.9.9')
      .on('transit', '10.0.0.5', 'fd30::5');
    expect(find([smtp]).backends).toEqual([
      {
        id: smtp.id,
        name: 'smtp',
        createdAtMs: 0,
        ipv4: '10.0.0.5',
        ipv6: 'fd30::5',
        ports: [{ protocol: 'tcp', externalPort: 25, backendPort: 25 }],
      },
    ]);
  });

  it('leaves the IPv6 address out where the label says so', () => {
    const smtp = container('smtp').exposing('tcp/25', 'off').on('transit', '10.0.0.5', 'fd30::5');
    expect(find([smtp]).backends).toMatchObject([{ ipv4: '10.0.0.5', ipv6: undefined }]);
  });

  it('ignores containers without the label', () => {
    expect(find([container('db').on('transit', '10.0.0.6')])).toMatchObject({ backends: [], problems: [] });
  });

  it('follows a wrap container to the addresses of its target, by name or id, over several hops', () => {
    const target = container('app').on('transit', '10.0.0.7', 'fd30::7');
    const middle = container('middle').joining('app');
    const wrap = container('wrap').exposing('tcp/80').joining(middle.id);
    expect(find([wrap], middle, target).backends).toMatchObject([
      { name: 'wrap', id: wrap.id, ipv4: '10.0.0.7', ipv6: 'fd30::7' },
    ]);
  });

  it('lets wrap backends count when it settles on a shared network', () => {
    const picker = sharedNetworkPicker({
      ownNetworks: ['a', 'b'],
      externalNetwork: undefined,
      pin: undefined,
    });
    const target = container('app').on('b', '10.0.0.7');
    const wrap = container('wrap').exposing('tcp/80').joining('app');
    expect(discover([wrap], finder(target), picker)).toMatchObject({
      picker: { choice: { kind: 'settled', network: 'b' } },
      backends: [{ ipv4: '10.0.0.7' }],
    });
  });

  it('reaches a backend on another of our networks when it is not on the shared one', () => {
    const picker = sharedNetworkPicker({
      ownNetworks: ['lan', 'a', 'b'],
      externalNetwork: 'lan',
      pin: undefined,
    });
    const containers = [
      container('one').exposing('tcp/1').on('a', '10.0.1.1'),
      container('two').exposing('tcp/2').on('a', '10.0.1.2'),
      container('far').exposing('tcp/3').on('b', '10.0.2.3'),
    ];
    expect(
      discover(containers, finder(), picker)
        .backends.map(({ ipv4 }) => ipv4)
        .sort(),
    ).toEqual(['10.0.1.1', '10.0.1.2', '10.0.2.3']);
  });

  it('reaches nobody on the shared network while we are not on it, and all of them there when we are back', () => {
    const on = (...ownNetworks: readonly string[]) => ({ ownNetworks, externalNetwork: undefined });
    const both = container('both').exposing('tcp/1').on('a', '10.0.1.1').on('b', '10.0.2.1');
    const near = container('near').exposing('tcp/2').on('a', '10.0.1.2');
    const reached = (picker: SharedNetworkPicker) =>
      discover([both, near], finder(), picker).backends.map(({ ipv4 }) => ipv4);
    const { picker } = discover(
      [both, near],
      finder(),
      sharedNetworkPicker({ ...on('a', 'b'), pin: undefined }),
    );
    expect(reached(picker).sort()).toEqual(['10.0.1.1', '10.0.1.2']);
    const away = standingOn(picker, on('b'));
    expect(reached(away)).toEqual(['10.0.2.1']);
    expect(reached(standingOn(away, on('a', 'b'))).sort()).toEqual(['10.0.1.1', '10.0.1.2']);
  });

  it('keeps strictly to a pinned network', () => {
    const picker = sharedNetworkPicker({ ownNetworks: ['a', 'b'], externalNetwork: undefined, pin: 'a' });
    const far = container('far').exposing('tcp/3').on('b', '10.0.2.3');
    expect(discover([far], finder(), picker)).toMatchObject({
      backends: [],
      problems: [{ kind: 'no-address', container: 'far', sharedNetwork: 'a' }],
    });
  });

  it('takes the first attachment when we have no network of our own, one with IPv4 first, IPv6-only too', () => {
    const picker = sharedNetworkPicker({ ownNetworks: ['lan'], externalNetwork: 'lan', pin: undefined });
    const both = container('a').exposing('tcp/1').on('m', undefined, 'fd00::1').on('z', '10.0.0.1');
    const six = container('b').exposing('tcp/2').on('m', undefined, 'fd00::2');
    expect(discover([both, six], finder(), picker).backends).toMatchObject([
      { ipv4: '10.0.0.1', ipv6: undefined },
      { ipv4: undefined, ipv6: 'fd00::2' },
    ]);
  });

  it('names a labelled container that has no address, a vanished target, or targets that lead in a circle', () => {
    const bare = container('a-bare').exposing('tcp/1');
    const orphan = container('b-orphan').exposing('tcp/2').joining('gone');
    const circle = container('c-circle').exposing('tcp/3').joining('c-circle');
    expect(find([bare, orphan, circle]).problems).toEqual(
      [bare, orphan, circle].map(({ id, name }) => ({
        kind: 'no-address',
        id,
        container: name,
        sharedNetwork: 'transit',
      })),
    );
  });

  it('drops a container with a bad label and keeps the others', () => {
    const bad = container('bad').exposing('tcp/99999').on('transit', '10.0.0.2');
    const good = container('good').exposing('tcp/25').on('transit', '10.0.0.3');
    const found = find([bad, good]);
    expect(found.backends.map(({ name }) => name)).toEqual(['good']);
    expect(found.problems).toMatchObject([{ kind: 'invalid-labels', container: 'bad' }]);
  });

  it('serves a container whose label contradicts itself, and says so', () => {
    const odd = container('odd').exposing('tcp/25:1,tcp/25:2').on('transit', '10.0.0.2');
    expect(find([odd])).toMatchObject({
      backends: [{ name: 'odd', ports: [{ backendPort: 2 }] }],
      problems: [{ kind: 'contradictory-labels', ports: ['tcp/25'] }],
    });
  });

  it('gives the same answer whatever the order of the containers', () => {
    const some = ['a', 'b', 'c', 'd'].map((name, index) =>
      container(name)
        .exposing(`tcp/${index + 1}`)
        .on('transit', `10.0.0.${index + 1}`),
    );
    fc.assert(
      fc.property(fc.shuffledSubarray(some, { minLength: 4 }), (shuffled) => {
        expect(find(shuffled)).toEqual(find(some));
      }),
    );
  });
});

describe('references to look up', () => {
  it('names each hop until the addresses are found', () => {
    const target = container('app').on('transit', '10.0.0.7');
    const middle = container('middle').joining('app');
    const wrap = container('wrap').exposing('tcp/80').joining('middle');
    const known = new Map<string, ObservedContainer | undefined>();
    const missing = () => [
      ...unresolvedReferences(
        [wrap],
        (ref) => known.has(ref),
        (ref) => known.get(ref),
      ),
    ];
    expect(missing()).toEqual(['middle']);
    known.set('middle', middle);
    expect(missing()).toEqual(['app']);
    known.set('app', target);
    expect(missing()).toEqual([]);
  });

  it('asks no second time for what is known not to exist', () => {
    const wrap = container('wrap').exposing('tcp/80').joining('gone');
    expect(
      unresolvedReferences(
        [wrap],
        () => true,
        () => undefined,
      ).size,
    ).toBe(0);
  });
});
