/** What an operator does with the stores while the backend does not run (or, for a backup, while it does). */

import { Scope } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import type { Config } from '../config/index.ts';
import { errors } from '../errors.ts';
import { bringOver, type Found, findUpstream, type ImportStores, type Report } from '../import/index.ts';
import { isRetained } from '../names/index.ts';
import { RetentionClaims, recordCopies } from '../retention/index.ts';
import { CallbackStore, DiagnosticsStore, ReleaseStore, RetentionStore, rootFact } from '../stores/index.ts';
import { type KnownRoot, openVolumes, type Volumes } from '../volumes/index.ts';
import { backUpStores } from './backup.ts';
import { findLost } from './recover.ts';

export interface MaintenanceHost {
  readonly out: (text: string) => void;
  readonly now: () => number;
  readonly log: Log;
}

type Say = (line: string) => void;

const saying =
  ({ out }: MaintenanceHost): Say =>
  (line) =>
    out(`${line}\n`);

function withStores<T>(config: Config, work: (stores: ImportStores) => T): T {
  const opened: { readonly file: { close(): void } }[] = [];
  const open = <S extends { readonly file: { close(): void } }>(store: S): S => {
    opened.push(store);
    return store;
  };
  try {
    return work({
      callbacks: open(new CallbackStore(config.callbackDbPath)),
      diagnostics: open(new DiagnosticsStore(config.diagnosticsDbPath)),
      releases: open(new ReleaseStore(config.releasesDbPath)),
      retention: open(new RetentionStore(config.retentionDbPath)),
    });
  } finally {
    for (const { file } of opened) file.close();
  }
}

const kinds = ['retention', 'releases', 'callbacks', 'diagnostics'] as const;

/** Exit code: 0 all of it, 1 something of it could not be read (and was kept as it is). */
export function importCommand(
  config: Config,
  options: { readonly from: string; readonly dryRun: boolean },
  host: MaintenanceHost,
): number {
  const say = saying(host);
  const found = findUpstream(options.from);
  for (const file of found.missing) say(`${file} is not there, and is passed over`);
  const unreadable = kinds.flatMap((kind) =>
    found[kind].filter(({ value }) => value === undefined).map(({ key }) => `${kind} ${key}`),
  );
  if (options.dryRun) for (const kind of kinds) say(`${kind}: ${found[kind].length} would be brought over`);
  else
    sayReport(
      withStores(config, (stores) => bringOver(found, stores, config.catalogue, host.now())),
      say,
    );
  sayUnsized(found, config, say);
  for (const what of unreadable) say(`${what} cannot be read: it is kept as it is, and protects its lease`);
  return unreadable.length === 0 ? 0 : 1;
}

function sayReport(report: Report, say: Say): void {
  for (const kind of kinds)
    say(`${kind}: ${report[kind].written} brought over, ${report[kind].present} were there already`);
}

/** What a SKU that nobody offers any more has on disk is counted for nothing. */
function sayUnsized({ retention }: Found, { catalogue }: Config, say: Say): void {
  const known = (sku: string): boolean => catalogue.profiles.has(catalogue.mapping.get(sku) ?? sku);
  const skus = new Set(
    retention.flatMap(({ value }) => (value?.items ?? []).map(({ sku }) => sku)).filter((sku) => !known(sku)),
  );
  for (const sku of skus) say(`SKU ${sku} is not configured: its kept data counts for nothing in the pool`);
}

export async function backupCommand(
  config: Config,
  options: { readonly to: string },
  host: MaintenanceHost,
): Promise<number> {
  const { callbackDbPath, diagnosticsDbPath, releasesDbPath, retentionDbPath } = config;
  const paths = [releasesDbPath, retentionDbPath, callbackDbPath, diagnosticsDbPath];
  for (const path of await backUpStores(paths, options.to)) saying(host)(path);
  return 0;
}

export interface RecoverOptions {
  readonly dryRun: boolean;
  /** The disk of the volumes is another one: it counts as the root from now on, also when nothing is on it. */
  readonly newRoot: boolean;
}

/** Exit code: 0 every kept volume has a record (or would have), 1 there are some that nothing is known of. */
export async function recoverCommand(
  config: Config,
  { dryRun, newRoot }: RecoverOptions,
  host: MaintenanceHost,
): Promise<number> {
  const say = saying(host);
  if (newRoot && config.volumeDataPath === '')
    throw errors.error('no_volume_root', 'there is no volume_data_path that could be taken');
  await using scope = new Scope('recover', (error) => host.log.error(errorText(error)));
  const opened = <S extends { readonly file: { close(): void } }>(store: S): S => {
    scope.defer(() => store.file.close());
    return store;
  };
  const store = opened(new RetentionStore(config.retentionDbPath));
  const releases = newRoot && !dryRun ? opened(new ReleaseStore(config.releasesDbPath)) : undefined;
  const { volumes } = await openVolumes({
    root: config.volumeDataPath,
    filesystem: config.volumeFilesystem,
    minAvgFileBytes: config.minAvgFileBytes,
    totalDiskMb: config.total.diskMb,
    backendName: config.name,
    claims: [new RetentionClaims(store)],
    log: host.log,
    scope,
    ...(releases !== undefined && { known: takeAnyRoot(releases) }),
    meter: { refused: () => undefined, clearFailed: () => undefined },
  });
  if (newRoot) say(`${config.volumeDataPath} ${dryRun ? 'would be' : 'is'} the volume root from now on`);
  return await recoverRecords({ store, volumes, backend: config.name, dryRun, now: host.now, say });
}

const takeAnyRoot = (releases: ReleaseStore): KnownRoot => ({
  get: () => undefined,
  set: (id) => releases.setFact(rootFact, id),
});

interface RecordsToRecover {
  readonly store: RetentionStore;
  readonly volumes: Volumes;
  readonly backend: string;
  readonly dryRun: boolean;
  readonly now: () => number;
  readonly say: Say;
}

async function recoverRecords(work: RecordsToRecover): Promise<number> {
  const { store, volumes, backend, dryRun, now, say } = work;
  const { found, unknown } = await findLost(store, volumes, recordCopies(volumes.root), backend, now());
  const listed = (await volumes.list()).filter(isRetained).length;
  say(`${listed} kept volumes, ${found.length} leases without a record, ${unknown.length} volumes of nobody`);
  for (const { record, from } of found) {
    const { original_lease_uuid: lease, tenant, retained_volume_names: names } = record;
    const restorable = record.stack_manifest === null ? ', without a manifest: kept, and not restorable' : '';
    say(`lease ${lease} of ${tenant}: ${names.length} volumes, from its ${from}${restorable}`);
    if (!dryRun) store.adopt(lease, record);
  }
  for (const name of unknown) say(`${name}: nothing says whose it is; it is left alone`);
  if (dryRun) say('nothing was changed');
  // Where there is nothing, nothing has been decided: perhaps the disk is not mounted.
  else if (listed > 0) store.learn('imported', now());
  return unknown.length === 0 ? 0 : 1;
}
