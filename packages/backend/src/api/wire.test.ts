import { describe, expect, it } from 'vitest';
import { newLease } from '../testing/leases.ts';
import { liveInfo, releaseInfo } from './wire.ts';

describe('a failure of which nobody knows the reason', () => {
  it('is shown as unknown, with a lease and with a release', () => {
    const lease = { ...newLease(), createdAtMs: 0, failCount: 1 };
    expect(liveInfo({ ...lease, status: 'failed' }).reason).toBe('Unknown');
    expect(liveInfo({ ...lease, status: 'ready' }).reason).toBeUndefined();
    const release = { version: 1, createdAtMs: 0, manifest: new Uint8Array() };
    expect(releaseInfo({ ...release, status: 'failed' })).toEqual({
      version: 1,
      image: 'stack',
      status: 'failed',
      created_at: '1970-01-01T00:00:00.000Z',
      reason: 'Unknown',
      manifest: null,
    });
    expect(releaseInfo({ ...release, status: 'active' })).not.toHaveProperty('reason');
  });
});
