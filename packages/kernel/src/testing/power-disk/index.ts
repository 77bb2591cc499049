/** File systems on disks that can lose their power: whatever was done on them can be cut off at any moment, afterwards. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '@berth/service';
import { type DiskKind, diskKinds, newFolder, release, tool } from '../loop-filesystem.ts';
import { Journal } from './journal.ts';
import { decodeJournal } from './records.ts';

export type { DiskKind } from '../loop-filesystem.ts';
export type { Journal, Loss } from './journal.ts';

/** All on one power line. */
export class PowerDisks implements AsyncDisposable {
  /** Where each is mounted; those whose power was cut are mounted there, too. */
  readonly roots: readonly string[];
  readonly #folder: string;
  readonly #kinds: readonly DiskKind[];
  readonly #sizeBytes: number;
  readonly #server: ChildProcess;

  private constructor(folder: string, kinds: readonly DiskKind[], sizeBytes: number, server: ChildProcess) {
    this.#folder = folder;
    this.#kinds = kinds;
    this.#sizeBytes = sizeBytes;
    this.#server = server;
    this.roots = kinds.map((_, disk) => join(folder, `root${disk}`));
  }

  static async open(kinds: readonly DiskKind[], sizeMb: number): Promise<PowerDisks> {
    const folder = newFolder();
    const sizeBytes = sizeMb * 2 ** 20;
    mkdirSync(join(folder, 'device'));
    writeFileSync(join(folder, 'journal'), '');
    const images = kinds.map((_, disk) => join(folder, `image${disk}`));
    for (const image of images) {
      writeFileSync(image, '');
      truncateSync(image, sizeBytes);
    }
    const disks = new PowerDisks(folder, kinds, sizeBytes, await serve(folder, images));
    try {
      disks.#make();
      return disks;
    } catch (error) {
      await disks[Symbol.asyncDispose]();
      throw error;
    }
  }

  #make(): void {
    for (const [disk, root] of this.roots.entries()) {
      mkdirSync(root);
      const device = join(this.#folder, 'device', `disk${disk}`);
      this.#recipe(disk).make(device, root);
    }
  }

  #recipe(disk: number): (typeof diskKinds)[DiskKind] {
    return diskKinds[this.#kinds[disk] ?? 'ext4'];
  }

  #unmount(): void {
    for (const [disk, root] of this.roots.entries()) this.#recipe(disk).unmount(root);
  }

  /** Stands in the journal between what was on the disks before and what came after. */
  mark(text: string): void {
    writeFileSync(join(this.#folder, 'device', 'mark'), text, { flag: 'r+' });
  }

  /** Ends the recording, and hands it out. */
  async recorded(random: Random): Promise<Journal> {
    const ended = once(this.#server, 'close');
    this.#unmount();
    // The loop devices let go of their files a little later; then the server ends.
    tool('umount', '--lazy', join(this.#folder, 'device'));
    await ended;
    const records = decodeJournal(readFileSync(join(this.#folder, 'journal')));
    const [disks, sizeBytes, folder] = [this.roots.length, this.#sizeBytes, this.#folder];
    return new Journal(records, { disks, sizeBytes, folder, random });
  }

  /**
   * Mounts disks whose power was cut, as a machine does that starts again; throws when one cannot be mounted. Once for each
   * image: the kernel may remember for a while what it had of one.
   */
  mountCut(images: readonly string[]): Disposable {
    for (const [disk, image] of images.entries()) this.#recipe(disk).mount(image, this.roots[disk] ?? '');
    return {
      [Symbol.dispose]: () => {
        this.#unmount();
        for (const image of images) rmSync(image);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    release(this.#folder);
    this.#server.kill('SIGKILL');
  }
}

async function serve(folder: string, images: readonly string[]): Promise<ChildProcess> {
  const server = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', process.execPath, join(import.meta.dirname, 'server.ts')],
      ...[join(folder, 'device'), join(folder, 'journal'), ...images],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [said] = (await Promise.race([once(server.stdout, 'data'), once(server, 'exit')])) as [unknown];
  if (String(said).trim() !== 'ready') {
    release(folder);
    throw new Error(`the disks do not answer: ${String(said)}`);
  }
  return server;
}
