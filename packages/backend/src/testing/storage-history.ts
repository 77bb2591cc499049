/** A storage life told by chance, with everything going wrong in between, beside a reference that is nothing but maps. */
import { type Random, seededRandom } from '@berth/service';
import { canonicalVolume } from '../names/index.ts';
import type { RequestedItem } from '../operations/index.ts';
import type { RetentionConfig } from '../retention/index.ts';
import type { FaultMode } from './faults.ts';
import { leaseId } from './leases.ts';
import { item } from './storage-leases.ts';
import { StorageModel } from './storage-model.ts';
import { settle } from './storage-settle.ts';
import { undercounted } from './storage-truths.ts';
import { hourMs, StorageWorld } from './storage-world.ts';

class Chance {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  of<T>(choices: readonly T[]): T | undefined {
    return choices[this.below(choices.length)];
  }

  happens(share: number): boolean {
    return this.#random() < share;
  }
}

const tenants = ['ann', 'bob', 'cyd'];
const modes: readonly FaultMode[] = ['kill', 'power', 'enospc', 'eio'];

export class StorageHistory implements AsyncDisposable {
  readonly world: StorageWorld;
  readonly model = new StorageModel();
  readonly chance: Chance;
  readonly did = new Map<string, number>();
  #leases = 0;
  #writes = 0;
  #under: string | undefined;

  constructor(seed: number) {
    this.chance = new Chance(seed);
    // Some limit there always is: a world that only grows shows nothing new, and everything is looked at after each step.
    const maxRetainedDiskMb = this.chance.of([0, 900, 1500]) ?? 0;
    const config: Partial<RetentionConfig> = {
      retainOnClose: this.chance.happens(0.8),
      maxRetainedLeasesPerTenant: this.chance.of(maxRetainedDiskMb === 0 ? [1, 2] : [0, 1, 2]) ?? 2,
      maxRetainedDiskMb,
    };
    this.world = new StorageWorld(config, 100_000);
    this.world.faults.observer = (step) => {
      // The pool hears of a transition in the same breath: nothing can come in between.
      if (step === 'commit retention done') return;
      this.#under ??= undercounted(this.world) && `at "${step}": ${undercounted(this.world)}`;
    };
  }

  async step(): Promise<void> {
    const { world, chance } = this;
    const faulty = chance.happens(0.12);
    world.faults.reset();
    if (faulty) world.faults.arm(chance.below(chance.of([6, 14, 40]) ?? 40), chance.of(modes) ?? 'kill');
    const what = chance.below(100);
    if (what < 22) await this.#do('provision', () => this.#provision());
    else if (what < 40) await this.#do('write', async () => this.#write());
    else if (what < 62) await this.#do('close', () => this.#close(faulty));
    else if (what < 75) await this.#do('restore', () => this.#restore());
    else if (what < 80) await this.#do('drop', () => this.#drop());
    else if (what < 86) await this.#do('start again', () => this.#startAgain());
    else if (what < 90) await this.#do('wait', () => this.#wait());
    else if (what < 94) await this.#do('sweep', () => this.#sweep());
    else if (what < 96) await this.#do('lose the mount', () => this.#loseMount());
    else await this.#do('die at rest', () => world.restart(chance.happens(0.5)));
    this.model.expire(world);
    const wrong = [...this.model.differences(world), ...(this.#under === undefined ? [] : [this.#under])];
    if (wrong.length > 0) throw new Error(`${what}: ${wrong.join('; ')}`);
  }

  #note(what: string): void {
    this.did.set(what, (this.did.get(what) ?? 0) + 1);
  }

  async #do(what: string, act: () => Promise<void>): Promise<void> {
    this.#note(what);
    await act();
  }

  /** Does it, and brings everything to rest again, through a restart if need be. */
  async #run(act: () => Promise<unknown>): Promise<void> {
    const { world } = this;
    await world.ended(act().catch(() => undefined));
    await world.idle();
    const { dead, fired } = world.faults;
    if (fired !== undefined) this.#note(`fault ${fired}`);
    if (dead) await world.restart(fired === 'power');
    if (fired === undefined && !this.#unrest()) return;
    world.faults.disarm();
    await settle(world, 1);
    for (let round = 0; round < 6 && this.#unrest(); round++) await settle(world, 1);
  }

  #unrest(): boolean {
    const { world } = this;
    const { book, store } = world;
    return (
      [...book.values()].some(({ status, operation }) => status !== 'ready' || operation !== undefined) ||
      store.closing().length > 0 ||
      world.records('reaping').length > 0 ||
      world.records('restoring').length > 0
    );
  }

