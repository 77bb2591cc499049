/** The life of a lease on a real engine, operation by operation, for programs that die in the middle of it. */
import { waitFor } from '@berth/lab/testing';
import { expect } from 'vitest';
import { tenantNetworkName } from '../../names/index.ts';
import type { Told } from './callback-receiver.ts';
import { type Rig, service } from './rig.ts';

const tenantOf = (rig: Rig): string => `${rig.name}-tenant`;
const web = (round: number) => ({ web: service({ env: { ROUND: String(round) }, ports: { '80/tcp': {} } }) });

/** One operation on a lease: how it is asked for, and how it looks when it has been done. */
export interface Operation {
  readonly name: string;
  readonly ask: (rig: Rig, uuid: string) => Promise<unknown>;
  /** Has the lease heard of it? Asked after a death before the answer. */
  readonly known: (rig: Rig, uuid: string) => Promise<boolean>;
  readonly outcome: 'success' | 'deprovisioned';
  readonly round: string | undefined;
}

const releases = async (rig: Rig, uuid: string): Promise<number> => {
  const { status, body } = await rig.call('GET', `/releases/${uuid}`);
  return status === 200 ? (body as readonly unknown[]).length : 0;
};

/** In the order of the life of a lease. */
export const operations: readonly Operation[] = [
  {
    name: 'provision',
    ask: (rig, uuid) => rig.provision(web(1), { uuid, tenant: tenantOf(rig) }),
    known: async (rig, uuid) => (await rig.info(uuid)) !== undefined,
    outcome: 'success',
    round: '1',
  },
  {
    name: 'update',
    ask: (rig, uuid) => rig.update(uuid, web(2)),
    known: async (rig, uuid) => (await releases(rig, uuid)) === 2,
    outcome: 'success',
    round: '2',
  },
  {
    name: 'restart',
    ask: (rig, uuid) => rig.restart(uuid),
    known: async (rig, uuid) => (await releases(rig, uuid)) === 3,
    outcome: 'success',
    round: '2',
  },
  {
    name: 'deprovision',
    ask: (rig, uuid) => rig.deprovision(uuid),
    known: async (rig, uuid) => ['deprovisioning', undefined].includes((await rig.info(uuid))?.status),
    outcome: 'deprovisioned',
    round: undefined,
  },
];

/** All is as it should be after the operation, however often the program has died in it. */
export async function checkDone(
  rig: Rig,
  uuid: string,
  { outcome, round }: Operation,
  where: string,
  toldSince: () => readonly Told[],
  heardBefore: boolean,
): Promise<void> {
  await waitFor(`a callback after ${where}`, () => toldSince().length > 0, { timeoutMs: 60_000 });
  await rig.until(uuid, outcome === 'success' ? 'ready' : undefined);
  expect([...new Set(toldSince().map(({ status }) => status))], where).toEqual([outcome]);
  expect(
    toldSince().length,
    `${where}: told ${heardBefore ? 'again at most once' : 'once'}`,
  ).toBeLessThanOrEqual(heardBefore ? 2 : 1);
  const containers = await rig.containers();
  const wanted = round === undefined ? [] : [`fred-${uuid}-web-0`];
  expect(
    containers.map(({ name }) => name),
    where,
  ).toEqual(wanted);
  for (const { state, config } of containers) {
    expect(state.status, where).toBe('running');
    expect(config.Env, where).toContain(`ROUND=${round}`);
  }
  expect(await rig.networks(), where).toEqual(round === undefined ? [] : [tenantNetworkName(tenantOf(rig))]);
  expect(await rig.ask(200, 'GET', '/stats'), where).toMatchObject({
    allocated_cpu_cores: round === undefined ? 0 : 0.5,
    allocated_memory_mb: round === undefined ? 0 : 64,
  });
}
