import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { errnoError, errnoName, errnoOf } from './errors.ts';

describe('errnoError', () => {
  it('says what failed and why, and keeps the errno', () => {
    const error = errnoError(constants.errno.ENODEV, 'reading link eth7', { details: { link: 'eth7' } });
    expect(error.message).toBe('reading link eth7 failed: ENODEV');
    expect(error.code).toBe('KERNEL_NOT_FOUND');
    expect(error.details).toEqual({ errno: 'ENODEV', link: 'eth7' });
    expect(errnoOf(error)).toBe('ENODEV');
  });

  it("prefers the kernel's own words", () => {
    const error = errnoError(constants.errno.EINVAL, 'adding route default', {
      words: 'Nexthop has invalid gateway',
    });
    expect(error.message).toBe('adding route default failed: Nexthop has invalid gateway (EINVAL)');
    expect(error.code).toBe('KERNEL_INVALID');
  });

  it('knows a stale nftables generation, which has no number in libc', () => {
    expect(errnoError(85, 'applying').code).toBe('KERNEL_STALE');
    expect(errnoName(85)).toBe('ERESTART');
  });

  it('keeps the number of an errno without a name', () => {
    expect(errnoError(4095, 'x').message).toBe('x failed: errno 4095');
    expect(errnoOf(new Error('another'))).toBeUndefined();
  });
});
