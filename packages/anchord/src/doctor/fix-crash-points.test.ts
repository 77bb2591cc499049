/**
 * The doctor is killed before and after each call of a repair. Whoever comes next brings it to its end: a later doctor, or
 * the anchor whose project it is.
 */
import { parseAsideName, recreateLabels } from '@berth/engine';
import { describe, expect, it } from 'vitest';
import { ofProject } from '../testing/life.ts';
import { simKeeper } from '../testing/sim-anchors.ts';
import { type Fate, SimHost } from '../testing/sim-host.ts';
import { halfDoneRepairs } from './checks/half-done.ts';
import { endRepair, recreateInNetwork } from './fix-containers.ts';

const labels = ofProject('mail');
const { signal } = new AbortController();
const quietMs = 200_000;

/** A dependent that sits in the network of an owner that was made anew. */
function stage(): SimHost {
  const host = new SimHost();
  const first = host.make('owner', { labels });
  host.start(first);
  host.start(host.make('web', { labels, mode: 'container:owner' }));
  host.all.delete(first.id);
  // Which tells an anchor, too, whose namespace it is now.
  host.start(host.make('owner', { labels: { ...labels, [recreateLabels.replaces]: first.id } }));
  host.calls = 0;
  return host;
}

const recreate = (host: SimHost): Promise<void> => {
  const networkMode = `container:${host.find('owner').id}`;
  return recreateInNetwork(host.door(), { id: host.find('web').id, networkMode, starts: true }, signal);
};

function expectTogether(host: SimHost): void {
  expect([...host.all.values()].map(({ name }) => name).sort()).toEqual(['owner', 'web']);
  expect(host.find('web')).toMatchObject({ status: 'running', namespace: host.find('owner').namespace });
}

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What is there after a doctor was killed at its call number `at`. */
async function killed(at: number, death: Fate): Promise<SimHost> {
  const host = stage();
  host.onCall = (_call, number) => (number === at ? death : 'done');
  let ended = false;
  void recreate(host).then(() => {
    ended = true;
  });
  for (let turns = 0; turns < 10 && !ended; turns++) await breathe();
  host.onCall = () => 'done';
  return host;
}

async function points(): Promise<readonly (readonly [number, Fate])[]> {
  const host = stage();
  await recreate(host);
  expectTogether(host);
  expect(host.calls).toBeGreaterThan(10);
  return Array.from({ length: host.calls }, (_, at) => at + 1).flatMap((at) => [
    [at, 'death before'] as const,
    [at, 'death after'] as const,
  ]);
}

const found = async (host: SimHost) => {
  const door = host.door();
  return await halfDoneRepairs(door, await door.containers.list(), host.clock.now());
};

describe('a doctor that is killed in the middle of a re-creation', () => {
  it('is followed by one that finds it, ends it, and then mends what there was to mend', async () => {
    let halfDone = 0;
    for (const [at, death] of await points()) {
      const host = await killed(at, death);
      host.pass(quietMs);
      for (const { step } of await found(host)) {
        if (step?.do !== 'end repair') throw new Error(`no step after ${death} of call ${at}`);
        halfDone += 1;
        // The owner of the old one is gone, so that it is put back and yet does not start.
        await endRepair(host.door(), step).catch((error: Error) =>
          expect(error.message).toMatch(/^the old one is back, but does not start: No such container/),
        );
      }
      expect([...host.all.values()].filter(({ name }) => parseAsideName(name) !== undefined)).toEqual([]);
      if (host.find('web').namespace !== host.find('owner').namespace) await recreate(host);
      expectTogether(host);
    }
    expect(halfDone).toBeGreaterThan(10);
  });

  it('is followed by an anchor that ends it, once nobody can be at it any more', async () => {
    for (const [at, death] of await points()) {
      const host = await killed(at, death);
      const anchor = simKeeper(host);
      await anchor.rest();
      host.pass(quietMs);
      expect(await anchor.rest()).toBe(true);
      expectTogether(host);
    }
  });

  it('is not disturbed while it may still be at work', async () => {
    const host = stage();
    const old = host.find('web');
    host.rename(old, 'web.berth-0123456789abcdef.up');
    const now = host.clock.now();
    const renamed = { type: 'container', action: 'rename', id: old.id, attributes: {}, at: now, key: '1' };
    const door = host.door();
    const looks = { ...door, events: { past: () => Promise.resolve([renamed]) } };
    const findings = await halfDoneRepairs(looks, await door.containers.list(), now + 1_000);
    expect(findings).toMatchObject([
      { subject: 'web', remedy: expect.stringContaining('may still be at it') },
    ]);
    expect(findings[0]?.step).toBeUndefined();
  });
});
