/** All that works with containers, as the program puts it together, on an engine in memory and on volumes that are folders. */
import { writeFileSync } from 'node:fs';
import type { Engine } from '@berth/engine';
import { Scope, VirtualClock } from '@berth/service';
import type { Log } from '@berth/service/log';
import { Registry } from '@berth/service/metrics';
import { RecordingLog } from '@berth/service/testing';
import { type Config, configFrom, readConfig } from '../config/index.ts';
import { LeaseBook, type LeaseWork } from '../leases/index.ts';
import { backendMetrics } from '../metrics/index.ts';
import { DomainGate } from '../operations/index.ts';
import { GroupCommit, ReleaseStore } from '../stores/index.ts';
import { liveClaims } from '../volumes/index.ts';
import { NameLocks } from '../volumes/name-locks.ts';
import { doorTo } from '../volumes/open.ts';
import { Volumes } from '../volumes/volumes.ts';
import { type Workload, workload } from '../workload/index.ts';
import { FolderFilesystem } from './folder-filesystem.ts';
import { storeFolder } from './store-folder.ts';

type Kept = Parameters<typeof workload>[0]['kept'];

export async function workloadConfig(more: Readonly<Record<string, unknown>> = {}): Promise<Config> {
  using folder = storeFolder();
  const file = folder.path('backend.yaml');
  const settings = {
    host_address: '203.0.113.10',
    callback_secret: 'a secret of the tests, thirty-two characters long',
    volume_data_path: '/nowhere',
    container_readonly_rootfs: false,
    startup_verify_duration: '1ms',
    sku_profiles: { small: { cpu_cores: 0.5, memory_mb: 64, disk_mb: 10 } },
    ...more,
  };
  writeFileSync(file, JSON.stringify(settings));
  return configFrom(await readConfig(file, {}));
}

export interface InMemory {
  readonly scope: Scope;
  readonly clock: VirtualClock;
  readonly log: Log;
  readonly config: Config;
  readonly book: LeaseBook;
  readonly releases: ReleaseStore;
  readonly disk: FolderFilesystem;
  readonly engine: Engine;
  /** What becomes of kept data; nobody asks for it if it is not given. */
  readonly kept?: Kept;
}

export function workloadInMemory({ disk, book, log, clock, kept = noData, ...more }: InMemory): Workload {
  const locks = new NameLocks();
  const claims = [liveClaims(book)];
  const door = doorTo(disk, {
    claims,
    backendName: more.config.name,
    locks,
    log,
    onRefused: () => undefined,
  });
  return workload({
    ...more,
    book,
    log,
    clock,
    kept,
    gate: new DomainGate({ ...noIngress, clock }),
    disk: { entriesIn: () => 1000, volumes: new Volumes(disk, locks), door },
    metrics: new Registry(() => undefined).add(backendMetrics),
  });
}

/** A lease that has nothing but what is given here, with this manifest. */
export interface Alone {
  readonly engine: Engine;
  readonly disk?: FolderFilesystem;
  readonly clock?: VirtualClock;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What is asked for kept data. */
  readonly kept?: Partial<Kept>;
  readonly uuid: string;
  readonly manifest: string;
}

/** What comes of work on one lease while time passes as fast as it can. */
export async function outcomeInMemory<Result>(
  { engine, disk, clock = new VirtualClock(), settings, kept, uuid, manifest }: Alone,
  run: (work: LeaseWork) => Promise<Result>,
): Promise<Result> {
  using folder = storeFolder();
  using ownDisk = new FolderFilesystem();
  await using scope = new Scope('work', () => undefined);
  const releases = new ReleaseStore(folder.path('releases.db'));
  scope.defer(() => releases.file.close());
  const { leases } = workloadInMemory({
    scope,
    clock,
    log: new RecordingLog().log,
    config: await workloadConfig(settings),
    book: new LeaseBook(releases, new GroupCommit(releases.file)),
    releases,
    disk: disk ?? ownDisk,
    engine,
    kept: { ...noData, ...kept },
  });
  const bytes = new TextEncoder().encode(manifest);
  releases.file.transaction(() => releases.apply(uuid, [{ kind: 'stage', manifest: bytes }], 1));
  let ended = false;
  const result = run(leases).finally(() => {
    ended = true;
  });
  result.catch(() => undefined);
  const deadline = performance.now() + 60_000;
  while (!ended) {
    if (performance.now() > deadline) throw new Error('it does not come to an end');
    await clock.advance(1000);
  }
  return await result;
}

const noIngress = { ingress: false, wildcardDomain: '', unchecked: true, resolvers: [], quorum: 0 };

const unasked = (): never => {
  throw new Error('nobody should ask for kept data here');
};
const noData: Kept = {
  closing: { begin: unasked, volumesOf: unasked },
  takingBack: { into: unasked },
  restoring: { demandAdopted: unasked, failed: unasked },
};
