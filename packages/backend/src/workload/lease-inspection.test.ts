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

it('shows each container in its place, not one that is on its way in or out, and the first binding of each port', async () => {
  const named = (name: string, index: string): Partial<ContainerSummary> => ({
    id: name,
    names: [name],
    image: 'nginx',
    status: 'running',
    labels: { [label.lease]: 'x', [label.serviceName]: 'web', [label.instanceIndex]: index },
  });
  const list = async () =>
    [
      named('fred-x-web-1', '1'),
      named('fred-x-web-0', '0'),
      named('fred-x-web-0-prev', '0'),
      named('fred-x-web-0-next', '0'),
    ] as ContainerSummary[];
  const bound = (hostPort: number, hostIp: string) => ({ containerPort: '80/tcp', hostIp, hostPort });
  const inspect = async () =>
    ({
      state: { status: 'running' } as ContainerDetails['state'],
      ports: [bound(49153, '0.0.0.0'), bound(49154, '::')] as ContainerDetails['ports'],
    }) as ContainerDetails;
  const logs = async (id: string) => ({ text: `${id}\n`, truncated: false });
  const listing = new ContainerListing({ list }, 'docker-1', new RecordingLog().log);
  const inspection = new ContainerInspection({ inspect, logs }, listing);
  const lease = { ...newLease(), status: 'ready', createdAtMs: 0, failCount: 0 } as const;
  const facts = await inspection.instances(lease);
  expect(facts.map(({ containerId }) => containerId)).toEqual(['fred-x-web-0', 'fred-x-web-1']);
  expect(facts[0]?.ports).toEqual(new Map([['80/tcp', { hostIp: '0.0.0.0', hostPort: '49153' }]]));
  expect(await inspection.logs(lease, 1, new AbortController().signal)).toEqual({
    'web/0': 'fred-x-web-0\n',
    'web/1': 'fred-x-web-1\n',
  });
});
