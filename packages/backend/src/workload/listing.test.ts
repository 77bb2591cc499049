import type { ContainerSummary } from '@berth/engine';
import { RecordingLog } from '@berth/service/testing';
import { expect, it } from 'vitest';
import { label } from '../names/index.ts';
import { ContainerListing } from './listing.ts';

/** What is listed of containers with these labels beside those of their lease; and what is said of those that are not. */
async function listed(...labels: Readonly<Record<string, string>>[]) {
  const logs = new RecordingLog();
  const list = async () =>
    labels.map(
      (more, at): ContainerSummary => ({
        id: `container-${at}`,
        names: [`name-${at}`],
        ...{ image: 'nginx', imageId: 'sha256:1', createdAt: 0, networkMode: 'bridge', attachments: {} },
        ...{ status: 'running', statusText: 'Up 3 hours' },
        labels: { [label.lease]: 'x', [label.serviceName]: 'web', ...more },
      }),
    );
  const { containers, unreadable } = await new ContainerListing({ list }, 'docker-1', logs.log).all();
  return { containers, unreadable, warned: logs.attrsOf('container left out, a label cannot be read') };
}

it.each([
  [label.instanceIndex, '0x1'],
  [label.instanceIndex, '-1'],
  [label.failCount, 'many'],
  [label.quantity, '1.5'],
  [label.createdAt, 'yesterday'],
])('a container whose label %s is "%s" is left out and told of, and takes nobody’s place', async (key, value) => {
  const { containers, unreadable, warned } = await listed({ [key]: value }, { [label.instanceIndex]: '0' });
  expect(containers.map(({ id }) => id)).toEqual(['container-1']);
  expect(unreadable).toEqual(['container-0']);
  expect(warned).toEqual([{ container_id: 'container-0', reason: key }]);
});

it('a container without such labels has nothing there', async () => {
  const { containers } = await listed({});
  expect(containers).toMatchObject([{ index: 0, failCount: 0, quantity: 0, createdAtMs: 0, legacy: false }]);
});

it('containers are listed by service, then index, as numbers', async () => {
  const { containers } = await listed(
    { [label.instanceIndex]: '10' },
    { [label.instanceIndex]: '2' },
    { [label.serviceName]: 'db', [label.instanceIndex]: '11' },
  );
  expect(containers.map(({ service, index }) => `${service}/${index}`)).toEqual(['db/11', 'web/2', 'web/10']);
});
