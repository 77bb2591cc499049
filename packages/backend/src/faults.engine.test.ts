/** An engine behind a connection that loses answers, breaks off and is slow: operations end all the same, and leave nothing. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rig, service } from './testing/rig/rig.ts';

const changes = [
  'POST /images/create',
  'POST /networks/create',
  'POST /containers/create',
  'POST /containers/*/start',
  'POST /containers/*/stop',
  'POST /containers/*/rename',
  'DELETE /containers/*',
  'DELETE /networks/*',
] as const;
const looks = [
  'GET /containers/json',
  'GET /containers/*/json',
  'GET /images/**/json',
  'GET /networks',
] as const;

const faults = {
  'is done and answered with 500': { kind: 'fail-after', status: 500 },
  'is done and the connection breaks off': { kind: 'drop-answer' },
  'never arrives': { kind: 'drop' },
  'is late': { kind: 'delay', ms: 200 },
} as const;
type FaultName = keyof typeof faults;

interface Case {
  readonly on: string;
  readonly fault: FaultName;
  /** Does every operation have to succeed all the same? */
  readonly harmless: boolean;
}

const cases: readonly Case[] = [
  ...changes.flatMap((on) =>
    (Object.keys(faults) as FaultName[]).map((fault) => ({
      on,
      fault,
      // A pull that breaks off has to be asked for again; what never arrived has not happened.
      harmless: fault === 'is late' || (fault !== 'never arrives' && on !== 'POST /images/create'),
    })),
  ),
  ...looks.map((on) => ({ on, fault: 'is done and the connection breaks off' as const, harmless: false })),
];

const lanes = 3;
const rigs: Rig[] = [];
beforeAll(async () => {
  const config = { startup_verify_duration: '50ms', reconcile_interval: '1h' };
  for (let lane = 0; lane < lanes; lane++) rigs.push(await Rig.open({ proxy: true, config }));
});
afterAll(() => Promise.all(rigs.map((rig) => rig[Symbol.asyncDispose]())));

const web = (version: string) => ({ web: service({ env: { VERSION: version } }) });

/** A whole life of a lease, with the fault striking once in each of its operations. */
async function live(rig: Rig, { on, fault, harmless }: Case): Promise<number> {
  const where = `${on} that ${fault}`;
  let hits = 0;
  const strike = async (act: () => Promise<string>): Promise<string> => {
    const rule = rig.proxy.add({ on, fault: faults[fault], times: 1 });
    const outcome = await act();
    hits += rule.hits;
    rig.proxy.clear();
    return outcome;
  };
  const told = async (uuid: string, act: () => Promise<unknown>): Promise<string> =>
    (await rig.next(uuid, act)).status;
  const body = rig.provisionBody(web('one'));
  const uuid = String(body['lease_uuid']);
  const provisioned = await strike(() => told(uuid, () => rig.ask(202, 'POST', '/provision', body)));
  if (provisioned === 'failed') {
    expect(await rig.containers(uuid), where).toEqual([]);
    expect(await told(uuid, () => rig.ask(202, 'POST', '/provision', body))).toBe('success');
  }
  const updated = await strike(() => told(uuid, () => rig.update(uuid, web('two'))));
  const all = await rig.containers(uuid);
  expect(all, where).toHaveLength(1);
  const [{ name, config, state }] = all as [(typeof all)[number]];
  expect([name, state.status], where).toEqual([`fred-${uuid}-web-0`, 'running']);
  // A failed pull leaves the lease failed with what ran before; anything else is the new version, or the old one again.
  expect(config.Env, where).toContain(`VERSION=${updated === 'success' ? 'two' : 'one'}`);
  const restarted = await strike(() => told(uuid, () => rig.restart(uuid)));
  expect(
    (await rig.containers(uuid)).map(({ state: now }) => now.status),
    where,
  ).toEqual(['running']);
  const closed = await strike(async () => {
    const { status } = await rig.call('POST', '/deprovision', { lease_uuid: uuid });
    return status === 200 ? 'success' : 'failed';
  });
  if (closed === 'failed') await rig.deprovision(uuid);
  await waitFor('the close to be told', () => rig.receiver.of(uuid).at(-1)?.status === 'deprovisioned', {
    timeoutMs: 60_000,
  });
  expect(await rig.containers(), where).toEqual([]);
  expect(await rig.ask(200, 'GET', '/stats'), where).toMatchObject({
    allocated_cpu_cores: 0,
    allocated_memory_mb: 0,
  });
  if (harmless) expect([provisioned, updated, restarted, closed], where).toEqual(Array(4).fill('success'));
  return hits;
}

