import type { ContainerDetails, ContainerSummary } from '@berth/engine';
import { RecordingLog } from '@berth/service/testing';
import { expect, it } from 'vitest';
import { label } from '../names/index.ts';
import { newLease } from '../testing/leases.ts';
import { ContainerInspection } from './lease-inspection.ts';
import { ContainerListing } from './listing.ts';

it('shows the image that the engine knows where the manifest is not known, whatever the service is called', async () => {
  const services = ['constructor', 'web'];
  const list = async () =>
    services.map(
      (service): Partial<ContainerSummary> => ({
        id: service,
        names: [service],
        image: `${service}:engine`,
        status: 'running',
        labels: { [label.lease]: 'x', [label.serviceName]: service, [label.instanceIndex]: '0' },
      }),
    ) as ContainerSummary[];
  // Of all that an engine says, nothing else is read.
  const state = { status: 'running' } as ContainerDetails['state'];
  const inspect = async () => ({ state, ports: [] as ContainerDetails['ports'] }) as ContainerDetails;
  const logs = async () => {
    throw new Error('nobody asks for logs');
  };
  const listing = new ContainerListing({ list }, 'docker-1', new RecordingLog().log);
  const inspection = new ContainerInspection({ inspect, logs }, listing);
  const lease = {
    ...newLease({ images: { web: 'nginx' } }),
    status: 'ready',
    createdAtMs: 0,
    failCount: 0,
  } as const;
  const facts = await inspection.instances(lease);
  expect(facts.map(({ image }) => image)).toEqual(['constructor:engine', 'nginx']);
});
