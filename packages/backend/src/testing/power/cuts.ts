/** Cuts the power in the middle of a life, at as many moments as there are or as one wants, and lets the program recover. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DiskKind, type Journal, type Loss, PowerDisks } from '@berth/kernel/testing/power-disk';
import { waitFor } from '@berth/lab/testing';
import { seededRandom } from '@berth/service';
import { leaseId } from '../leases.ts';
import { MemoryEngine } from '../memory-engine.ts';
import { Life, type Moment, provisionBody, restoreBody, volumes } from './life.ts';
import { PowerHost } from './power-host.ts';
import { broken, look, type Place, type Promised, placesOf, service } from './promises.ts';

export interface CutsOptions {
  readonly kind: 'btrfs' | 'xfs' | 'zfs';
  /** The stores lie on a disk of their own, of this kind, which loses what was not flushed there. */
  readonly stores?: DiskKind;
  readonly diskMb: number;
  readonly seed: number;
  /** How many of the moments are tried. */
  readonly most: number;
}

export interface CutsReport {
  /** Writes, flushes and marks of the whole life. */
  readonly records: number;
  readonly moments: number;
  readonly cuts: number;
  /** What was not as promised after which cut. */
  readonly failures: readonly string[];
}

const recoveryMs = 60_000;
const losses: readonly Loss[] = ['all', 'some', 'none'];

export async function cutEverywhere({ kind, stores, diskMb, seed, most }: CutsOptions): Promise<CutsReport> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-power-'));
  try {
    await using disks = await PowerDisks.open(stores === undefined ? [kind] : [kind, stores], diskMb);
    const [volumeDisk = '', storeDisk = volumeDisk] = disks.roots;
    await using host = await PowerHost.on({
      kind,
      volumeDisk,
      storeDisk,
      configFile: join(folder, 'backend.yaml'),
    });
    host.makeFolders();
    const life = new Life(disks, host);
    await life.run();
    await host.stop();
    const random = seededRandom(seed);
    const journal = await disks.recorded(random);
    const all = journal.moments(journal.marks[0]?.at ?? 0);
    const tries = all.flatMap((at) => losses.map((loss) => ({ at, loss })));
    const share = Math.min(1, most / tries.length);
    const failures: string[] = [];
    let [cuts, due] = [0, random()];
    for (const { at, loss } of tries) {
      due += share;
      if (due < 1) continue;
      due -= 1;
      cuts++;
      const moment = momentOf(journal, life.moments, at);
      using _mounted = disks.mountCut(journal.cut(at, loss));
      const wrong = await recover(host, moment).catch((error: unknown) => [String(error)]);
      await host.stop();
      if (wrong.length > 0)
        failures.push(
          `power lost after record ${at} with ${loss} of what was not flushed: ${wrong.join('; ')}`,
        );
    }
    return { records: journal.records.length, moments: all.length, cuts, failures };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What held at the last mark before the cut. */
function momentOf({ marks }: Journal, moments: readonly Moment[], at: number): Moment {
  const mark = marks.findLast((one) => one.at < at);
  const moment = moments[Number(mark?.text ?? 0)];
  if (moment === undefined) throw new Error(`there is no moment ${mark?.text}`);
  return moment;
}

/** The machine starts again, with the containers that the engine had, none of which runs; what is wrong then. */
async function recover(
  host: PowerHost,
  { promises, settings, engine: from }: Moment,
): Promise<readonly string[]> {
  host.makeFolders();
  await host.start(new MemoryEngine({ volumes, from }), settings);
  const wrong = await settled(host, promises);
  if (wrong.length > 0 || settings['retention_max_age'] !== undefined) return wrong;
  return await everythingUsable(host, promises);
}

/** What goes on by itself may take its time; what is wrong in the end. */
async function settled(host: PowerHost, promises: ReadonlyMap<string, Promised>): Promise<readonly string[]> {
  let wrong: readonly string[] = [];
  const isRight = async (): Promise<boolean> => {
    wrong = broken(promises, await look(host));
    return wrong.length === 0;
  };
  await waitFor('everything to be as promised', isRight, { timeoutMs: recoveryMs }).catch(() => undefined);
  return wrong;
}

/** Leases that have failed start again with their data, and what is kept can be restored. */
async function everythingUsable(
  host: PowerHost,
  promises: ReadonlyMap<string, Promised>,
): Promise<readonly string[]> {
  const seen = await look(host);
  const moved = new Map<string, string>();
  const start = async (lease: string, path: string, body: unknown): Promise<void> => {
    const before = host.receiver.of(lease).length;
    await host.ask(202, 'POST', path, body);
    const { status } = await host.receiver.wait(lease, before + 1, recoveryMs);
    if (status !== 'success') throw new Error(`lease ${lease} ended ${status}: ${host.said.join(', ')}`);
  };
  const quantity = (items: readonly { readonly service_name: string; readonly quantity: number }[]): number =>
    items.find((item) => item.service_name === service)?.quantity ?? 0;
  for (const { lease_uuid: lease, status, items } of seen.live.values())
    if (status === 'failed') await start(lease, '/provision', provisionBody(host, lease, quantity(items)));
  for (const [index, { lease_uuid: from, items }] of [...seen.kept.values()].entries()) {
    const to = leaseId(100 + index);
    await start(to, '/restore', restoreBody(host, from, to, quantity(items)));
    moved.set(from, to);
  }
  const after = ({ lease, as }: Place): Place =>
    as === 'live' ? { lease, as } : { lease: moved.get(lease) ?? lease, as: 'live' };
  const moving = Array.from(
    promises,
    ([data, promised]) => [data, { ...promised, places: placesOf(promised, seen).map(after) }] as const,
  );
  return await settled(host, new Map(moving));
}
