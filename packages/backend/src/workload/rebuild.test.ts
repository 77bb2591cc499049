import type { ContainerStatus } from '@berth/engine';
import { describe, expect, it } from 'vitest';
import type { LeaseContainer } from './listing.ts';
import { type RebuildContext, rebuiltLease, wasUnfinished } from './rebuild.ts';

const container = (more: Partial<LeaseContainer> = {}): LeaseContainer => ({
  id: 'c',
  name: 'fred-lease-web-0',
  status: 'running',
  image: 'nginx',
  lease: 'lease',
  tenant: 'tenant',
  provider: 'provider',
  sku: 'small',
  service: 'web',
  legacy: false,
  index: 0,
  quantity: 1,
  failCount: 0,
  createdAtMs: 1000,
  callbackUrl: 'http://127.0.0.1/',
  customDomain: '',
  fqdn: undefined,
  operationId: 'op',
  setAside: false,
  ...more,
});

const context: RebuildContext = {
  catalogue: {
    profiles: new Map([['small', { cpuCores: 0.5, memoryMb: 64, diskMb: 0 }]]),
    mapping: new Map(),
  },
  release: undefined,
  lastRelease: 3,
  nowMs: 9000,
};

const rebuilt = (...containers: LeaseContainer[]) => rebuiltLease(containers, context);
const inStates = (...states: ContainerStatus[]) =>
  states.map((status, index) => container({ status, index, quantity: states.length }));

describe('a lease that is made anew from its containers', () => {
  it.each<[ContainerStatus[], string]>([
    [['running', 'running'], 'ready'],
    [['running', 'paused'], 'ready'],
    [['running', 'exited'], 'failed'],
    [['exited', 'running'], 'failed'],
    [['removing'], 'failed'],
    [['dead'], 'failed'],
    [['created'], 'failed'],
    [['restarting'], 'failed'],
    [['unknown', 'running'], 'unknown'],
    [['unknown', 'exited'], 'failed'],
  ])('in the states %j is %s, in whatever order they are listed', (states, status) => {
    const containers = inStates(...states);
    expect(rebuilt(...containers)?.status).toBe(status);
    expect(rebuilt(...containers.toReversed())?.status).toBe(status);
  });

  it('is as large as it was meant to be, and has failed when one of its instances is missing', () => {
    const lease = rebuilt(container({ index: 1, quantity: 3 }), container({ index: 0, quantity: 3 }));
    expect(lease).toMatchObject({
      status: 'failed',
      items: [{ serviceName: 'web', quantity: 3 }],
      failure: { reason: 'ContainerExited', message: 'container exited unexpectedly' },
    });
    expect(lease?.allocations.map(({ key }) => key)).toEqual(['lease-web-0', 'lease-web-1', 'lease-web-2']);
    expect(rebuilt(container({ index: 2, quantity: 0 }))?.items, 'without a label').toMatchObject([
      { quantity: 3 },
    ]);
  });

  it('has failed as often as any of them knows, and once more when it is found dead', () => {
    const counts = (status: ContainerStatus) =>
      rebuilt(
        container({ failCount: 2, quantity: 2 }),
        container({ failCount: 4, index: 1, quantity: 2, status }),
      );
    expect(counts('running')?.failCount).toBe(4);
    expect(counts('exited')?.failCount).toBe(5);
  });

  it('has what the newest of them says, the domain that any has, and began with the oldest', () => {
    const lease = rebuilt(
      container({ createdAtMs: 1000, callbackUrl: 'http://old/', quantity: 2 }),
      container({
        createdAtMs: 2000,
        callbackUrl: 'http://new/',
        index: 1,
        quantity: 2,
        customDomain: 'www.acme.example',
      }),
    );
    expect(lease).toMatchObject({
      uuid: 'lease',
      tenant: 'tenant',
      provider: 'provider',
      callbackUrl: 'http://new/',
      createdAtMs: 1000,
      lastRelease: 3,
      items: [{ sku: 'small', customDomain: 'www.acme.example' }],
    });
    expect(rebuilt()).toBeUndefined();
  });

  it('was unfinished when one of them was made and never started', () => {
    expect(wasUnfinished(inStates('running', 'created'))).toBe(true);
    expect(wasUnfinished(inStates('running', 'exited'))).toBe(false);
  });
});