describe('a connection to the engine', () => {
  it('that fails in the middle of anything is no end of anything', async () => {
    let next = 0;
    const struck = new Map<string, number>();
    const lane = async (rig: Rig): Promise<void> => {
      for (let one = cases[next++]; one !== undefined; one = cases[next++])
        struck.set(`${one.on} ${one.fault}`, await live(rig, one));
    };
    await Promise.all(rigs.map(lane));
    const sum = [...struck.values()].reduce((a, b) => a + b, 0);
    console.log(`faults of the engine's connection: ${cases.length} kinds, struck ${sum} times`);
    expect(
      [...struck].filter(([, hits]) => hits === 0),
      'every kind has struck',
    ).toEqual([]);
  }, 1_200_000);

  it('that is gone for a while fails what is under way, and is found again', async () => {
    const [rig] = rigs as [Rig];
    const uuid = await rig.running(web('one'));
    await rig.proxy.refuse();
    const begun = await rig.provision(web('one'));
    expect(await rig.receiver.wait(begun)).toMatchObject({ status: 'failed' });
    expect((await rig.call('GET', '/health')).status).toBe(503);
    await rig.proxy.accept();
    await waitFor('health', async () => (await rig.call('GET', '/health')).status === 200, {
      timeoutMs: 60_000,
    });
    const { id } = await rig.container(uuid);
    await waitFor('the stream of events', () => rig.proxy.exchanges.at(-1) !== undefined, {
      timeoutMs: 60_000,
    });
    expect(await rig.next(uuid, () => rig.engine.containers.kill(id))).toMatchObject({ status: 'failed' });
    await Promise.all([uuid, begun].map((one) => rig.deprovision(one)));
  });
});

/** Writes until there is no room any more. */
function fill(file: string): void {
  const descriptor = openSync(file, 'w');
  try {
    for (;;) writeSync(descriptor, Buffer.alloc(4096));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    closeSync(descriptor);
  }
}

describe('a disk that is full', () => {
  it('refuses what it cannot write down, tells nothing that it has not, and goes on when there is room again', async () => {
    await using rig = await Rig.open({ later: true, config: { reconcile_interval: '1s' } });
    const folder = join(rig.folder, 'small');
    mkdirSync(folder);
    // A store has to stand where we see it ourselves: for the time of the test, this is a mount of the machine.
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'berth-small', folder]);
    const store = (name: string): string => join(folder, `${name}.db`);
    try {
      rig.configure({
        releases_db_path: store('releases'),
        callback_db_path: store('callbacks'),
        diagnostics_db_path: store('diagnostics'),
      });
      await rig.start();
      const uuid = await rig.running(web('one'));
      fill(join(folder, 'filler'));
      const refused = rig.provisionBody(web('two'));
      await rig.ask(500, 'POST', '/provision', refused);
      expect(await rig.info(String(refused['lease_uuid'])), 'nothing of it is left').toBeUndefined();
      expect((await rig.call('GET', '/health')).status).toBe(503);
      await rig.engine.containers.kill((await rig.container(uuid)).id);
      await waitFor('it to be said', () => rig.program.logs.messages('error').length > 0, {
        timeoutMs: 60_000,
      });
      expect(rig.receiver.of(uuid).length, 'what is not written down is not told').toBe(1);
      rmSync(join(folder, 'filler'));
      expect(await rig.receiver.wait(uuid, 2)).toMatchObject({ error: 'container exited unexpectedly' });
      await rig.deprovision(uuid);
      await waitFor('the close to be told', () => rig.receiver.of(uuid).at(-1)?.status === 'deprovisioned', {
        timeoutMs: 60_000,
      });
      await rig.stop();
    } finally {
      await rig.stop();
      execFileSync('umount', ['--lazy', folder]);
    }
  });
});
