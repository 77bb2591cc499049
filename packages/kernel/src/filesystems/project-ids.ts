/** xfs project ids: which volume has which. The marker file on disk is the authority; this is what is known of it. */
import { crc32 } from 'node:zlib';
import { filesystemErrors } from './errors.ts';

const idSpace = 2 ** 32;

export class ProjectIds {
  readonly #byName = new Map<string, number>();
  readonly #byId = new Map<number, string>();
  readonly #space: number;

  /** `space` is the number of ids there are, the reserved 0 included; smaller in tests. */
  constructor(space = idSpace) {
    this.#space = space;
  }

  idOf(name: string): number | undefined {
    return this.#byName.get(name);
  }

  /** The id that the volume has, or a free one: the checksum of the name, or the next that nobody has. */
  allocate(name: string): number {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    if (this.#byId.size >= this.#space - 1) {
      throw filesystemErrors.error('IDS_EXHAUSTED', `no xfs project id is free for volume ${name}`);
    }
    let id = crc32(name) % this.#space;
    while (id === 0 || this.#byId.has(id)) id = (id + 1) % this.#space;
    this.#set(name, id);
    return id;
  }

  /** Takes over what the marker says. Two volumes with one id would share a quota: an error. */
  track(name: string, id: number): void {
    const holder = this.#byId.get(id);
    if (holder !== undefined && holder !== name) {
      throw filesystemErrors.error(
        'MARKER_UNUSABLE',
        `volumes ${holder} and ${name} both carry the project id ${id}`,
        {
          details: { id, volumes: [holder, name] },
        },
      );
    }
    const before = this.#byName.get(name);
    if (before !== undefined && before !== id) this.#byId.delete(before);
    this.#set(name, id);
  }

  /** The id stays with the files; it is never computed anew from the new name. */
  rename(from: string, to: string): void {
    const id = this.#byName.get(from);
    if (id === undefined) return;
    this.#byName.delete(from);
    this.#set(to, id);
  }

  forget(name: string): void {
    const id = this.#byName.get(name);
    if (id === undefined) return;
    this.#byName.delete(name);
    this.#byId.delete(id);
  }

  #set(name: string, id: number): void {
    this.#byName.set(name, id);
    this.#byId.set(id, name);
  }
}
