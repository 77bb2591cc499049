import { describe, expect, it } from 'vitest';
import type { Lease } from '../lease/index.ts';
import type { LeaseWork, ProvisionResult } from '../leases/index.ts';
import { containerName, label } from '../names/index.ts';
import { newLease } from '../testing/leases.ts';
import { MemoryEngine } from '../testing/memory-engine.ts';
import { outcomeInMemory } from '../testing/workload-in-memory.ts';

const lease: Lease = {
  ...newLease({ allocations: [] }),
  status: 'provisioning',
  createdAtMs: 0,
  failCount: 0,
  release: 0,
  operation: { kind: 'provision', id: 'op', startedAtMs: 0, wasReady: false, resumed: 0 },
};

interface Circumstances {
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Kept data that the lease takes up again. */
  readonly takeBack?: () => Promise<void>;
}

/** What comes of a provision that may take a minute, on this engine. */
const provisioned = (engine: MemoryEngine, circumstances: Circumstances = {}): Promise<ProvisionResult> =>
  outcome(engine, circumstances, (work) => work.provision(lease, new AbortController().signal));

const outcome = <Result>(
  engine: MemoryEngine,
  { settings = {}, takeBack = async () => undefined }: Circumstances,
  run: (work: LeaseWork) => Promise<Result>,
): Promise<Result> =>
  outcomeInMemory(
    {
      engine,
      settings: {
        provision_timeout: '1m',
        sku_profiles: { small: { cpu_cores: 0.5, memory_mb: 64 } },
        ...settings,
      },
      kept: { takingBack: { into: takeBack } },
      uuid: lease.uuid,
      manifest: '{"services":{"web":{"image":"docker.io/acme/web:1"}}}',
    },
    run,
  );

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
    const result = await provisioned(engine, { settings: { startup_verify_duration: '10m' } });
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

  it('that cannot have back what was kept for its lease has no volumes, and starts nothing on others', async () => {
    const engine = new MemoryEngine();
    const takeBack = () => Promise.reject(new Error('not mounted'));
    expect(await provisioned(engine, { takeBack })).toMatchObject({
      kind: 'failed',
      failure: {
        reason: 'ContainerExited',
        message: 'volume creation failed',
        detail: 'volume creation failed: its kept data could not be taken back: not mounted',
      },
    });
    expect(engine.everything).toEqual([]);
  });
});

describe('new containers for a lease that cannot have back what was kept for it', () => {
  it.each([
    ['restart', 'RestartFailed', 'restart failed'],
    ['update', 'UpdateFailed', 'update failed'],
  ] as const)('are not made: %s', async (kind, reason, message) => {
    const engine = new MemoryEngine();
    const takeBack = () => Promise.reject(new Error('not mounted'));
    const operation = { kind, id: 'op', startedAtMs: 0, wasReady: true, resumed: 0 } as const;
    const result = await outcome(engine, { takeBack }, (work) =>
      work.replace({ ...lease, operation }, new AbortController().signal),
    );
    expect(result).toMatchObject({
      kind: 'untouched',
      failure: { reason, message, detail: expect.stringContaining('not mounted') },
    });
    expect(engine.everything).toEqual([]);
  });
});
