/**
 * What btrfs keeps of its subvolumes, read from its own trees. Not from what the tools print: a tenant chooses the names of
 * subvolumes that it makes, line feeds included, and could print a line of its own.
 */
import { expectSuccess, linux, O_CLOEXEC, O_RDONLY } from '../sys/index.ts';

const INO_LOOKUP = 0xd000_9412;
const TREE_SEARCH = 0xd000_9411;
const argumentBytes = 4096;
const searchKeyBytes = 104;
const headerBytes = 32;
const highest = 2n ** 64n - 1n;

const rootTree = 1n;
const quotaTree = 8n;
const firstInode = 256n;
const rootBackref = 144;
const qgroupInfo = 242;

export interface Subvolume {
  readonly id: bigint;
  readonly parent: bigint;
}

function withOpen<T>(path: string, use: (fd: number) => T): T {
  const fd = expectSuccess(linux.open(path, O_RDONLY | O_CLOEXEC), () => `cannot open ${path}`, { path });
  try {
    return use(fd);
  } finally {
    linux.close(fd);
  }
}

/** The subvolume that a directory lies in. */
export function subvolumeIdOf(path: string): bigint {
  return withOpen(path, (fd) => {
    const argument = new Uint8Array(argumentBytes);
    const view = new DataView(argument.buffer);
    view.setBigUint64(8, firstInode, true);
    expectSuccess(linux.ioctl(fd, INO_LOOKUP, argument), () => `cannot tell the subvolume of ${path}`);
    return view.getBigUint64(0, true);
  });
}

/** Every subvolume of the file system but the topmost, with the one that it lies in. */
export function subvolumes(path: string): readonly Subvolume[] {
  return withOpen(path, (fd) =>
    search(fd, rootTree, rootBackref, firstInode, highest).map(({ objectId, offset }) => ({
      id: objectId,
      parent: offset,
    })),
  );
}

/** All that lie in `root`, however deep, each after the one that holds it. */
export function subvolumesBelow(all: readonly Subvolume[], root: bigint): readonly bigint[] {
  const children = Map.groupBy(all, ({ parent }) => parent);
  const found = [root];
  for (const id of found) found.push(...(children.get(id) ?? []).map((child) => child.id));
  return found.slice(1);
}

/** Bytes that a subvolume refers to, as its quota group has counted them at the last sync; undefined when it has none. */
export function referencedBytes(path: string, id: bigint): bigint | undefined {
  return withOpen(path, (fd) => {
    const [info] = search(fd, quotaTree, qgroupInfo, 0n, 0n, id, id);
    // A generation, then the bytes.
    return info?.content.getBigUint64(8, true);
  });
}

interface Item {
  readonly objectId: bigint;
  readonly offset: bigint;
  readonly content: DataView;
}

function search(
  fd: number,
  tree: bigint,
  type: number,
  fromObject: bigint,
  toObject: bigint,
  fromOffset = 0n,
  toOffset = highest,
): readonly Item[] {
  const items: Item[] = [];
  let [object, offset] = [fromObject, fromOffset];
  for (;;) {
    const argument = new Uint8Array(argumentBytes);
    const view = new DataView(argument.buffer);
    const key = [tree, object, toObject, offset, toOffset, 0n, highest];
    for (const [index, value] of key.entries()) view.setBigUint64(index * 8, value, true);
    for (const [index, value] of [type, type, 0xffff_ffff].entries())
      view.setUint32(56 + index * 4, value, true);
    expectSuccess(linux.ioctl(fd, TREE_SEARCH, argument), () => `cannot search tree ${tree} of btrfs`);
    const count = view.getUint32(64, true);
    let at = searchKeyBytes;
    for (let index = 0; index < count; index++) {
      const [objectId, itemOffset] = [view.getBigUint64(at + 8, true), view.getBigUint64(at + 16, true)];
      const [itemType, length] = [view.getUint32(at + 24, true), view.getUint32(at + 28, true)];
      if (itemType === type)
        items.push({
          objectId,
          offset: itemOffset,
          content: new DataView(argument.buffer, at + headerBytes, length),
        });
      at += headerBytes + length;
      [object, offset] = [objectId, itemOffset + 1n];
    }
    if (count === 0) return items;
  }
}
