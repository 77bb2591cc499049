/**
 * Containers from before there were stacks get successors of today's form, before anything else is done with their leases.
 * That is a replacement like any other: the old ones are stopped and set aside, and come back when the new ones do not prove
 * themselves. A crash in the middle is gone on with at the next start.
 */
import { type Clock, type Scope, sleep } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import { errors } from '../errors.ts';
import type { Lease, Operation } from '../lease/index.ts';
import {
  flatServiceName,
  parseStoredManifest,
  type StackManifest,
  serializeManifest,
} from '../manifest/index.ts';
import type { SkuCatalogue } from '../placement/index.ts';
import type { Release, ReleaseStore } from '../stores/index.ts';
import type { InstanceVolumes } from './instance-volumes.ts';
import type { LeaseContainer } from './listing.ts';
import { together } from './order.ts';
import { rebuiltLease } from './rebuild.ts';
import { Replacement, type ReplacementContext } from './replacement.ts';
import { timeLimit } from './time-limit.ts';

export interface MigrationContext extends ReplacementContext {
  readonly volumes: InstanceVolumes;
  readonly scope: Scope;
  readonly releases: ReleaseStore;
  readonly catalogue: SkuCatalogue;
  readonly clock: Clock;
  readonly log: Log;
  /** How long the new containers of a lease may take to prove themselves. */
  readonly limitMs: number;
  /** How long the old ones stay after that. */
  readonly graceMs: number;
}

/** Always the same, so that a restarted process knows what it has made already. */
const migrationId = 'migration';

const rollbackMs = 120_000;
const never = new AbortController().signal;

export class Migration {
  readonly #context: MigrationContext;

  constructor(context: MigrationContext) {
    this.#context = context;
  }

  /** Rejects when a lease cannot be migrated, after all others have been; it runs as before then. */
  async run(containers: readonly LeaseContainer[]): Promise<void> {
    const { log } = this.#context;
    const problems: string[] = [];
    const byLease = Map.groupBy(containers, ({ lease }) => lease);
    for (const uuid of [...byLease.keys()].sort()) {
      const mine = byLease.get(uuid) ?? [];
      if (!mine.some(({ legacy }) => legacy)) continue;
      try {
        if (isUnfinished(mine)) await this.#migrate(uuid, mine);
        else this.#recordLate(uuid);
        this.#dropLater(uuid);
      } catch (error) {
        log.error('containers of the old form cannot be migrated', {
          lease_uuid: uuid,
          error: errorText(error),
        });
        problems.push(`lease ${uuid} (${mine.map(({ name }) => name).join(', ')}): ${errorText(error)}`);
      }
    }
    if (problems.length > 0)
      throw errors.error(
        'legacy_containers',
        `containers of the old form cannot be migrated: ${problems.join('; ')}`,
      );
  }

  async #migrate(uuid: string, mine: readonly LeaseContainer[]): Promise<void> {
    const { releases, catalogue, clock, log, limitMs, deployment, volumes } = this.#context;
    const release = releases.latestActive(uuid);
    if (release === undefined) throw new Error('no active release says what it runs');
    const stack = flatStackOf(release);
    const lease = rebuiltLease(oneOfEach(mine), {
      catalogue,
      release: { version: release.version, stack },
      lastRelease: releases.highestVersion(uuid),
      nowMs: clock.now(),
    });
    if (lease === undefined) return;
    log.info('migrating a lease to the form of a stack', { lease_uuid: uuid, containers: mine.length });
    using limit = timeLimit(clock, limitMs, 'the migration');
    const replacement = new Replacement(this.#context, lease, operationFor(lease, release));
    try {
      await this.#replace(replacement, lease, stack, release, limit.signal);
    } catch (error) {
      using backLimit = timeLimit(clock, rollbackMs, 'the way back');
      // The old containers find their folders by the names of old.
      await volumes.toLegacy(deployment.instances(lease, lease.items, stack));
      await replacement.back(stack, backLimit.signal);
      throw error;
    }
    this.#record(lease, stack, release);
    log.info('lease migrated', {
      lease_uuid: uuid,
      containers: deployment.instances(lease, lease.items, stack).length,
    });
  }

