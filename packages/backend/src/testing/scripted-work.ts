import type { Death, Lease } from '../lease/index.ts';
import type {
  DeprovisionResult,
  DiagnoseResult,
  LeaseWork,
  ProvisionResult,
  Rediscovered,
  ReplaceResult,
} from '../leases/index.ts';

type Result = ProvisionResult | ReplaceResult | DiagnoseResult | DeprovisionResult;

interface Running {
  readonly method: 'provision' | 'replace' | 'diagnose' | 'deprovision';
  readonly lease: Lease;
  readonly stop: AbortSignal;
  readonly end: (result: Result) => void;
  readonly crash: (error: Error) => void;
}

/** Work that does what the test says, when the test says it. At most one piece of work a lease, or it complains. */
export class ScriptedWork implements LeaseWork {
  readonly running = new Map<string, Running>();
  readonly started: string[] = [];
  /** What is dead when somebody looks. */
  readonly dead = new Map<string, Death>();
  /** Work that does not end when it is told to stop. */
  deaf = false;

  #start(method: Running['method'], lease: Lease, stop: AbortSignal): Promise<Result> {
    if (this.running.has(lease.uuid)) throw new Error(`two pieces of work for lease ${lease.uuid} at once`);
    this.started.push(`${method} ${lease.operation?.id ?? ''}`);
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const running: Running = { method, lease, stop, end: resolve, crash: reject };
    this.running.set(lease.uuid, running);
    const forget = () => {
      if (this.running.get(lease.uuid) === running) this.running.delete(lease.uuid);
    };
    const giveUp = () => {
      if (this.deaf) return;
      forget();
      reject(stop.reason);
    };
    if (stop.aborted) giveUp();
    stop.addEventListener('abort', giveUp);
    return promise.finally(forget);
  }

  provision(lease: Lease, stop: AbortSignal): Promise<ProvisionResult> {
    return this.#start('provision', lease, stop) as Promise<ProvisionResult>;
  }

  replace(lease: Lease, stop: AbortSignal): Promise<ReplaceResult> {
    return this.#start('replace', lease, stop) as Promise<ReplaceResult>;
  }

  diagnose(lease: Lease, stop: AbortSignal): Promise<DiagnoseResult> {
    return this.#start('diagnose', lease, stop) as Promise<DiagnoseResult>;
  }

  deprovision(lease: Lease, stop: AbortSignal): Promise<DeprovisionResult> {
    return this.#start('deprovision', lease, stop) as Promise<DeprovisionResult>;
  }

  async confirmDeath(lease: Lease): Promise<Death | undefined> {
    return this.dead.get(lease.uuid);
  }

  /** What `rediscover` finds. */
  readonly lost = new Map<string, Rediscovered>();
  readonly tidied: string[] = [];

  async rediscover(uuid: string): Promise<Rediscovered | undefined> {
    return this.lost.get(uuid);
  }

  async tidy(lease: Lease): Promise<void> {
    this.tidied.push(lease.uuid);
  }

  async staysOf(): Promise<readonly string[]> {
    return [];
  }

  async findDeath(lease: Lease): Promise<Death | undefined> {
    return this.dead.get(lease.uuid);
  }
}
