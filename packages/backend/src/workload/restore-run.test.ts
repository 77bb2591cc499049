import { Scope, VirtualClock } from '@berth/service';
import { RecordingLog } from '@berth/service/testing';
import { expect, it } from 'vitest';
import type { Lease } from '../lease/index.ts';
import { LeaseBook } from '../leases/index.ts';
import { canonicalVolume } from '../names/index.ts';
import { GroupCommit, ReleaseStore } from '../stores/index.ts';
import { FolderFilesystem } from '../testing/folder-filesystem.ts';
import { MemoryEngine } from '../testing/memory-engine.ts';
import { storeFolder } from '../testing/store-folder.ts';
import { workloadConfig, workloadInMemory } from '../testing/workload-in-memory.ts';

const uuid = '0190f5fb-0000-7000-8000-000000000001';

it('a restore gives its data back when it takes too long: nothing of that waits for who gave up', async () => {
  using folder = storeFolder();
  using disk = new FolderFilesystem();
  const releases = new ReleaseStore(folder.path('releases.db'));
  const book = new LeaseBook(releases, new GroupCommit(releases.file));
  const engine = new MemoryEngine({ volumes: ['/data'] });
  const clock = new VirtualClock();
  await using scope = new Scope('restore', () => undefined);
  const told: string[] = [];
  const unasked = (): never => {
    throw new Error('not asked for');
  };
  const work = workloadInMemory({
    scope,
    clock,
    log: new RecordingLog().log,
    // It would run long enough only after the time of the whole restore.
    config: await workloadConfig({ provision_timeout: '1m', startup_verify_duration: '10m' }),
    book,
    releases,
    disk,
    engine,
    kept: {
      closing: { begin: unasked, volumesOf: unasked },
      takingBack: { into: unasked },
      restoring: {
        demandAdopted: async () => void told.push('adopted'),
        failed: async () => {
          told.push(`given back with ${engine.everything.length} containers`);
          return true;
        },
      },
    },
  });
  const manifest = new TextEncoder().encode('{"services":{"db":{"image":"docker.io/acme/db:1","user":"0"}}}');
  releases.file.transaction(() => releases.apply(uuid, [{ kind: 'stage', manifest }], 1));
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
  let ended = false;
  const restoring = work.leases.replace(lease, new AbortController().signal).finally(() => {
    ended = true;
  });
  const deadline = performance.now() + 60_000;
  while (!ended) {
    expect(performance.now(), 'it comes to an end').toBeLessThan(deadline);
    await clock.advance(1000);
  }
  expect(await restoring).toMatchObject({
    kind: 'failed',
    left: false,
    failure: { reason: 'RestoreFailed' },
  });
  // Not before its time was over, and not when the container would have proved itself.
  expect(clock.monotonic()).toBeGreaterThanOrEqual(60_000);
  expect(told).toEqual(['adopted', 'given back with 0 containers']);
  expect(await disk.list(), 'what it made besides is gone').toEqual([]);
  expect(disk.steps).toContain(`destroy ${canonicalVolume({ lease: uuid, service: 'db', index: 0 })}`);
  releases.file.close();
});
