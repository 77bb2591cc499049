/** A life of leases with data, in which every kind of step happens; what was promised is written down beside each. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { PowerDisks } from '@berth/kernel/testing/power-disk';
import { waitFor } from '@berth/lab/testing';
import { leaseId } from '../leases.ts';
import { type EngineState, MemoryEngine } from '../memory-engine.ts';
import type { PowerHost, Settings } from './power-host.ts';
import { look, nameIn, type Place, type Promised, service } from './promises.ts';

/** What held when a mark was made. */
export interface Moment {
  readonly promises: ReadonlyMap<string, Promised>;
  readonly settings: Settings;
  readonly engine: EngineState;
}

export const volumes = ['/data'];
const tenant = 'manifest1power';
const waitMs = 120_000;

const live = (lease: string): Place => ({ lease, as: 'live' });
const kept = (lease: string): Place => ({ lease, as: 'kept' });

const manifest = { services: { [service]: { image: 'docker.io/acme/db:1' } } };
const payload = Buffer.from(JSON.stringify(manifest)).toString('base64');

export const provisionBody = (host: PowerHost, lease: string, quantity: number): Record<string, unknown> => ({
  lease_uuid: lease,
  tenant,
  provider_uuid: '0190aaaa-0000-7000-8000-000000000001',
  items: [{ sku: 'data', quantity, service_name: service }],
  callback_url: host.receiver.url,
  payload,
});

export function restoreBody(
  host: PowerHost,
  from: string,
  to: string,
  quantity: number,
): Record<string, unknown> {
  const { payload: _, ...body } = provisionBody(host, to, quantity);
  return { ...body, from_lease_uuid: from };
}

export class Life {
  readonly moments: Moment[] = [];
  readonly #disks: PowerDisks;
  readonly #host: PowerHost;
  readonly #engine: MemoryEngine;
  #promises: ReadonlyMap<string, Promised> = new Map();
  #settings: Settings = { retain_on_close: true, max_retained_leases_per_tenant: 1 };
  #state: EngineState = { containers: [], networks: [] };

