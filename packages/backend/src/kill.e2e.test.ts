/** The program as the process that it is, killed in the middle of each phase of each operation, and started again. */
import { BackendProgram } from '@berth/lab/provider';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rig, service } from './testing/rig/rig.ts';

let rig: Rig;
let program: BackendProgram;
beforeAll(async () => {
  rig = await Rig.open({ later: true, proxy: true, config: { startup_verify_duration: '50ms' } });
  program = await BackendProgram.start({ dockerSocket: `${rig.folder}/engine.sock`, config: rig.config });
  rig.attach(program.port);
});
afterAll(async () => {
  await program?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
});

const web = (version: string) => ({ web: service({ env: { VERSION: version } }) });

/** Kills it when it has got there, and starts it again. */
async function kill(): Promise<void> {
  await program.stop('SIGKILL');
  rig.proxy.clear();
  rig.proxy.cutConnections();
  rig.hangUp();
  await program.run();
  rig.attach(program.port);
}

/** Lets the operation begin, and kills the program when the engine has done that and nobody has heard of it yet. */
async function killAt(on: string, skip: number, act: () => Promise<unknown>): Promise<void> {
  const held = rig.proxy.add({ on, skip, fault: { kind: 'hold-answer' }, times: 1 });
  const asked = act().catch(() => undefined);
  await waitFor(`${on} to be done`, () => held.holding > 0, { timeoutMs: 60_000 });
  await kill();
  await asked;
}

/** Kills it when the callback has come in, before it is answered. */
async function killWhenTold(act: () => Promise<unknown>): Promise<void> {
  const heard = Promise.withResolvers<void>();
  rig.receiver.react = () => {
    heard.resolve();
    return 'silence';
  };
  const asked = act().catch(() => undefined);
  await heard.promise;
  rig.receiver.react = () => 200;
  await kill();
  await asked;
}

const phases = {
  provision: [
    ['POST /images/create', 0],
    ['POST /networks/create', 0],
    ['POST /containers/create', 0],
    ['POST /containers/*/start', 0],
    ['GET /containers/*/json', 0],
  ],
  update: [
    ['POST /containers/create', 0],
    ['POST /containers/*/stop', 0],
    ['POST /containers/*/rename', 0],
    ['POST /containers/*/rename', 1],
    ['POST /containers/*/start', 0],
    ['DELETE /containers/*', 0],
  ],
  deprovision: [
    ['POST /containers/*/stop', 0],
    ['DELETE /containers/*', 0],
    ['DELETE /networks/*', 0],
  ],
} as const;

/** The lease has come to what was asked for, and its caller has heard of that once (twice if the first was not answered). */
async function settled(
  uuid: string,
  before: number,
  version: string | undefined,
  heard = false,
): Promise<void> {
  const since = () => rig.receiver.of(uuid).slice(before);
  await waitFor('the outcome to be told', () => since().length > (heard ? 1 : 0), { timeoutMs: 60_000 });
  await rig.until(uuid, version === undefined ? undefined : 'ready');
  const outcome = version === undefined ? 'deprovisioned' : 'success';
  expect(since().map(({ status }) => status)).toEqual(heard ? [outcome, outcome] : [outcome]);
  const containers = await rig.containers();
  expect(containers.map(({ name, state }) => [name, state.status])).toEqual(
    version === undefined ? [] : [[`fred-${uuid}-web-0`, 'running']],
  );
  if (version !== undefined) expect(containers[0]?.config.Env).toContain(`VERSION=${version}`);
  expect(await rig.networks()).toHaveLength(version === undefined ? 0 : 1);
  expect(await rig.ask(200, 'GET', '/stats')).toMatchObject({
    allocated_cpu_cores: version === undefined ? 0 : 0.5,
  });
}

describe('killed', () => {
  it('in any phase of a provision, it provisions', async () => {
    for (const [on, skip] of phases.provision) {
      const body = rig.provisionBody(web('one'));
      const uuid = String(body['lease_uuid']);
      await killAt(on, skip, () => rig.ask(202, 'POST', '/provision', body));
      await settled(uuid, 0, 'one');
      await rig.deprovision(uuid);
    }
  });

  it('in any phase of an update, it updates', async () => {
    const uuid = await rig.running(web('0'));
    for (const [index, [on, skip]] of phases.update.entries()) {
      const version = String(index + 1);
      const before = rig.receiver.of(uuid).length;
      await killAt(on, skip, () => rig.update(uuid, web(version)));
      await settled(uuid, before, version);
    }
    await rig.deprovision(uuid);
  });

  it('in any phase of a close, it closes', async () => {
    for (const [on, skip] of phases.deprovision) {
      const uuid = await rig.running(web('one'));
      await killAt(on, skip, () => rig.deprovision(uuid));
      await settled(uuid, 1, undefined);
    }
  });

  it('when its caller has just heard and not answered, it says so again, and changes nothing', async () => {
    const body = rig.provisionBody(web('one'));
    const uuid = String(body['lease_uuid']);
    await killWhenTold(() => rig.ask(202, 'POST', '/provision', body));
    await settled(uuid, 0, 'one', true);
    await killWhenTold(() => rig.deprovision(uuid));
    await settled(uuid, 2, undefined, true);
  });

  it('with many leases in the middle of everything, it brings every one to its end', async () => {
    const held = rig.proxy.add({ on: 'POST /containers/*/start', fault: { kind: 'hold-answer' } });
    const ready = await Promise.all([1, 2].map(() => rig.provision(web('one'))));
    await waitFor('both', () => held.holding === 2, { timeoutMs: 60_000 });
    held.release();
    rig.proxy.clear();
    for (const uuid of ready) await rig.receiver.wait(uuid);
    const again = rig.proxy.add({ on: 'POST /containers/*/start', fault: { kind: 'hold-answer' } });
    const begun = await Promise.all([1, 2, 3].map(() => rig.provision(web('one'))));
    await Promise.all(ready.map((uuid) => rig.update(uuid, web('two'))));
    await waitFor('all', () => again.holding === 5, { timeoutMs: 60_000 });
    await kill();
    for (const uuid of begun) expect((await rig.receiver.wait(uuid)).status).toBe('success');
    for (const uuid of ready) expect((await rig.receiver.wait(uuid, 2)).status).toBe('success');
    expect(await rig.containers()).toHaveLength(5);
    expect(await rig.ask(200, 'GET', '/stats')).toMatchObject({ allocated_cpu_cores: 2.5 });
    await Promise.all([...begun, ...ready].map((uuid) => rig.deprovision(uuid)));
    expect(await rig.containers()).toEqual([]);
    expect(await rig.networks()).toEqual([]);
  });
});
