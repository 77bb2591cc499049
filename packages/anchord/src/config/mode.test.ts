import { describe, expect, it } from 'vitest';
import { readInvocation } from './mode.ts';

const modeOf = (argv: readonly string[], ANCHORD_MODE?: string) =>
  readInvocation(argv, { ANCHORD_MODE }).mode;

describe('mode', () => {
  it('is network-anchor when nobody says anything', () => {
    expect(modeOf([])).toBe('network-anchor');
    expect(modeOf([], '')).toBe('network-anchor');
    expect(modeOf([''])).toBe('network-anchor');
  });

  it('comes from the first word before the variable', () => {
    expect(modeOf(['service-anchor'], 'wrap-rebinder')).toBe('service-anchor');
    expect(modeOf([], 'wrap-rebinder')).toBe('wrap-rebinder');
  });

  it('looks at the first word only, and not at one that begins with a dash', () => {
    expect(modeOf(['--x', 'service-anchor'])).toBe('network-anchor');
    expect(modeOf(['service-anchor', 'doctor'])).toBe('service-anchor');
  });

  it.each([
    [['Service-Anchor'], undefined, 'Service-Anchor'],
    [[], 'network-anchor ', 'network-anchor '],
  ])('refuses %j with %j', (argv, variable, named) => {
    expect(() => modeOf(argv, variable)).toThrow(
      `unknown mode "${named}" (want "network-anchor", "service-anchor", "doctor", "external-rebinder", or "wrap-rebinder")`,
    );
  });

  it('hands on what stands behind the mode', () => {
    expect(readInvocation(['doctor', 'stale-netns'], {}).args).toEqual(['stale-netns']);
    expect(readInvocation(['--help'], { ANCHORD_MODE: 'doctor' })).toEqual({
      mode: 'doctor',
      args: ['--help'],
    });
  });
});