  constructor(disks: PowerDisks, host: PowerHost) {
    this.#disks = disks;
    this.#host = host;
    this.#engine = new MemoryEngine({
      volumes,
      onChange: (state) => {
        this.#state = state;
        this.#mark();
      },
    });
  }

  #mark(): void {
    const index = this.moments.push({
      promises: this.#promises,
      settings: this.#settings,
      engine: this.#state,
    });
    this.#disks.mark(String(index - 1));
  }

  #promise(data: string, promised: Partial<Promised>): void {
    const before = this.#promises.get(data) ?? { places: [], mayBeGone: true, contents: [] };
    this.#promises = new Map(this.#promises).set(data, { ...before, ...promised });
    this.#mark();
  }

  async #start(settings: Settings): Promise<void> {
    this.#settings = { ...this.#settings, ...settings };
    this.#mark();
    await this.#host.stop();
    await this.#host.start(this.#engine, this.#settings);
  }

  async #next(lease: string, act: () => Promise<unknown>): Promise<string> {
    const before = this.#host.receiver.of(lease).length;
    await act();
    return (await this.#host.receiver.wait(lease, before + 1, waitMs)).status;
  }

  async #expect(lease: string, status: string, act: () => Promise<unknown>): Promise<void> {
    const told = await this.#next(lease, act);
    if (told !== status)
      throw new Error(`lease ${lease} ended ${told}, not ${status}:\n${this.#host.said.join('\n')}`);
  }

  async #provision(data: string, lease: string, quantity: number): Promise<void> {
    const contents = Array.from({ length: quantity }, () => []);
    this.#promise(data, { places: [live(lease)], contents });
    const body = provisionBody(this.#host, lease, quantity);
    await this.#expect(lease, 'success', () => this.#host.ask(202, 'POST', '/provision', body));
    this.#promise(data, { mayBeGone: false, contents: contents.map(() => ['']) });
  }

  /** As a tenant does who cares: written, synced, and the folder after it. */
  #write(data: string, lease: string, index: number, text: string): void {
    const of = (allowed: readonly string[]): Partial<Promised> => ({
      contents: (this.#promises.get(data)?.contents ?? []).map((old, at) => (at === index ? allowed : old)),
    });
    const before = this.#promises.get(data)?.contents[index] ?? [];
    const folder = join(this.#host.volumes, nameIn(live(lease), index), 'data');
    // Nobody overwrites what he wants to keep: a new file first, then its name.
    this.#promise(data, of([...before, '', text]));
    const file = openSync(join(folder, 'file'), 'w');
    writeSync(file, text);
    for (const opened of [file, openSync(folder, 'r')]) {
      fsyncSync(opened);
      closeSync(opened);
    }
    this.#promise(data, of([text]));
  }

  async #close(lease: string): Promise<void> {
    const close = () => this.#host.ask(200, 'POST', '/deprovision', { lease_uuid: lease });
    await this.#expect(lease, 'deprovisioned', close);
  }

  async #retain(data: string, lease: string): Promise<void> {
    this.#promise(data, { places: [live(lease), kept(lease)] });
    await this.#close(lease);
    this.#promise(data, { places: [kept(lease)] });
  }

  async #restore(data: string, from: string, to: string, quantity: number): Promise<void> {
    this.#promise(data, { places: [kept(from), live(to)] });
    const body = restoreBody(this.#host, from, to, quantity);
    await this.#expect(to, 'success', () => this.#host.ask(202, 'POST', '/restore', body));
    this.#promise(data, { places: [live(to)] });
  }

  /** The new lease does not start: everything goes back. */
  async #restoreInVain(data: string, from: string, to: string, quantity: number): Promise<void> {
    this.#engine.refuses.add(to);
    this.#promise(data, { places: [kept(from), live(to)] });
    const body = restoreBody(this.#host, from, to, quantity);
    await this.#expect(to, 'failed', () => this.#host.ask(202, 'POST', '/restore', body));
    await this.#close(to);
    this.#promise(data, { places: [kept(from)] });
  }

  async #gone(data: string, place: Place): Promise<void> {
    const isGone = async (): Promise<boolean> => {
      const seen = await look(this.#host);
      return !seen.names.has(nameIn(place, 0)) && !seen.kept.has(place.lease) && !seen.live.has(place.lease);
    };
    await waitFor(`the data ${data} to go`, isGone, { timeoutMs: waitMs });
    // From here on nothing of it may come back.
    this.#promise(data, { places: [], mayBeGone: true, contents: [], destroyed: place });
  }

  async run(): Promise<void> {
    const [a, b, c, d, e] = [1, 2, 3, 4, 5].map(leaseId) as [string, string, string, string, string];
    await this.#start({});
    await this.#provision('first', a, 2);
    this.#write('first', a, 0, 'first 0');
    this.#write('first', a, 1, 'first 1');
    await this.#retain('first', a);
    await this.#restore('first', a, b, 2);
    this.#write('first', b, 1, 'first 1, later');
    await this.#provision('second', c, 1);
    this.#write('second', c, 0, 'second');
    await this.#retain('second', c);
    await this.#restoreInVain('second', c, d, 1);
    // A tenant may have one: what was kept before goes.
    this.#promise('second', { mayBeGone: true });
    await this.#retain('first', b);
    await this.#gone('second', kept(c));
    await this.#start({ retain_on_close: false });
    await this.#provision('third', e, 1);
    this.#write('third', e, 0, 'third');
    this.#promise('third', { mayBeGone: true });
    await this.#close(e);
    await this.#gone('third', live(e));
    this.#promise('first', { mayBeGone: true });
    await this.#start({ retention_max_age: '1ms' });
    await this.#gone('first', kept(b));
  }
}
