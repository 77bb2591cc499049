/** What goes wrong around an anchor in the field: the Docker socket fails. The data path has to stand through it. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FaultProxy, socketProxy } from '@berth/lab/fault-proxy';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComposeProject } from '../src/compose.ts';
import { Harbour, logged } from '../src/harbour.ts';

let harbour: Harbour;
beforeAll(async () => {
  harbour = await Harbour.open();
});
afterAll(() => harbour?.[Symbol.asyncDispose]());

const recreate = (stack: ComposeProject) =>
  stack.run('up', '--detach', '--force-recreate', '--timeout', '1', 'smtp-anchor', 'smtp');

describe('behind a Docker socket that fails', () => {
  let proxy: FaultProxy;
  let stack: ComposeProject;
  /** Without questions about the past, by which it makes sure of a stream that has been silent for a minute. */
  const events = () =>
    proxy.exchanges.filter(({ url }) => url.includes('/events') && !url.includes('until')).length;
  const lists = () => proxy.count('GET', '/containers/json');

  beforeAll(async () => {
    const folder = harbour.space.name('engine');
    await mkdir(join(harbour.host.runFolder, folder), { recursive: true });
    proxy = await FaultProxy.start(
      { socketPath: harbour.host.socketPath },
      { socketPath: join(harbour.host.runFolder, folder, 'engine.sock') },
    );
    // Exactly what the documentation asks for.
    proxy.permit(socketProxy(['CONTAINERS', 'EVENTS', 'INFO', 'NETWORKS']));
    stack = await harbour.stack({
      host: 55,
      number: 21,
      env: {
        DOCKER_HOST: 'unix:///run/engine/engine.sock',
        ANCHORD_POLL_INTERVAL: '1h',
        ANCHORD_AUTOSTART_SIBLINGS: 'false',
      },
      anchor: { volumes: [`/run/${folder}:/run/engine`] },
    });
    await stack.up();
    await harbour.reach(4, { host: 55 });
    await waitFor('the stream of events', () => events() === 1, { timeoutMs: 60_000 });
  });
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    await proxy?.[Symbol.asyncDispose]();
  });

  it('it holds one stream of events, however many events there are', async () => {
    for (let round = 0; round < 3; round++) await recreate(stack);
    await harbour.reach(4, { host: 55 });
    expect(events()).toBe(1);
  });

  it('it lists containers once at the start and after a gap, and looks at single ones for the rest', async () => {
    const before = lists();
    await recreate(stack);
    await harbour.reach(4, { host: 55 });
    expect(lists()).toBe(before);
  });

  it('it opens a second stream when the first one breaks, and sees what happened in between', async () => {
    const before = { events: events(), lists: lists() };
    proxy.cutConnections();
    await recreate(stack);
    await waitFor('the second stream', () => events() > before.events, { timeoutMs: 60_000 });
    expect((await harbour.reach(4, { host: 55 })).source).toBe(harbour.clientAddress(4));
    expect(lists()).toBeGreaterThan(before.lists);
    await logged(stack, 'anchord', 'docker event stream error, retrying');
  });

  it('it serves what it knows while nobody answers, says so, and catches up', async () => {
    await proxy.refuse();
    try {
      expect((await harbour.reach(4, { host: 55 })).source).toBe(harbour.clientAddress(4));
      await recreate(stack);
    } finally {
      await proxy.accept();
    }
    expect((await harbour.reach(4, { host: 55 })).source).toBe(harbour.clientAddress(4));
  });

  it.each([
    ['events come twice', { kind: 'duplicate-events' }],
    ['events change places', { kind: 'swap-events' }],
    ['events come late', { kind: 'delay-events', ms: 300 }],
  ] as const)('it comes to the right end when %s', async (_, fault) => {
    proxy.add({ on: 'GET /events', fault });
    proxy.cutConnections();
    await waitFor(
      'a stream through the fault',
      () => proxy.exchanges.some((exchange) => exchange.fault === fault.kind),
      {
        timeoutMs: 60_000,
      },
    );
    await recreate(stack);
    expect((await harbour.reach(4, { host: 55 })).source).toBe(harbour.clientAddress(4));
    proxy.clear();
    const before = { events: events(), lists: lists() };
    proxy.cutConnections();
    await waitFor(
      'a stream without faults, and the list that follows it',
      () => events() > before.events && lists() > before.lists,
      { timeoutMs: 60_000 },
    );
  });

  it('it keeps the last state when single looks fail, and looks at everything afterwards', async () => {
    const rule = proxy.add({ on: 'GET /containers/*/json', fault: { kind: 'fail', status: 500 }, times: 3 });
    await recreate(stack);
    expect((await harbour.reach(4, { host: 55 })).source).toBe(harbour.clientAddress(4));
    rule.release();
    proxy.clear();
    await logged(stack, 'anchord', 'event-driven snapshot failed');
  });
});
