/** The doctor's repairs on a real engine: killed after each change, and ended by the next doctor. */
import { connectEngine, type Engine, type RecreateDoor } from '@berth/engine';
import { openSpace, type Space } from '@berth/lab/testing';
import { Scope, systemClock } from '@berth/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { halfDoneRepairs } from './checks/half-done.ts';
import { endRepair, reattach, recreateInNetwork } from './fix-containers.ts';

const { signal } = new AbortController();
let space: Space;
let engine: Engine;
let scope: Scope;
beforeAll(async () => {
  space = await openSpace();
  scope = new Scope('repairs', () => undefined);
  const endpoint = { kind: 'unix' as const, socketPath: space.host.socketPath };
  engine = connectEngine(scope, { endpoint, env: {} });
});
afterAll(async () => {
  await scope?.close();
  await space?.[Symbol.asyncDispose]();
});

const image = 'berth-lab/busybox';
const own = async () =>
  (await engine.containers.list({ all: true })).filter(({ names }) =>
    names[0]?.startsWith(space.name('web')),
  );
const found = async () => await halfDoneRepairs(engine, await own(), Date.now());
/** When the engine remembers nothing of it any more. */
const foundLater = async () => {
  const events = { past: () => Promise.resolve([]) };
  return await halfDoneRepairs({ ...engine, events }, await own(), Date.now() + 300_000);
};

async function startsAnew(name: string, ...options: readonly string[]): Promise<string> {
  await space.host.exec(['docker', 'rm', '--force', space.name(name)]);
  return await space.start(name, '--stop-timeout', '1', ...options, image);
}

/** Dies once it has done this: the caller never hears of it. */
function dyingAfter(change: 'rename' | 'create' | 'stop' | 'start') {
  const death = Promise.withResolvers<never>();
  const containers = new Proxy(engine.containers, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== 'function') return member;
      if (property !== change) return member.bind(target);
      return async (...args: readonly unknown[]): Promise<unknown> => {
        await Reflect.apply(member, target, args);
        death.reject(new Error('killed'));
        return await new Promise(() => undefined);
      };
    },
  });
  const door: Parameters<typeof recreateInNetwork>[0] = { ...engine, containers, clock: systemClock };
  return { door, death: death.promise };
}

describe('a doctor that is killed in the middle of a re-creation', () => {
  it.each([
    'rename',
    'create',
    'stop',
    'start',
  ] as const)('after %s, is followed by one that ends it', async (change) => {
    await startsAnew('owner');
    await startsAnew('web', '--network', `container:${space.name('owner')}`);
    const owner = await startsAnew('owner');
    const step = async () => {
      const { id } = await engine.containers.inspect(space.name('web'));
      return { id, networkMode: `container:${owner}`, starts: true };
    };
    const { door, death } = dyingAfter(change);
    await expect(Promise.race([recreateInNetwork(door, await step(), signal), death])).rejects.toThrow(
      'killed',
    );

    const early = await found();
    expect(early).toMatchObject([
      { subject: space.name('web'), remedy: expect.stringContaining('still be') },
    ]);
    const [finding] = await foundLater();
    if (finding?.step?.do !== 'end repair') throw new Error('it is not offered to be ended');
    const whole: RecreateDoor = { ...engine, clock: systemClock };
    // The owner of the old one is gone: it comes back, and only its re-creation starts it.
    await endRepair(whole, finding.step).catch((error: Error) =>
      expect(error.message).toMatch(/^the old one is back, but does not start/),
    );
    if ((await engine.containers.inspect(space.name('web'))).networkMode !== `container:${owner}`)
      await recreateInNetwork({ ...engine, clock: systemClock }, await step(), signal);
    expect(await own()).toMatchObject([
      { names: [space.name('web')], status: 'running', networkMode: `container:${owner}` },
    ]);
    expect(await foundLater()).toEqual([]);
  });
});

it('attaches a container to the new network of its name in one stroke', async () => {
  const network = space.name('anew');
  const make = async () =>
    (
      await space.host.docker('network', 'create', ...space.labelled, '--subnet', '172.30.242.0/24', network)
    ).trim();
  await make();
  const asked = ['--network', network, '--network-alias', 'app', '--ip', '172.30.242.7'];
  const id = await space.start('attached', '--stop-timeout', '1', ...asked, image);
  await space.host.docker('stop', id);
  await space.host.docker('network', 'rm', network);
  const networkId = await make();
  const networks = {
    ...engine.networks,
    connect: engine.networks.connect.bind(engine.networks),
    disconnect: () => Promise.reject(new Error('there is no need to detach it')),
  };
  const name = space.name('attached');
  await reattach(
    { containers: engine.containers, networks },
    { do: 're-attach container', id, name, network, networkId },
  );
  await space.host.docker('start', id);
  expect((await engine.containers.inspect(id)).attachments[network]).toMatchObject({
    networkId,
    fixedIpv4: '172.30.242.7',
    aliases: expect.arrayContaining(['app']),
  });
});
