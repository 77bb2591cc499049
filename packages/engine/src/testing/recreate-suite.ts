import type { ContainerCreateRequest } from '@docker/node-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import type { ContainerDetails } from '../containers/index.ts';
import {
  type RecreateDoor,
  recoverRecreations,
  recreateContainer,
  recreateLabels,
  replaceContainer,
} from '../recreate/index.ts';
import type { System } from '../system/index.ts';

export type Call = 'rename' | 'create' | 'connect' | 'stop' | 'start' | 'remove';

/** What goes wrong with a call: it never arrives, its answer is lost, or it succeeds and is answered with an error. */
export type Trouble = 'lost request' | 'lost answer' | 'wrong answer';

/** An engine, real or not, on which things go wrong on order. */
export interface Bench {
  readonly door: RecreateDoor & { readonly system: Pick<System, 'spokenVersion'> };
  /** A container that ends at once has ended so long after its start. */
  readonly endsWithinMs: number;
  /** Of an image that stays up. */
  request(more?: ContainerCreateRequest): ContainerCreateRequest;
  /** A name of this test's own. */
  named(what: string): string;
  /** Has a network of this name made. */
  network(what: string): Promise<string>;
  /** Everything that this test has made and that is still there. */
  everything(): Promise<readonly ContainerDetails[]>;
  /** The next so many calls of this kind go wrong. */
  strike(call: Call, trouble: Trouble, times: number): void;
  /** From the so-manieth of these calls on nothing arrives any more: this program has died. */
  die(call: Call, trouble: 'lost request' | 'lost answer'): void;
  /** Everything works again. */
  mend(): void;
  /** Removes the containers. */
  clear(): Promise<void>;
}

export interface SuiteOptions {
  /**
   * Each trouble at each call by itself, each death with each way out; otherwise each trouble at all calls of one
   * operation, and a death at each call with recovery after it.
   */
  readonly everyCombination: boolean;
}

export const calls: readonly Call[] = ['rename', 'create', 'connect', 'stop', 'start', 'remove'];
const troubles: readonly Trouble[] = ['lost request', 'lost answer', 'wrong answer'];
const deaths = ['lost request', 'lost answer'] as const;
const settleMs = 100;

