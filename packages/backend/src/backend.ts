/** Puts the program together: stores, leases, containers, recovery, callbacks, listener. Nothing is wired anywhere else. */
import { connectEngine, type Engine, EventFeed, parseEndpoint } from '@berth/engine';
import { type Clock, Coalescer, every, type Ids, type Random, type Scope } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import { addProcessMetrics, METRICS_CONTENT_TYPE, Registry } from '@berth/service/metrics';
import { type Answer, listen, openApiDocument } from './api/index.ts';
import { CallbackOutbox, type SendCallback, sendCallback } from './callbacks/index.ts';
import type { Config } from './config/index.ts';
import { DiagnosticsKeeper } from './diagnostics/index.ts';
import { guardQuotas, keepTidying, openDisk, tidyDisk } from './disk.ts';
import { LeaseBook, LeaseRegistry } from './leases/index.ts';
import {
  type BackendInstruments,
  backendMetrics,
  collectGauges,
  leaseMeter,
  retentionMeter,
} from './metrics/index.ts';
import { DomainGate, Operations, Views } from './operations/index.ts';
import { ResourcePool } from './placement/index.ts';
import { Recovery, takeUpHistory } from './recovery/index.ts';
import {
  keepSweeping,
  type Retention,
  type RetentionMeter,
  reasonToHold,
  recordCopies,
  retention,
  tellHoldings,
} from './retention/index.ts';
import { checkEngine } from './start-checks.ts';
import {
  CallbackStore,
  DiagnosticsStore,
  GroupCommit,
  keepCleaningUp,
  ReleaseStore,
  RetentionStore,
} from './stores/index.ts';
import type { DiskDoors, OpenVolumes } from './volumes/index.ts';
import { EngineWatch, type Workload, workload } from './workload/index.ts';

export interface BackendOptions {
  readonly config: Config;
  readonly log: Log;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly version: string;
  /** Ends the program from the inside. */
  readonly stop: (exitCode: number) => void;
  /** Stand between the program and everything that outlives it; without them it goes straight through. */
  readonly doors?: Doors;
}

/** Every way by which the program leaves a trace: who stands in them sees each step, and can end the program at it. */
export interface Doors {
  engine(engine: Engine): Engine;
  stores(stores: Stores): void;
  callbacks(send: SendCallback): SendCallback;
  readonly disk?: DiskDoors;
}

const sampleMs = 5000;
const engineCheckMs = 30_000;

interface Stores {
  readonly callbacks: CallbackStore;
  readonly diagnostics: DiagnosticsStore;
  readonly releases: ReleaseStore;
  readonly retention: RetentionStore;
}

/** Starts everything in its order. Says where it listens. */
export async function startBackend(scope: Scope, options: BackendOptions): Promise<string> {
  const { config, log, clock, doors } = options;
  const stores = openStores(scope, config);
  doors?.stores(stores);
  const registry = new Registry((error) =>
    log.warn('a metric could not be worked out', { error: errorText(error) }),
  );
  const metrics = registry.add(backendMetrics);
  addProcessMetrics(registry);
  const connected = connectEngine(scope, { endpoint: parseEndpoint(config.dockerHost), clock });
  const engine = doors?.engine(connected) ?? connected;
  await checkEngine(engine, config, log, engineCheckMs);
  const book = new LeaseBook(stores.releases, new GroupCommit(stores.releases.file));
  const disk = await openDisk({ ...options, ...stores, scope, book, metrics });
  // Ended in reverse: first nobody is let in any more, then the work stops, then what it stands on.
  const core = scope.child('leases');
  const front = scope.child('listener');
  const parts = assemble(core, options, stores, engine, metrics, book, disk);
  await parts.work.images.tidy();
  const reason = await reasonToHold(stores.retention, disk.volumes, clock.now());
  if (reason !== undefined) {
    disk.door.hold(reason);
    log.error('nothing is destroyed, see docs/guides/docker-backend-kept-data.md', { reason });
  }
  parts.kept.accounting.refresh();
  await parts.recovery.start();
  await parts.kept.passes.atStart();
  const tidy = await tidyDisk({ ...options, ...stores, ...parts, metrics });
  await parts.kept.passes.reapExpired();
  tellHoldings(stores.retention, config, log);
  parts.outbox.replay();
  collectGauges(registry, metrics, {
    usage: () => parts.pool.usage,
    readyLeases: () => parts.book.countOf('ready'),
    retainedDiskCapMb: config.maxRetainedDiskMb,
  });
  keepRunning(core, options, stores, engine, metrics, parts);
  keepSweeping(core, parts.kept, options);
  guardQuotas(core, { ...options, ...stores, ...parts });
  keepTidying(core, tidy, { ...options, ...parts });
  return await openListener(front, options, stores, engine, registry, parts);
}

