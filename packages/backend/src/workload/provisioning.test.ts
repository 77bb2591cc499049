import { Scope, VirtualClock } from '@berth/service';
import { RecordingLog } from '@berth/service/testing';
import { describe, expect, it } from 'vitest';
import type { Lease } from '../lease/index.ts';
import { LeaseBook, type ProvisionResult } from '../leases/index.ts';
import { containerName, label } from '../names/index.ts';
import { GroupCommit, ReleaseStore } from '../stores/index.ts';
import { FolderFilesystem } from '../testing/folder-filesystem.ts';
import { newLease } from '../testing/leases.ts';
import { MemoryEngine } from '../testing/memory-engine.ts';
import { storeFolder } from '../testing/store-folder.ts';
import { workloadConfig, workloadInMemory } from '../testing/workload-in-memory.ts';

const lease: Lease = {
  ...newLease({ allocations: [] }),
  status: 'provisioning',
  createdAtMs: 0,
  failCount: 0,
  release: 0,
  operation: { kind: 'provision', id: 'op', startedAtMs: 0, wasReady: false, resumed: 0 },
};

/** What comes of a provision that may take a minute, on this engine. */
async function provisioned(engine: MemoryEngine, settings: Readonly<Record<string, unknown>> = {}) {
  using folder = storeFolder();
  using disk = new FolderFilesystem();
  const releases = new ReleaseStore(folder.path('releases.db'));
  const clock = new VirtualClock();
  await using scope = new Scope('provision', () => undefined);
  const unasked = (): never => {
    throw new Error('not asked for');
  };
  const work = workloadInMemory({
    scope,
    clock,
    log: new RecordingLog().log,
    config: await workloadConfig({
      provision_timeout: '1m',
      sku_profiles: { small: { cpu_cores: 0.5, memory_mb: 64 } },
      ...settings,
    }),
    book: new LeaseBook(releases, new GroupCommit(releases.file)),
    releases,
    disk,
    engine,
    kept: {
      closing: { begin: unasked, volumesOf: unasked },
      takingBack: { into: async () => undefined },
      restoring: { demandAdopted: unasked, failed: unasked },
    },
  });
  const manifest = new TextEncoder().encode('{"services":{"web":{"image":"docker.io/acme/web:1"}}}');
  releases.file.transaction(() => releases.apply(lease.uuid, [{ kind: 'stage', manifest }], 1));
  let result: ProvisionResult | undefined;
  const ended = work.leases.provision(lease, new AbortController().signal).then((one) => {
    result = one;
  });
  const deadline = performance.now() + 20_000;
  while (result === undefined) {
    expect(performance.now(), 'it comes to an end').toBeLessThan(deadline);
    await clock.advance(1000);
  }
  await ended;
  releases.file.close();
  return result;
}

describe('a provision', () => {
  it('succeeds with containers that have proved themselves', async () => {
    const engine = new MemoryEngine();
    expect(await provisioned(engine)).toEqual({ kind: 'provisioned', items: lease.items });
    expect(engine.everything.map(({ name, state }) => `${name} ${state.status}`)).toEqual([
      `fred-${lease.uuid}-web-0 running`,
    ]);
  });

  it('whose time is over while its containers prove themselves says just that, and leaves nothing', async () => {
    const engine = new MemoryEngine();
    const result = await provisioned(engine, { startup_verify_duration: '10m' });
    expect(result).toMatchObject({
      kind: 'failed',
      left: false,
      failure: { reason: 'ContainerExited', message: 'container startup verification canceled' },
    });
    expect(engine.everything).toEqual([]);
  });

  it('that cannot take away what an earlier one has left is one whose containers cannot be made', async () => {
    const engine = new MemoryEngine();
    const instance = { lease: lease.uuid, service: 'web', index: 0 };
    await engine.containers.create(
      {
        Image: 'docker.io/acme/web:1',
        Labels: {
          [label.managed]: 'true',
          [label.backendName]: 'docker',
          [label.lease]: lease.uuid,
          [label.serviceName]: 'web',
        },
      },
      { name: containerName(instance) },
    );
    Object.assign(engine.containers, { remove: () => Promise.reject(new Error('device busy')) });
    expect(await provisioned(engine)).toMatchObject({
      kind: 'failed',
      left: true,
      failure: {
        reason: 'ContainerExited',
        message: 'container creation failed',
        detail: expect.stringContaining('device busy'),
      },
    });
  });
});
