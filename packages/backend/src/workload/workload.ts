/** Puts the parts that work with containers together. */
import type { Engine, Filters } from '@berth/engine';
import type { Clock, Scope } from '@berth/service';
import type { Log } from '@berth/service/log';
import type { Config } from '../config/index.ts';
import type { LeaseBook, LeaseWork } from '../leases/index.ts';
import type { BackendInstruments } from '../metrics/index.ts';
import type { DomainGate, LeaseInspection } from '../operations/index.ts';
import type { StackSettings } from '../stack/index.ts';
import type { ReleaseStore } from '../stores/index.ts';
import type { OpenVolumes } from '../volumes/index.ts';
import { Deployment } from './deployment.ts';
import { Evidence } from './evidence.ts';
import { ContainerHandling } from './handling.ts';
import { ImageInspection } from './image-facts.ts';
import { ImageFiles } from './image-files.ts';
import { InstanceVolumes } from './instance-volumes.ts';
import { ContainerInspection } from './lease-inspection.ts';
import { ContainerListing, ourFilters } from './listing.ts';
import { Migration } from './migration.ts';
import { TenantNetworks } from './networks.ts';
import { Observation } from './observation.ts';
import { Provisioning } from './provisioning.ts';
import { ImagePulls } from './pulls.ts';
import { Rediscovery } from './rediscovery.ts';
import { Replacing } from './replacing.ts';
import { type KeptData, RestoreRun } from './restore-run.ts';
import { Startup } from './startup.ts';
import { type ContainerEvents, type Happened, StateWatch } from './state-watch.ts';
import { Teardown, type TeardownReason } from './teardown.ts';
import { ContainerWork, type LeaseClosing, type LeaseTakingBack } from './work.ts';

export interface WorkloadOptions {
  readonly scope: Scope;
  readonly engine: Engine;
  readonly config: Config;
  readonly book: LeaseBook;
  readonly releases: ReleaseStore;
  readonly gate: DomainGate;
  readonly disk: OpenVolumes;
  readonly kept: {
    readonly closing: LeaseClosing;
    readonly takingBack: LeaseTakingBack;
    readonly restoring: KeptData;
  };
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: BackendInstruments;
}

export interface Workload {
  readonly leases: LeaseWork;
  readonly inspection: LeaseInspection;
  readonly listing: ContainerListing;
  readonly networks: TenantNetworks;
  readonly migration: Migration;
  readonly evidence: Evidence;
  readonly images: ImageFiles;
  readonly events: LateEvents;
  /** Removes the containers of a lease; rejects when one may be left. */
  readonly takeDown: (lease: string, reason: TeardownReason) => Promise<void>;
  /** What the engine's stream of events needs to tell us of. */
  readonly eventFilters: Filters;
}

/** Events come from a stream that is opened after the first work may have begun; until then whoever waits looks himself. */
class LateEvents implements ContainerEvents {
  readonly #listeners = new Map<Happened, () => void>();
  #source: ContainerEvents | undefined;

  listen(listener: Happened): () => void {
    this.#listeners.set(listener, this.#source?.listen(listener) ?? (() => undefined));
    return () => {
      this.#listeners.get(listener)?.();
      this.#listeners.delete(listener);
    };
  }

  /** From now on events come from there. */
  follow(source: ContainerEvents): void {
    this.#source = source;
    for (const listener of this.#listeners.keys()) {
      this.#listeners.set(listener, source.listen(listener));
      listener(undefined);
    }
  }
}

const takeDownGraceS = 10;