function openStores(scope: Scope, config: Config): Stores {
  const opened = <S extends { readonly file: { close(): void } }>(store: S): S => {
    scope.defer(() => store.file.close());
    return store;
  };
  return {
    callbacks: opened(new CallbackStore(config.callbackDbPath)),
    diagnostics: opened(new DiagnosticsStore(config.diagnosticsDbPath)),
    releases: opened(new ReleaseStore(config.releasesDbPath)),
    retention: opened(new RetentionStore(config.retentionDbPath)),
  };
}

interface Parts {
  readonly book: LeaseBook;
  readonly pool: ResourcePool;
  readonly gate: DomainGate;
  readonly outbox: CallbackOutbox;
  readonly registry: LeaseRegistry;
  readonly work: Workload;
  readonly recovery: Recovery;
  readonly kept: Retention;
  readonly disk: OpenVolumes;
  readonly meter: RetentionMeter;
}

function assemble(
  scope: Scope,
  { config, log, clock, ids, random, doors }: BackendOptions,
  stores: Stores,
  engine: Engine,
  metrics: BackendInstruments,
  book: LeaseBook,
  disk: OpenVolumes,
): Parts {
  const pool = new ResourcePool(config.total, config.tenantQuota);
  const { ingress } = config;
  const gate = new DomainGate({
    ingress: ingress.enabled,
    wildcardDomain: ingress.wildcardDomain,
    unchecked: ingress.dnsCheckDisabled,
    resolvers: ingress.dnsResolvers,
    quorum: ingress.dnsQuorum,
    clock,
  });
  const meter = retentionMeter(metrics);
  const kept = retention({
    store: stores.retention,
    volumes: disk.volumes,
    door: disk.door,
    copies: recordCopies(disk.volumes.root),
    leases: book,
    releases: stores.releases,
    pool,
    teardown: (lease, reason) => work.takeDown(lease, reason),
    config,
    clock,
    meter,
    log,
    spawn: (name, run) => void scope.spawn(name, run),
  });
  const work: Workload = workload({
    scope,
    engine,
    config,
    book,
    releases: stores.releases,
    gate,
    disk,
    kept,
    clock,
    log,
    metrics,
  });
  const outbox = new CallbackOutbox({
    scope,
    clock,
    random,
    log,
    store: stores.callbacks,
    send: doors?.callbacks(sendCallback) ?? sendCallback,
    backendName: config.name,
    maxAgeMs: config.callbackMaxAgeMs,
    secret: config.callbackSecret.reveal(),
    verifyTls: !config.callbackInsecureSkipVerify,
    meter: {
      delivered: (outcome) => metrics.callbackDeliveries.inc({ outcome }),
      storeFailed: () => metrics.callbackStoreErrors.inc(),
    },
  });
  const keeper = new DiagnosticsKeeper(stores.diagnostics, clock);
  const registry = new LeaseRegistry({
    scope,
    clock,
    log,
    book,
    pool,
    work: work.leases,
    meter: leaseMeter(metrics),
    newOperationId: () => ids.token(8),
    outlets: {
      keepDiagnostics: (lease, logs) => keeper.keep(lease, logs),
      dropDiagnostics: (uuid) => keeper.drop(uuid),
      settleRestore: (uuid) => kept.restoring.settle(uuid),
      enqueue: (uuid, owed) => outbox.enqueue(uuid, owed),
      deliver: (uuid, owed) => outbox.deliver(uuid, owed),
      deliverUnstored: (uuid, owed) => outbox.deliverUnstored(uuid, owed),
    },
  });
  const recovery = new Recovery({
    book,
    registry,
    pool,
    listing: work.listing,
    networks: work.networks,
    migration: work.migration,
    catalogue: config.catalogue,
    evidence: work.evidence,
    takeUpHistory: (owed) =>
      takeUpHistory({ book, releases: stores.releases, log, now: () => clock.now() }, owed),
    isolation: config.networkIsolation,
    log,
    meter: {
      compared: (outcome) => {
        metrics.reconciliations.inc({ outcome });
        if (outcome === 'success') metrics.reconciledAt.set(clock.now() / 1000);
      },
      deathDropped: () => metrics.deathsDropped.inc({ source: 'reconcile' }),
    },
  });
  return { book, pool, gate, outbox, registry, work, recovery, kept, meter, disk };
}

