import { VirtualClock } from '@berth/service';
import { expect, it } from 'vitest';
import type { Lease } from '../lease/index.ts';
import { canonicalVolume } from '../names/index.ts';
import { FolderFilesystem } from '../testing/folder-filesystem.ts';
import { MemoryEngine } from '../testing/memory-engine.ts';
import { outcomeInMemory } from '../testing/workload-in-memory.ts';

const uuid = '0190f5fb-0000-7000-8000-000000000001';

const lease: Lease = {
  uuid,
  tenant: 't',
  provider: 'p',
  status: 'restarting',
  createdAtMs: 0,
  failCount: 0,
  callbackUrl: '',
  items: [{ sku: 'small', quantity: 1, serviceName: 'db', customDomain: '' }],
  images: {},
  allocations: [],
  lastRelease: 0,
  release: 0,
  operation: { kind: 'restore', id: 'op', startedAtMs: 0, wasReady: false, resumed: 0 },
};

it('a restore gives its data back when it takes too long: nothing of that waits for who gave up', async () => {
  using disk = new FolderFilesystem();
  const engine = new MemoryEngine({ volumes: ['/data'] });
  const clock = new VirtualClock();
  const told: string[] = [];
  const result = await outcomeInMemory(
    {
      engine,
      disk,
      clock,
      // It would run long enough only after the time of the whole restore.
      settings: { provision_timeout: '1m', startup_verify_duration: '10m' },
      kept: {
        restoring: {
          demandAdopted: async () => void told.push('adopted'),
          failed: async () => {
            told.push(`given back with ${engine.everything.length} containers`);
            return true;
          },
        },
      },
      uuid,
      manifest: '{"services":{"db":{"image":"docker.io/acme/db:1","user":"0"}}}',
    },
    (work) => work.replace(lease, new AbortController().signal),
  );
  expect(result).toMatchObject({ kind: 'failed', left: false, failure: { reason: 'RestoreFailed' } });
  // Not before its time was over, and not when the container would have proved itself.
  expect(clock.monotonic()).toBeGreaterThanOrEqual(60_000);
  expect(told).toEqual(['adopted', 'given back with 0 containers']);
  expect(await disk.list(), 'what it made besides is gone').toEqual([]);
  expect(disk.steps).toContain(`destroy ${canonicalVolume({ lease: uuid, service: 'db', index: 0 })}`);
});
