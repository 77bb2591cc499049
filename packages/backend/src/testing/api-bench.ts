/** The whole HTTP side of a backend on a real socket, over scripted work: for tests that call it as the daemon does. */
import type { RequestOptions } from 'node:https';
import { type Scope, systemClock, type VirtualClock } from '@berth/service';
import { type Backend, listen, openApiDocument, type TlsSettings } from '../api/index.ts';
import type { Lease } from '../lease/index.ts';
import { DomainGate, type InstanceFacts, Operations, Views } from '../operations/index.ts';
import type { Amounts, SkuCatalogue } from '../placement/index.ts';
import { type Retention, RetentionClaims, recordCopies, retention } from '../retention/index.ts';
import { CallbackStore, DiagnosticsStore, RetentionStore } from '../stores/index.ts';
import { liveClaims, type Volumes } from '../volumes/index.ts';
import { CountingMeter } from './counting-meter.ts';
import { Faults } from './faults.ts';
import { callSigned, type Reply, send } from './http-call.ts';
import { LeaseHost } from './lease-host.ts';
import { SimDisk, simVolumes } from './sim-disk.ts';
import { defaultConfig } from './storage-world.ts';

const catalogue: SkuCatalogue = {
  profiles: new Map([
    ['small', { cpuCores: 0.5, memoryMb: 512, diskMb: 0 }],
    ['large', { cpuCores: 4, memoryMb: 4096, diskMb: 0 }],
    ['disk', { cpuCores: 0.5, memoryMb: 512, diskMb: 1 }],
  ]),
  mapping: new Map([['019c1ee7-816c-7001-8c26-a61d57e7403e', 'small']]),
};

export const apiSecret = '0123456789abcdef0123456789abcdef';

type Logs = Readonly<Record<string, string>>;

interface BenchOptions {
  /** The clock of the listener's time limits; the system's if nothing else is said. */
  readonly clock?: VirtualClock;
  readonly total?: Amounts;
  readonly maxBodyBytes?: number;
  readonly tls?: TlsSettings;
}

export class ApiBench implements AsyncDisposable {
  readonly host: LeaseHost;
  /** Ends before the rest, as it does in the program. */
  readonly listener: Scope;
  readonly diagnostics: DiagnosticsStore;
  readonly retention: RetentionStore;
  readonly callbacks: CallbackStore;
  readonly metrics = new CountingMeter();
  readonly disk = new SimDisk(new Faults());
  readonly volumes: Volumes;
  readonly kept: Retention;
  instances: readonly InstanceFacts[] | Error = [];
  logs: Logs | ((signal: AbortSignal) => Promise<Logs>) = {};
  engineDown = false;
  readonly tailsAsked: number[] = [];
  #address = '';
  readonly #tls: boolean;

  private constructor({ total, tls }: BenchOptions) {
    this.host = new LeaseHost(total);
    this.listener = this.host.scope.child('listener');
    this.#tls = tls !== undefined;
    this.diagnostics = new DiagnosticsStore(this.host.path('diagnostics.db'));
    this.retention = new RetentionStore(this.host.path('retention.db'));
    this.callbacks = new CallbackStore(this.host.path('callbacks.db'));
    const { host } = this;
    const { volumes, door } = simVolumes(
      this.disk,
      [liveClaims(host.book), new RetentionClaims(this.retention)],
      host.logs.log,
    );
    this.volumes = volumes;
    this.kept = retention({
      store: this.retention,
      volumes,
      door,
      copies: recordCopies(undefined),
      leases: host.book,
      releases: host.store,
      pool: host.pool,
      teardown: async () => undefined,
      config: { ...defaultConfig, catalogue },
      clock: host.clock,
      meter: this.metrics.meter,
      log: host.logs.log,
      spawn: (name, work) => void host.scope.spawn(name, work),
    });
    host.settleRestore = (uuid) => this.kept.restoring.settle(uuid);
  }

  static async start(options: BenchOptions = {}): Promise<ApiBench> {
    const bench = new ApiBench(options);
    bench.#address = await listen(bench.listener, {
      backend: bench.#backend(),
      secret: apiSecret,
      maxBodyBytes: options.maxBodyBytes ?? 2 * 1024 * 1024,
      log: bench.host.logs.log,
      now: () => Date.now(),
      address: '127.0.0.1:0',
      tls: options.tls,
      clock: options.clock ?? systemClock,
      onFailure: (error) => bench.host.logs.log.error('listener failed', { error: String(error) }),
    });
    return bench;
  }

  #backend(): Backend {
    const { host, diagnostics, retention, callbacks } = this;
    const { book, registry, pool, store: releases, clock } = host;
    const gate = new DomainGate({
      ingress: true,
      wildcardDomain: 'apps.example.net',
      unchecked: true,
      resolvers: [],
      quorum: 0,
      clock,
    });
    const rules = { catalogue, allowedRegistries: ['docker.io', 'ghcr.io'] };
    return {
      operations: new Operations({
        rules,
        book,
        registry,
        pool,
        releases,
        gate,
        kept: { store: retention, retention: this.kept, volumes: this.volumes, meter: this.metrics.meter },
        log: host.logs.log,
      }),
      views: new Views({
        book,
        pool,
        releases,
        diagnostics,
        retention,
        callbacks,
        retentionMaxAgeMs: 90 * 86_400_000,
        now: () => Date.now(),
        ping: async () => {
          if (this.engineDown) throw new Error('the engine does not answer');
        },
        inspection: {
          instances: async () => {
            if (this.instances instanceof Error) throw this.instances;
            return this.instances;
          },
          logs: async (_: Lease, tail: number, signal: AbortSignal) => {
            this.tailsAsked.push(tail);
            return typeof this.logs === 'function' ? await this.logs(signal) : this.logs;
          },
        },
      }),
      registry,
      hostAddress: '203.0.113.10',
      metrics: () => ({
        status: 200,
        body: 'fred_docker_backend_up 1\n',
        contentType: 'text/plain; version=0.0.4',
      }),
      openApi: () => openApiDocument('test'),
    };
  }

  get port(): number {
    return Number(this.#address.split(':').at(-1));
  }

  /** Calls with a good signature, unless headers say otherwise. */
  call(method: string, target: string, body?: unknown, options: RequestOptions = {}): Promise<Reply> {
    return callSigned(this.#door, apiSecret, { method, target, body, options });
  }

  send(method: string, target: string, body: Buffer, options: RequestOptions = {}): Promise<Reply> {
    return send(this.#door, method, target, body, options);
  }

  get #door(): { readonly port: number; readonly tls: boolean } {
    return { port: this.port, tls: this.#tls };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.listener.close();
    await this.host[Symbol.asyncDispose]();
    for (const { file } of [this.diagnostics, this.retention, this.callbacks]) file.close();
  }
}