/** What re-creating has to do on every engine. */
export function recreateSuite(bench: () => Bench, { everyCombination }: SuiteOptions): void {
  let counter = 0;
  const operation = (): string => {
    counter += 1;
    return `op${String(counter).padStart(6, '0')}`;
  };
  const settled = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

  afterEach(() => bench().clear());

  /** A running container on two networks. */
  async function mail(more: ContainerCreateRequest = {}): Promise<ContainerDetails> {
    const { door, request, named, network } = bench();
    const own = await network('own');
    const { id } = await door.containers.create(
      request({ ...more, HostConfig: { NetworkMode: own, ...more.HostConfig } }),
      { name: named('mail') },
    );
    if (more.HostConfig?.NetworkMode === undefined)
      await door.networks.connect(await network('second'), id, { Aliases: ['post'] });
    await door.containers.start(id);
    return door.containers.inspect(id);
  }

  const recreate = (container: ContainerDetails, name = operation(), more: object = {}) =>
    recreateContainer(
      bench().door,
      { container: container.id, operation: name, graceS: 2, ...more },
      { settleMs },
    );

  /** There is one container, it has the name, and it runs or not. */
  async function expectOne(running = true): Promise<ContainerDetails> {
    const all = await bench().everything();
    expect(all.map(({ name, state }) => [name, state.running])).toEqual([[bench().named('mail'), running]]);
    const [one] = all;
    if (one === undefined) throw new Error('there is none');
    return one;
  }

  it('puts a new container into the place of the old one', async () => {
    const old = await mail();
    const made = await recreate(old);
    expect(made).toEqual({ id: expect.any(String), oldId: old.id, name: old.name, leftover: undefined });
    const now = await expectOne();
    expect(now.id).toBe(made.id);
    expect(now.id).not.toBe(old.id);
    expect(Object.keys(now.attachments).sort()).toEqual(Object.keys(old.attachments).sort());
    expect(now.image).toBe(old.image);
    expect(now.labels[recreateLabels.replaces]).toBe(old.id);
  });

  it('does it again and again', async () => {
    let old = await mail();
    for (let count = 0; count < 2; count++) {
      await recreate(old);
      old = await expectOne();
    }
  });

  it('leaves one that does not run as it was, made anew', async () => {
    const old = await mail();
    await bench().door.containers.stop(old.id, { graceS: 2 });
    await recreate(old);
    expect((await expectOne(false)).state.startedAt).toBeUndefined();
  });

  it("moves a container into another one's network", async () => {
    const { door, request, named } = bench();
    const old = await mail();
    const { id } = await door.containers.create(request(), { name: named('target') });
    await door.containers.start(id);
    await recreate(old, operation(), { networkMode: `container:${id}` });
    const all = await bench().everything();
    const now = all.find(({ name }) => name === old.name);
    expect(now).toMatchObject({ networkMode: `container:${id}`, attachments: {}, state: { running: true } });
    expect(all).toHaveLength(2);
  });

  it('changes nothing where that network is not there to be shared', async () => {
    const { door, request, named } = bench();
    const old = await mail();
    const { id } = await door.containers.create(request(), { name: named('target') });
    const failed = { code: 'ENGINE_RECREATE_FAILED', message: expect.stringContaining('does not run') };
    await expect(recreate(old, operation(), { networkMode: `container:${id}` })).rejects.toMatchObject(
      failed,
    );
    await door.containers.remove(id);
    await expect(recreate(old, operation(), { networkMode: `container:${id}` })).rejects.toMatchObject({
      code: 'ENGINE_RECREATE_FAILED',
    });
    expect(await expectOne()).toMatchObject({ id: old.id, state: { startedAt: old.state.startedAt } });
  });

  describe.each<[string, ContainerCreateRequest, string]>([
    ['ends at once', { Cmd: ['sh', '-c', 'exit 3'] }, 'ended with 3'],
    ['does not start', { Cmd: ['/nonexistent'] }, 'no such file'],
  ])('goes back where the new one %s', (_, more, why) => {
    it('and says why', async () => {
      const { door, request } = bench();
      const old = await mail();
      const replaced = replaceContainer(
        door,
        request({ ...more, HostConfig: { NetworkMode: old.networkMode } }),
        { container: old.name, operation: operation(), graceS: 2 },
        { settleMs: bench().endsWithinMs },
      );
      await expect(replaced).rejects.toMatchObject({
        code: 'ENGINE_RECREATE_FAILED',
        message: expect.stringContaining(why),
      });
      expect((await expectOne()).id).toBe(old.id);
    });
  });

  it('goes back where the new one does not do what it should', async () => {
    const old = await mail();
    const verify = (): Promise<void> => Promise.reject(new Error('port 25 does not answer'));
    await expect(
      recreateContainer(
        bench().door,
        { container: old.id, operation: operation(), graceS: 2 },
        { settleMs, verify },
      ),
    ).rejects.toMatchObject({
      code: 'ENGINE_RECREATE_FAILED',
      message: expect.stringContaining('port 25 does not answer'),
    });
    expect((await expectOne()).id).toBe(old.id);
  });

  it('keeps out of the way of a container that has taken the name', async () => {
    const { door, request, named } = bench();
    const old = await mail();
    await door.containers.rename(old.id, named('mail.berth-op999999.up'));
    const { id } = await door.containers.create(request(), { name: named('mail') });
    const outcome = await settled(recreate(old, 'op999999'));
    expect(outcome).toMatchObject({
      code: 'ENGINE_RECREATE_STUCK',
      message: expect.stringContaining('has the name'),
    });
    const names = (await bench().everything()).map((one) => [one.name, one.id]).sort();
    expect(names).toEqual([
      [named('mail'), id],
      [named('mail.berth-op999999.up'), old.id],
    ]);
  });

  it('is called off while the old one still runs, and brought to its end after that', async () => {
    const old = await mail();
    const { door } = bench();
    const change = { container: old.id, operation: operation(), graceS: 2 };
    await expect(
      recreateContainer(door, change, { signal: AbortSignal.abort(), settleMs }),
    ).rejects.toMatchObject({
      code: 'ENGINE_ABORTED',
    });
    expect((await expectOne()).id).toBe(old.id);
    const stop = new AbortController();
    const verify = (): Promise<void> => Promise.resolve(stop.abort());
    await recreateContainer(door, change, { signal: stop.signal, settleMs, verify });
    expect((await expectOne()).id).not.toBe(old.id);
  });

  describe.each(troubles)('gets over a %s', (trouble) => {
    it.each(everyCombination ? calls.map((call) => [call]) : [calls])('at "%s"', async (...struck) => {
      const old = await mail();
      for (const call of struck) bench().strike(call, trouble, 1);
      await recreate(old);
      const now = await expectOne();
      expect(now.id).not.toBe(old.id);
      expect(Object.keys(now.attachments).sort()).toEqual(Object.keys(old.attachments).sort());
    });
  });

  it.each(['create', 'connect', 'start'] as const)('goes back where "%s" fails for good', async (call) => {
    if (call === 'connect' && (await bench().door.system.spokenVersion()).minor >= 44) return;
    const old = await mail();
    bench().strike(call, 'lost request', 3);
    await expect(recreate(old)).rejects.toMatchObject({ code: 'ENGINE_RECREATE_FAILED' });
    expect((await expectOne()).id).toBe(old.id);
  });

  it('lets the new one stay where the old one cannot be removed, and removes that later', async () => {
    const old = await mail();
    bench().strike('remove', 'lost request', 3);
    const made = await recreate(old);
    expect(made).toMatchObject({ oldId: old.id, leftover: { code: 'ENGINE_CONNECTION_LOST' } });
    expect(await bench().everything()).toHaveLength(2);
    const recovered = await recoverRecreations(bench().door, () => true, { settleMs });
    expect(recovered).toMatchObject([{ leftover: { id: old.id }, outcome: 'finished' }]);
    expect((await expectOne()).id).toBe(made.id);
  });

  describe.each(everyCombination ? deaths : deaths.slice(-1))('after dying with a %s', (trouble) => {
    const ways = everyCombination ? (['recovery', 'the same operation'] as const) : (['recovery'] as const);
    it.each(
      calls.flatMap((call) => ways.map((by) => [call, by] as const)),
    )('at "%s", is put right by %s', async (call, by) => {
      const old = await mail();
      const name = operation();
      bench().die(call, trouble);
      await settled(recreate(old, name));
      bench().mend();
      if (by === 'recovery')
        await recoverRecreations(bench().door, (leftover) => leftover.id === old.id, { settleMs });
      else await recreate(old, name);
      const now = await expectOne();
      if (by !== 'recovery') expect(now.labels[recreateLabels.operation]).toBe(name);
      expect(Object.keys(now.attachments).sort()).toEqual(Object.keys(old.attachments).sort());
    });
  });

  it('tells what it has done when it is asked for the same again', async () => {
    const old = await mail();
    const name = operation();
    const made = await recreate(old, name);
    expect(await recreate(old, name)).toEqual(made);
    expect((await expectOne()).id).toBe(made.id);
  });

  it('leaves alone what another operation set aside', async () => {
    const old = await mail();
    await bench().door.containers.rename(old.id, `${old.name}.berth-someone1.up`);
    expect(await recoverRecreations(bench().door, () => false)).toEqual([]);
    await expect(recreate(old)).rejects.toMatchObject({ code: 'ENGINE_RECREATE_REFUSED' });
    await recoverRecreations(bench().door, ({ operation: whose }) => whose === 'someone1');
    expect((await expectOne()).id).toBe(old.id);
  });
}