  async #replace(
    replacement: Replacement,
    lease: Lease,
    stack: StackManifest,
    release: Release,
    signal: AbortSignal,
  ): Promise<void> {
    const { deployment, volumes } = this.#context;
    const instances = deployment.instances(lease, lease.items, stack);
    await volumes.fromLegacy(instances);
    const facts = await deployment.inspect(stack, signal);
    const binds = await deployment.volumes(
      lease,
      instances,
      facts,
      { created: [], replacing: migrationId },
      signal,
    );
    const planned = await deployment.plan(lease, operationFor(lease, release), instances, facts, binds);
    await replacement.run(stack, stack, planned, (_, run) => run(), signal);
  }

  /** The manifest in the form of a stack is what the lease runs from now on. */
  #record({ uuid }: Pick<Lease, 'uuid'>, stack: StackManifest, release: Release): void {
    const { releases, clock } = this.#context;
    const manifest = serializeManifest(stack);
    if (Buffer.compare(manifest, release.manifest) === 0) return;
    const version = releases.highestVersion(uuid) + 1;
    const changes = [{ kind: 'append', version, manifest } as const, { kind: 'activate', version } as const];
    releases.file.transaction(() => releases.apply(uuid, changes, clock.now()));
  }

  /** Its containers were replaced by a process that died before it wrote that down. */
  #recordLate(uuid: string): void {
    const release = this.#context.releases.latestActive(uuid);
    if (release === undefined) return;
    const { flat, stack } = parseStoredManifest(release.manifest);
    if (flat) this.#record({ uuid }, stack, release);
  }

  #dropLater(uuid: string): void {
    const { scope, clock, log, graceMs, listing, handling } = this.#context;
    scope.spawn(`old containers of ${uuid}`, async (signal) => {
      await sleep(clock, graceMs, signal);
      const { containers } = await listing.ofLease(uuid);
      const old = containers.filter(({ legacy, setAside }) => legacy && setAside);
      await together(old, never, ({ id }) => handling.remove(id)).catch((error: unknown) =>
        log.warn('old containers of a migrated lease are left', {
          lease_uuid: uuid,
          error: errorText(error),
        }),
      );
    });
  }
}

const operationFor = ({ items, status }: Lease, { version }: Release): Operation => ({
  kind: 'restart',
  id: migrationId,
  startedAtMs: 0,
  release: version,
  items,
  wasReady: status === 'ready',
  resumed: 0,
});

/** An instance has two containers while it is being replaced, and is one instance all the same. The old one tells its story. */
function oneOfEach(mine: readonly LeaseContainer[]): readonly LeaseContainer[] {
  const byIndex = new Map<number, LeaseContainer>();
  for (const one of mine) if (one.legacy || !byIndex.has(one.index)) byIndex.set(one.index, one);
  return [...byIndex.values()];
}

/** Is there a container of the old form whose successor does not stand in its place yet, started? */
export function isUnfinished(mine: readonly LeaseContainer[]): boolean {
  const successors = new Set(
    mine.flatMap(({ legacy, setAside, status, index }) =>
      legacy || setAside || status === 'created' ? [] : [index],
    ),
  );
  return mine.some(({ legacy, index }) => legacy && !successors.has(index));
}

/** The manifest says what the container is to be; the container itself does not say enough. */
function flatStackOf(release: Release): StackManifest {
  const { stack } = parseStoredManifest(release.manifest);
  const [only = '', ...others] = stack.services.keys();
  if (only !== flatServiceName || others.length > 0)
    throw new Error(`its active release ${release.version} is not of one service "${flatServiceName}"`);
  return stack;
}
