import { describe, expect, it } from 'vitest';
import { anchorBesideUs, type ProcessTraces } from './beside-us.ts';

const own = { pid: 40, mounts: 'mnt:[1]' };
const node = ['/usr/local/bin/node', '--no-opt', '/usr/lib/anchord/main.mjs'];
const running = (traces: Partial<ProcessTraces>): ProcessTraces => ({
  pid: 1,
  argv: node,
  env: {},
  mounts: own.mounts,
  state: 'S',
  ...traces,
});
const found = (...processes: readonly Partial<ProcessTraces>[]) =>
  anchorBesideUs(processes.map(running), own);

describe('the anchor beside us', () => {
  it('is known by its command line and its environment, as it knows itself', () => {
    expect(found({})).toEqual({ pid: 1, mode: 'network-anchor', stopped: false });
    expect(found({ argv: [...node, 'service-anchor'] })).toEqual({
      pid: 1,
      mode: 'service-anchor',
      stopped: false,
    });
    expect(found({ env: { ANCHORD_MODE: 'wrap-rebinder' } })).toMatchObject({
      pid: 1,
      mode: 'wrap-rebinder',
    });
    expect(found({ argv: ['/usr/local/bin/node', '/usr/local/bin/anchord'] })?.mode).toBe('network-anchor');
  });

  it('may run behind an init process', () => {
    expect(found({ argv: ['/sbin/docker-init', '--', ...node] }, { pid: 7 })).toEqual({
      pid: 1,
      mode: 'network-anchor',
      stopped: false,
    });
  });

  it('may stand still', () => {
    expect(found({ state: 'T' })?.stopped).toBe(true);
  });

  it('is neither ourselves, nor another command, nor that of another container', () => {
    expect(found({ pid: 40 })).toBeUndefined();
    expect(found({ argv: [...node, 'doctor', 'all'] }, { argv: [...node, 'health'] })).toBeUndefined();
    expect(found({ mounts: 'mnt:[2]' })).toBeUndefined();
    expect(found({ argv: ['/usr/sbin/nginx'] })).toBeUndefined();
  });
});
