/** A provider whose leases have data, on a btrfs of its own, and what tests of that data ask again and again. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type FileSystem, makeFileSystem } from '@berth/lab';
import { accepted, type Callback, type Item, type NewLease, Provider } from '@berth/lab/provider';
import { lab } from '@berth/lab/testing';
import { type VolumeImage, volumeImage, volumeImages } from './volume-images.ts';

/** A service that stays until it is told to go. */
export const service = (form: VolumeImage = 'data', more: Readonly<Record<string, unknown>> = {}) => ({
  image: volumeImage(form),
  command: ['sh', '-c', "trap 'exit 0' TERM; sleep 3600 & wait"],
  ...more,
});

/** The stack that leases have here: one service, with data in /data. */
export const manifest = { services: { db: service() } };

/** One instance of that service, of an SKU that a configuration has to have if nothing else is said. */
export const item = (more: Partial<Item> = {}): Item => ({
  sku: 'data',
  quantity: 1,
  service_name: 'db',
  ...more,
});

type LeaseId = Pick<NewLease, 'lease_uuid'>;

/** The volume of an instance that runs, which is the name of its container, too. */
export const volumeOf = ({ lease_uuid: uuid }: LeaseId, index = 0): string => `fred-${uuid}-db-${index}`;

/** The same volume, once its lease is closed and it is kept. */
export const keptOf = ({ lease_uuid: uuid }: LeaseId): string => `fred-retained-${uuid}-db-0`;

export class Warehouse implements AsyncDisposable {
  readonly provider: Provider;
  readonly disk: FileSystem;

  static async open(name: string, config: Readonly<Record<string, unknown>>): Promise<Warehouse> {
    const host = (await lab()).host();
    const disk = await makeFileSystem(host, { name: `${name}-${process.pid}`, type: 'btrfs', sizeMb: 512 });
    try {
      await volumeImages.ensure(host);
      const provider = await Provider.open(host, { disk, config });
      return new Warehouse(provider, disk);
    } catch (error) {
      await disk[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(provider: Provider, disk: FileSystem) {
    this.provider = provider;
    this.disk = disk;
  }

  /** What the chain would say of a lease with data. */
  lease(more: Partial<Item> = {}): NewLease {
    return this.provider.lease([item(more)]);
  }

  /** A lease with data that runs. */
  running(more: Partial<Item> = {}): Promise<NewLease> {
    return this.provider.provisioned(this.lease(more), manifest);
  }

  /** Another lease, that runs on what was kept of this one. */
  restored(from: LeaseId, more: Partial<Item> = {}): Promise<NewLease> {
    return this.provider.restored(this.lease(more), from.lease_uuid);
  }

  /** Closes a lease; what its caller was told of it. */
  async close({ lease_uuid: uuid }: LeaseId): Promise<Callback> {
    accepted(await this.provider.client.deprovision(uuid));
    return await this.provider.desk.next(uuid);
  }

  /** The names of all volumes on the disk. */
  get volumes(): readonly string[] {
    return readdirSync(this.disk.pathFromOutside)
      .filter((name) => name.startsWith('fred-'))
      .sort();
  }

  /** Where something on the disk is for us, who are outside of the host. */
  onDisk(...parts: readonly string[]): string {
    return join(this.disk.pathFromOutside, ...parts);
  }

  /** Runs a program in an instance of a lease; what it wrote, whether it succeeded or not. */
  async inside(lease: LeaseId, argv: readonly string[], index = 0) {
    const exec = ['docker', 'exec', volumeOf(lease, index), ...argv] as const;
    const { code, stdout, stderr } = await this.provider.host.exec(exec);
    return { code, out: (stdout + stderr).trim() };
  }

  /** The same with a line for the shell in there. */
  shell(lease: LeaseId, line: string, index = 0) {
    return this.inside(lease, ['sh', '-c', line], index);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.provider[Symbol.asyncDispose]();
    await this.disk[Symbol.asyncDispose]();
  }
}
