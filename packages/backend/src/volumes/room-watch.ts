/** Does the disk have what the pool would still give away? Quotas reserve nothing, and others may write there, too. */
import { statfs } from 'node:fs/promises';
import type { Log } from '@berth/service/log';
import type { ResourcePool } from '../placement/index.ts';

const mib = 1024 * 1024;

export class RoomWatch {
  readonly #root: string;
  readonly #pool: Pick<ResourcePool, 'usage'>;
  readonly #log: Log;
  readonly #freeMb: (root: string) => Promise<number>;
  #isShort = false;

  constructor(root: string, pool: Pick<ResourcePool, 'usage'>, log: Log, freeMb = freeMbOf) {
    this.#root = root;
    this.#pool = pool;
    this.#log = log;
    this.#freeMb = freeMb;
  }

  /** Says so when that begins, and when it is over. */
  async look(): Promise<void> {
    const { available } = this.#pool.usage;
    const freeMb = await this.#freeMb(this.#root);
    const isShort = freeMb < available.diskMb;
    if (isShort === this.#isShort) return;
    this.#isShort = isShort;
    const context = { available_disk_mb: available.diskMb, free_mb: freeMb };
    if (isShort)
      this.#log.warn('the disk of the volumes has less left than leases may still be given', context);
    else this.#log.info('the disk of the volumes has again what leases may be given', context);
  }
}

/** Without what the file system keeps for root. */
async function freeMbOf(root: string): Promise<number> {
  const { bavail, bsize } = await statfs(root);
  return Math.floor((bavail * bsize) / mib);
}
