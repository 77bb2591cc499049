/** Each feature before a real engine: with exactly its rights nothing is refused, and without any one of them that one is named. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { connectEngine, type Engine } from '@berth/engine';
import { allowOnly, FaultProxy } from '@berth/lab/fault-proxy';
import { openSpace, type Space } from '@berth/lab/testing';
import { type Clock, Scope, systemClock } from '@berth/service';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testParts } from '../testing/program.ts';
import { askForPermissions } from './ask.ts';
import { featureNames, featureRow, type PermissionName, permissions } from './table.ts';
import { watchPermissions } from './watch.ts';

let space: Space;
let proxy: FaultProxy;
let folder: string;
beforeAll(async () => {
  space = await openSpace();
  folder = join(space.host.runFolder, space.name('rights'));
  await mkdir(folder, { recursive: true });
  proxy = await FaultProxy.start(
    { socketPath: space.host.socketPath },
    { socketPath: join(folder, 'engine.sock') },
  );
});
afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  if (folder !== undefined) await rm(folder, { recursive: true });
  await space?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  proxy.exchanges.length = 0;
});

const permit = (names: readonly PermissionName[]): void =>
  proxy.permit(allowOnly(['GET /_ping', 'GET /version', ...names.map((name) => permissions[name].request)]));
const refused = () => proxy.exchanges.filter(({ status }) => status === 403);

/** An anchor's way to Docker, through the proxy. */
function watched(scope: Scope): { engine: Engine } & ReturnType<typeof testParts> {
  const parts = testParts();
  const endpoint = { kind: 'unix' as const, socketPath: join(folder, 'engine.sock') };
  const engine = connectEngine(scope, { endpoint, env: {}, onAnswer: watchPermissions(parts) });
  return { engine, ...parts };
}

/** Tells when somebody pauses, and ends the pause on order. */
function pausingClock() {
  const paused = Promise.withResolvers<() => void>();
  const clock: Clock = {
    ...systemClock,
    after: (_, callback) => {
      paused.resolve(callback);
      return { cancel: () => undefined };
    },
  };
  return { clock, paused: paused.promise };
}

describe.each(featureNames)('%s', (feature) => {
  const { needs, title } = featureRow(feature);

  it('is refused nothing with exactly its rights', async () => {
    permit(needs);
    await using scope = new Scope('rights', () => undefined);
    const { engine, problems } = watched(scope);
    await askForPermissions(engine, [feature], systemClock, scope.signal);
    expect(problems.list()).toEqual([]);
    expect(refused()).toEqual([]);
    expect(proxy.exchanges.length).toBeGreaterThanOrEqual(needs.length);
  });

  it.each(needs)('names %s when that is the one it lacks, until it is back', async (name) => {
    permit(needs.filter((other) => other !== name));
    await using scope = new Scope('rights', () => undefined);
    const { engine, problems, recording } = watched(scope);
    const { clock, paused } = pausingClock();
    const asking = askForPermissions(engine, [feature], clock, scope.signal);
    const again = await paused;
    const { request, what, switches } = permissions[name];
    const detail = expect.stringContaining(`may not ${what} (${request}; `);
    expect(problems.list()).toMatchObject([{ code: 'docker-permission', subject: name, detail }]);
    expect(problems.list()[0]?.detail).toContain(title);
    expect(recording.attrsOf('docker refuses a request')).toMatchObject([
      { request, switches, needed_for: expect.arrayContaining([feature]) },
    ]);
    permit(needs);
    again();
    await asking;
    expect(problems.list()).toEqual([]);
  });
});