  #items(): readonly RequestedItem[] {
    const db = item('db', this.chance.of(['small', 'large']) ?? 'small', 1 + this.chance.below(2));
    return this.chance.happens(0.4) ? [db, item('web', 'none')] : [db];
  }

  #id(): string {
    return leaseId(++this.#leases);
  }

  async #provision(): Promise<void> {
    const { world, model, chance } = this;
    if (model.live.size >= 4) return;
    const [uuid, tenant, items] = [this.#id(), chance.of(tenants) ?? 'ann', this.#items()];
    await this.#run(() => world.provision(uuid, tenant, items));
    const status = world.book.get(uuid)?.status;
    if (status === 'ready') model.provisioned(uuid, tenant, items);
    else if (status !== undefined) await this.#run(() => world.close(uuid));
  }

  #write(): void {
    const { world, model, chance } = this;
    const lease = chance.of([...model.live.keys()]);
    const db = model.live.get(lease ?? '')?.items.find(({ serviceName }) => serviceName === 'db');
    if (lease === undefined || db === undefined) return;
    const index = chance.below(db.quantity);
    const content = `${lease} ${++this.#writes}`;
    world.disk.write(canonicalVolume({ lease, service: 'db', index }), content);
    model.wrote(lease, `db/${index}`, content);
  }

  async #close(faulty: boolean): Promise<void> {
    const { world, model, chance } = this;
    const lease = chance.of([...model.live.keys(), ...model.dropped.keys()]);
    if (lease === undefined) return;
    await world.clock.advance(1000);
    await this.#run(() => world.close(lease));
    if (this.#isOver(lease)) model.closed(world, lease, faulty);
  }

  /** Nobody knows the lease, and nobody waits for its close. */
  #isOver(lease: string): boolean {
    const { book } = this.world;
    return book.get(lease) === undefined && !book.droppedDiskMb.has(lease);
  }

  async #restore(): Promise<void> {
    const { world, model, chance } = this;
    const from = chance.of([...model.kept.keys()]);
    const data = model.kept.get(from ?? '');
    if (from === undefined || data === undefined) return;
    const uuid = this.#id();
    const tenant = chance.happens(0.1) ? 'eve' : data.tenant;
    const sku = chance.of(['small', 'large']) ?? 'small';
    const items = data.items.map((item) => (item.sku === 'none' ? item : { ...item, sku }));
    const starts = chance.happens(0.8);
    if (!starts) world.refuses.add(uuid);
    await this.#run(() => world.restore(from, uuid, tenant, items));
    const status = world.book.get(uuid)?.status;
    if (status === 'ready') {
      if (tenant !== data.tenant || !starts) throw new Error(`${from} was restored for ${tenant}`);
      model.restored(from, uuid, items);
    } else if (status !== undefined) await this.#run(() => world.close(uuid));
  }

  /** Somebody removes the containers of a lease. */
  async #drop(): Promise<void> {
    const { world, model, chance } = this;
    const lease = chance.of([...model.live.keys()]);
    if (lease === undefined) return;
    await this.#run(() => world.dropContainers(lease));
    if (world.book.get(lease) === undefined) model.lost(lease);
  }

  /** A lease that was closed, or dropped, is provisioned once more: by its tenant as it was, or as it must not be. */
  async #startAgain(): Promise<void> {
    const { world, model, chance } = this;
    const lease = chance.of([...model.kept.keys(), ...model.dropped.keys()]);
    const data = model.kept.get(lease ?? '') ?? model.dropped.get(lease ?? '');
    if (lease === undefined || data === undefined || model.live.size >= 4) return;
    const stranger = chance.happens(0.2);
    const starts = chance.happens(0.8);
    if (!starts) world.refuses.add(lease);
    await this.#run(() => world.provision(lease, stranger ? 'eve' : data.tenant, data.items));
    world.refuses.delete(lease);
    const status = world.book.get(lease)?.status;
    if (status === 'ready') {
      if (stranger || !starts) throw new Error(`${lease} was started again for a stranger`);
      model.startedAgain(lease);
    } else if (status !== undefined) {
      await this.#run(() => world.close(lease));
      if (this.#isOver(lease)) model.closed(world, lease, true);
    }
  }

  async #wait(): Promise<void> {
    await this.world.clock.advance(this.chance.below(20 * 24) * hourMs);
    await this.#run(() => this.world.retention.passes.sweep());
  }

  #sweep(): Promise<void> {
    return this.#run(() => this.world.retention.passes.sweep());
  }

  /** An empty folder where the volumes were: nothing may be concluded from it. */
  async #loseMount(): Promise<void> {
    const { world } = this;
    world.faults.reset();
    world.disk.unmounted = true;
    for (let look = 0; look < 4; look++) await world.retention.passes.sweep().catch(() => undefined);
    world.disk.unmounted = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
  }
}