export function workload(options: WorkloadOptions): Workload {
  const { engine, config, book, releases, gate, disk, kept, clock, log, metrics } = options;
  const { containers } = engine;
  const listing = new ContainerListing(containers, config.name, log);
  const handling = new ContainerHandling({
    containers,
    clock,
    createTimeoutMs: config.containerCreateTimeoutMs,
    startTimeoutMs: config.containerStartTimeoutMs,
    meter: {
      repeated: (op, reason) => metrics.idempotentOps.inc({ op, reason }),
      removalNotSeen: () => metrics.removalWaitFailures.inc(),
    },
  });
  const networks = new TenantNetworks(engine.networks, config.name, log);
  const images = new ImageFiles(containers, config.name, log);
  const events = new LateEvents();
  const startup = new Startup(new StateWatch({ containers, events, clock }), config.startupVerifyDurationMs);
  const volumes = new InstanceVolumes({
    disk,
    files: images,
    backendName: config.name,
    scratchMb: config.containerTmpfsSizeMb,
    clock,
    log,
  });
  const deployment = new Deployment({
    settings: stackSettings(config),
    catalogue: config.catalogue,
    isolation: config.networkIsolation,
    clock,
    pulls: new ImagePulls({
      images: engine.images,
      clock,
      timeoutMs: config.imagePullTimeoutMs,
      parallel: config.parallelPulls,
      observe: (seconds) => metrics.imagePullSeconds.observe(seconds),
    }),
    inspection: new ImageInspection(
      engine.images,
      images,
      log,
      config.containerReadonlyRootfs && disk.volumes.root !== undefined,
    ),
    networks,
    volumes,
    handling,
    startup,
    manifest: (lease, release) => releases.manifest(lease, release),
  });
  const teardown = new Teardown({
    listing,
    handling,
    log,
    onFallback: (operation, outcome) => metrics.teardownFallback.inc({ operation, outcome }),
  });
  const evidence = new Evidence({ containers, listing, clock });
  const common = { deployment, teardown, evidence, clock, log, limitMs: config.provisionTimeoutMs };
  const rename = (id: string, name: string): Promise<void> => handling.rename(id, name);
  const replacing = { deployment, handling, listing, rename, volumes };
  const migration = new Migration({
    ...replacing,
    scope: options.scope,
    releases,
    catalogue: config.catalogue,
    clock,
    log,
    limitMs: config.migrationReadyTimeoutMs,
    graceMs: config.migrationGracePeriodMs,
  });
  const leases = new ContainerWork({
    ...common,
    containers,
    listing,
    handling,
    networks,
    provisioning: new Provisioning({
      ...common,
      gate,
      door: disk.door,
      volumes: disk.volumes,
      onEnd: (outcome, seconds) => {
        metrics.provisions.inc({ outcome });
        metrics.provisionSeconds.observe(seconds);
      },
    }),
    replacing: new Replacing({
      ...common,
      ...replacing,
      onPhase: (operation, phase, seconds) =>
        metrics.replacePhaseSeconds.observe(seconds, { operation, phase }),
    }),
    restoreRun: new RestoreRun({
      ...common,
      kept: kept.restoring,
      disk,
      onPhase: (phase, seconds) =>
        metrics.replacePhaseSeconds.observe(seconds, { operation: 'restore', phase }),
      onEnd: (outcome, seconds) => {
        metrics.restores.inc({ outcome });
        if (outcome === 'success') metrics.restoreSeconds.observe(seconds);
      },
    }),
    volumes: disk.volumes,
    closing: kept.closing,
    takingBack: kept.takingBack,
    observation: new Observation({ containers, listing, log }),
    rediscovery: new Rediscovery({
      listing,
      releases,
      catalogue: config.catalogue,
      evidence,
      log,
      now: () => clock.now(),
    }),
    isolation: config.networkIsolation,
    stopTimeoutMs: config.containerStopTimeoutMs,
    openLeasesOf: (tenant) => book.openLeasesOf(tenant),
    onClosed: () => metrics.deprovisions.inc(),
  });
  const inspection = new ContainerInspection(containers, listing);
  const eventFilters = { type: ['container'], ...ourFilters(config.name) };
  const takeDown: Workload['takeDown'] = (lease, reason) =>
    teardown.ofLease(lease, { reason, stopGraceS: takeDownGraceS, stack: undefined });
  return {
    leases,
    inspection,
    listing,
    networks,
    migration,
    evidence,
    images,
    events,
    eventFilters,
    takeDown,
  };
}

function stackSettings(config: Config): StackSettings {
  const { ingress } = config;
  return {
    backendName: config.name,
    hostBindIp: config.hostBindIp === '' ? '0.0.0.0' : config.hostBindIp,
    tmpfsSizeMb: config.containerTmpfsSizeMb,
    ingress: ingress.enabled ? ingress : undefined,
    readonlyRootfs: config.containerReadonlyRootfs,
    pidsLimit: config.containerPidsLimit,
    nofileLimit: config.containerNofileLimit,
    logMaxSizeMb: config.containerLogMaxSizeMb,
    logMaxFiles: config.containerLogMaxFiles,
  };
}
