/**
 * Histories of leases with data, told by chance, on a real btrfs and a real engine beside a model: after each step there is on
 * the disk what was promised, and nothing else. Repeat one with BERTH_SEED, make it longer with
 * BERTH_STEPS.
 */
import { readFileSync } from 'node:fs';
import { accepted, type NewLease, type Provider } from '@berth/lab/provider';
import { waitFor } from '@berth/lab/testing';
import { seededRandom } from '@berth/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keptOf, manifest, volumeOf, Warehouse } from '../src/warehouse.ts';

const seed = Number(process.env['BERTH_SEED'] ?? 20_261);
const steps = Number(process.env['BERTH_STEPS'] ?? 10);

let warehouse: Warehouse;
let provider: Provider;

beforeAll(async () => {
  warehouse = await Warehouse.open('history', {
    retain_on_close: true,
    startup_verify_duration: '300ms',
    sku_profiles: { data: { cpu_cores: 0.1, memory_mb: 32, disk_mb: 16 } },
  });
  ({ provider } = warehouse);
});
afterAll(() => warehouse?.[Symbol.asyncDispose]());

interface Known {
  readonly lease: NewLease;
  token: string;
}

class History {
  readonly live: Known[] = [];
  readonly kept: Known[] = [];
  readonly told: string[] = [];
  readonly #random = seededRandom(seed);
  #tokens = 0;

  #pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.#random() * from.length)];
  }

  async step(): Promise<void> {
    const deeds = [
      ...(this.live.length < 3 ? [() => this.#provision(), () => this.#provision()] : []),
      ...(this.live.length > 0
        ? [() => this.#write(), () => this.#close(false), () => this.#close(true), () => this.#restart()]
        : []),
      ...(this.kept.length > 0 && this.live.length < 3 ? [() => this.#restore(), () => this.#restore()] : []),
      () => this.#die(),
    ];
    await this.#pick(deeds)?.();
  }

  async #provision(): Promise<void> {
    const lease = warehouse.lease();
    this.told.push(`provision ${lease.lease_uuid}`);
    await provider.provisioned(lease, manifest);
    const known = { lease, token: '' };
    this.live.push(known);
    await this.#put(known);
  }

  async #write(): Promise<void> {
    const known = this.#pick(this.live);
    if (known !== undefined) await this.#put(known);
  }

  async #put(known: Known): Promise<void> {
    known.token = `token ${++this.#tokens}`;
    this.told.push(`write ${known.token} to ${known.lease.lease_uuid}`);
    const line = `echo ${known.token} > /data/new && mv /data/new /data/file && sync`;
    expect(await warehouse.shell(known.lease, line)).toMatchObject({ code: 0 });
  }

  async #close(dying: boolean): Promise<void> {
    const known = this.#pick(this.live);
    if (known === undefined) return;
    const { lease_uuid: uuid } = known.lease;
    this.told.push(`close ${uuid}${dying ? ' and die' : ''}`);
    const closing = provider.client.deprovision(uuid);
    if (dying) {
      await Promise.race([closing.catch(() => undefined), this.#containerGone(uuid)]);
      await provider.restart('SIGKILL');
      await closing.catch(() => undefined);
    } else accepted(await closing);
    expect(await provider.desk.next(uuid)).toMatchObject({ status: 'deprovisioned', retained: true });
    this.live.splice(this.live.indexOf(known), 1);
    this.kept.push(known);
  }

  async #containerGone(uuid: string): Promise<void> {
    await waitFor(
      `the container of ${uuid} to go`,
      async () => {
        const ids = await provider.host.docker('ps', '--quiet', '--filter', `label=fred.lease_uuid=${uuid}`);
        return ids === '';
      },
      { timeoutMs: 60_000 },
    );
  }

  async #restart(): Promise<void> {
    const { lease } = this.#pick(this.live) ?? {};
    if (lease === undefined) return;
    this.told.push(`restart ${lease.lease_uuid}`);
    accepted(await provider.client.restart(lease.lease_uuid));
    expect((await provider.desk.next(lease.lease_uuid)).status).toBe('success');
  }

  async #restore(): Promise<void> {
    const known = this.#pick(this.kept);
    if (known === undefined) return;
    const lease = warehouse.lease();
    this.told.push(`restore ${known.lease.lease_uuid} as ${lease.lease_uuid}`);
    await provider.restored(lease, known.lease.lease_uuid);
    this.kept.splice(this.kept.indexOf(known), 1);
    this.live.push({ lease, token: known.token });
  }

  async #die(): Promise<void> {
    this.told.push('die');
    await provider.restart('SIGKILL');
  }

  /** What is there is what was promised: each byte under its name, and no other name. */
  async check(): Promise<void> {
    const names = [
      ...this.live.map(({ lease, token }) => [volumeOf(lease), token]),
      ...this.kept.map(({ lease, token }) => [keptOf(lease), token]),
    ] as const;
    expect(warehouse.volumes, this.told.join('\n')).toEqual(names.map(([name]) => name).sort());
    for (const [name = '', token] of names)
      expect(readFileSync(warehouse.onDisk(name, 'data', 'file'), 'utf8'), this.told.join('\n')).toBe(
        `${token}\n`,
      );
    const { retentions } = accepted(await provider.client.retentions());
    expect(retentions.map(({ lease_uuid: uuid }) => uuid).sort()).toEqual(
      this.kept.map(({ lease }) => lease.lease_uuid).sort(),
    );
    const {
      allocated_disk_mb: allocated,
      available_disk_mb: available,
      total_disk_mb: total,
    } = accepted(await provider.client.stats());
    expect([allocated, total - allocated - available], this.told.join('\n')).toEqual([
      16 * this.live.length,
      16 * this.kept.length,
    ]);
  }
}

describe('a history of leases with data', () => {
  it('loses nothing and leaks nothing, whatever comes after what, and whenever the process dies', async () => {
    const history = new History();
    for (let step = 0; step < steps; step++) {
      await history.step();
      await history.check();
    }
    expect(history.told.length).toBeGreaterThanOrEqual(steps);
  }, 1_200_000);
});
