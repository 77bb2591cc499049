import { describe, expect, it } from 'vitest';
import type { Lease } from '../lease/index.ts';
import { item, newLease } from '../testing/leases.ts';
import type { LeaseContainer } from '../workload/index.ts';
import { compare } from './comparison.ts';

const lease = (more: Partial<Lease> = {}): Lease => ({
  ...newLease(),
  status: 'ready',
  createdAtMs: 0,
  failCount: 0,
  ...more,
});
const { uuid } = newLease();
const container = (more: Partial<LeaseContainer> = {}) =>
  ({
    id: 'c',
    lease: uuid,
    service: 'web',
    index: 0,
    status: 'running',
    setAside: false,
    ...more,
  }) as LeaseContainer;

const found = (one: Lease, containers: readonly LeaseContainer[], atStart = false) =>
  compare({ leases: [one], containers, atStart, isKnown: (id) => id === uuid }).map(({ message }) =>
    message.kind === 'fact' ? message.event.name : message.kind,
  );

describe('a lease beside its containers', () => {
  it('that runs as it should is nothing to speak of', () => {
    expect(found(lease(), [container()])).toEqual([]);
  });

  it('that is meant to have none misses none', () => {
    expect(found(lease({ items: [item({ quantity: 0 })] }), [])).toEqual([]);
  });

  it('whose containers are all gone is gone; one of several that is gone is a death', () => {
    const two = lease({ items: [item({ quantity: 2 })] });
    expect(found(two, [])).toEqual(['ContainersRemoved']);
    expect(found(two, [container()])).toEqual(['death']);
    expect(found(two, [container(), container({ index: 1, status: 'exited' })])).toEqual(['death']);
    expect(found(two, [container()], true), 'at the start nobody is told').toEqual(['FoundDead']);
  });

  it('that is at work is left alone, and so is one that has failed', () => {
    const operation = { kind: 'update', id: 'op', startedAtMs: 0, wasReady: true, resumed: 0 } as const;
    expect(found(lease({ status: 'updating', operation }), [])).toEqual([]);
    expect(found(lease({ status: 'failed' }), [])).toEqual([]);
  });

  it('has what was left beside them tidied', () => {
    expect(found(lease(), [container(), container({ id: 'old', setAside: true })])).toEqual(['tidy']);
    expect(found(lease({ status: 'failed', leftover: true }), [])).toEqual(['tidy']);
  });

  it('that nobody knows is taken up', () => {
    expect(found(lease(), [container(), container({ lease: 'another' })])).toEqual(['adopt']);
  });
});
