import { RecordingLog } from '@berth/service/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { Problems } from '../problems.ts';
import { container } from '../testing/containers.ts';
import { BackendDiscovery } from './backend-discovery.ts';
import type { Backend } from './backends.ts';
import type { ObservedContainer } from './container.ts';
import { ObservedWorld } from './observed-world.ts';
import { sharedNetworkPicker } from './shared-network.ts';

const web = container('web').exposing('tcp/80');

describe('backend discovery', () => {
  let recording: RecordingLog;
  let problems: Problems;
  let handedOn: (readonly Backend[])[];
  let discovery: BackendDiscovery;

  beforeEach(() => {
    recording = new RecordingLog();
    problems = new Problems();
    handedOn = [];
    discovery = new BackendDiscovery(
      sharedNetworkPicker({ ownNetworks: ['a-transit', 'b', 'lan'], externalNetwork: 'lan', pin: undefined }),
      { log: recording.log, problems, scope: 'project=mail', onBackends: (found) => handedOn.push(found) },
    );
  });

  const see = (...containers: readonly ObservedContainer[]) => {
    const world = new ObservedWorld();
    world.replace(containers);
    discovery.observe(world);
  };

  it('says once that backends are on another network than first thought, and stays there', () => {
    expect(discovery.sharedNetwork).toBe('a-transit');
    see(web.on('b', '10.0.2.2'));
    see(web.on('a-transit', '10.0.1.2'));
    expect(discovery.sharedNetwork).toBe('b');
    expect(recording.attrsOf('shared network re-picked')).toEqual([{ old: 'a-transit', new: 'b' }]);
    expect(handedOn.at(-1)).toMatchObject([{ ipv4: '10.0.1.2' }]);
  });

  it('says once that it stands on other networks, and what it thinks of them', () => {
    expect(discovery.standOn(['b', 'lan', 'a-transit'], 'lan')).toBe(false);
    expect(discovery.standOn(['b', 'lan'], 'lan')).toBe(true);
    expect(discovery.standOn(['lan', 'b'], 'lan')).toBe(false);
    expect(recording.attrsOf('own networks changed')).toEqual([{ candidates: ['b'] }]);
    expect(recording.attrsOf('shared network re-picked')).toEqual([{ old: 'a-transit', new: 'b' }]);
  });

  it('says once what keeps a container from being served, again when that changes, and forgets it when it is over', () => {
    const wrong = container('web').exposing('tcp/http').on('b', '10.0.2.2');
    see(wrong);
    see(wrong);
    see(container('web').exposing('tcp/0').on('b', '10.0.2.2'));
    expect(recording.attrsOf('invalid expose labels')).toEqual([
      { container: 'web', err: 'anchord.expose "tcp/http": invalid dmz port "http": not a 16-bit integer' },
      { container: 'web', err: 'anchord.expose "tcp/0": invalid dmz port "0": port 0 is reserved' },
    ]);
    see(web);
    see(web);
    expect(recording.attrsOf('no usable IP for container')).toEqual([
      { container: 'web', shared_network: 'b' },
    ]);
    see(web.on('b', '10.0.2.2'));
    expect(problems.list()).toEqual([]);
  });

  it('serves a container whose label contradicts itself, and says so once', () => {
    const odd = container('odd').exposing('tcp/25:1,tcp/25:2').on('b', '10.0.2.2');
    see(odd);
    see(odd);
    expect(recording.attrsOf('contradictory expose labels')).toEqual([
      { container: 'odd', ports: ['tcp/25'] },
    ]);
    expect(handedOn.at(-1)).toHaveLength(1);
  });

  it('wonders once when nobody is there to be served for five looks, but not after somebody was', () => {
    for (let look = 0; look < 8; look++) see();
    expect(recording.messages('warn')).toEqual(['no backends found after 5 reconciles']);
    recording.clear();
    see(web.on('b', '10.0.2.2'));
    for (let look = 0; look < 8; look++) see();
    expect(recording.messages('warn')).toEqual([]);
  });
});