/** Everything that goes on by itself from now on. */
function keepRunning(
  scope: Scope,
  { config, log, clock, random }: BackendOptions,
  stores: Stores,
  engine: Engine,
  metrics: BackendInstruments,
  { book, registry, recovery, outbox, work }: Parts,
): void {
  const comparing = new Coalescer(scope, {
    name: 'comparison of leases and containers',
    clock,
    quietMs: 200,
    atMostMs: 1000,
    run: () => recovery.compare(),
  });
  every(scope, {
    name: 'periodic comparison',
    clock,
    everyMs: config.reconcileIntervalMs,
    atOnce: false,
    run: async () => comparing.ask(),
    onError: () => undefined,
  });
  const feed = new EventFeed(scope, {
    events: engine.events,
    system: engine.system,
    clock,
    random,
    filters: work.eventFilters,
    observer: {
      lost: (error, retryInMs) =>
        log.warn('engine events lost', { error: errorText(error), retry_ms: Math.round(retryInMs) }),
    },
  });
  const watch = new EngineWatch(scope, {
    feed,
    backendName: config.name,
    onGap: () => comparing.ask(),
    onDeath: ({ lease, ...suspect }) => {
      if (book.get(lease) === undefined) return;
      if (!registry.tryPost(lease, { kind: 'death', suspect }))
        metrics.deathsDropped.inc({ source: 'event_loop' });
    },
  });
  work.events.follow(watch);
  const { diagnostics, releases } = stores;
  keepCleaningUp(scope, {
    clock,
    config,
    callbacks: outbox,
    diagnostics,
    releases,
    onFailed: (component, error) => {
      metrics.cleanupPanics.inc({ component });
      log.error('a store could not be cleaned up', { store: component, error: errorText(error) });
    },
  });
  every(scope, {
    name: 'sampling of lease actors',
    clock,
    everyMs: sampleMs,
    atOnce: false,
    run: async () => {
      const { depths, stuckMs } = registry.sample();
      for (const depth of depths) metrics.inboxDepth.observe(depth);
      metrics.actorStuckSeconds.set(stuckMs / 1000);
    },
    onError: () => undefined,
  });
}

function openListener(
  scope: Scope,
  { config, log, clock, version, stop }: BackendOptions,
  stores: Stores,
  engine: Engine,
  registry: Registry,
  { book, pool, gate, registry: leases, work, kept, meter, disk }: Parts,
): Promise<string> {
  const document = openApiDocument(version);
  const metricsPage = (): Answer => ({
    status: 200,
    body: registry.expose(),
    contentType: METRICS_CONTENT_TYPE,
  });
  const { tlsCertFile: certFile, tlsKeyFile: keyFile, tlsClientCaFile: clientCaFile } = config;
  return listen(scope, {
    backend: {
      operations: new Operations({
        rules: { catalogue: config.catalogue, allowedRegistries: config.allowedRegistries },
        book,
        registry: leases,
        pool,
        releases: stores.releases,
        gate,
        kept: { store: stores.retention, retention: kept, volumes: disk.volumes, meter },
        log,
      }),
      views: new Views({
        ...stores,
        book,
        pool,
        inspection: work.inspection,
        retentionMaxAgeMs: config.retentionMaxAgeMs,
        ping: async () => void (await engine.system.ping({ timeoutMs: 10_000 })),
        now: () => clock.now(),
      }),
      registry: leases,
      hostAddress: config.hostAddress,
      metrics: metricsPage,
      openApi: () => document,
    },
    secret: config.callbackSecret.reveal(),
    maxBodyBytes: config.maxRequestBodySize,
    log,
    clock,
    now: () => clock.now(),
    address: config.listenAddr,
    tls:
      certFile === ''
        ? undefined
        : { certFile, keyFile, clientCaFile, clientNames: config.tlsClientAllowedNames },
    onFailure: (error) => {
      log.error('the listener broke', { error: errorText(error) });
      stop(1);
    },
  });
}
