/** An archive of the "newc" kind, as Linux unpacks it into its first root. */

export interface ArchiveEntry {
  readonly name: string;
  /** A folder has none. */
  readonly content?: Uint8Array | string;
  readonly executable?: boolean;
}

const folderMode = 0o040_755;
const fileMode = 0o100_644;
const programMode = 0o100_755;

const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);

function record(number: number, name: string, mode: number, content: Buffer): Buffer {
  const fields = [number, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, Buffer.byteLength(name) + 1, 0];
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
  return Buffer.concat([padded(Buffer.from(head)), padded(content)]);
}

/** Folders have to come before what is in them. */
export function cpioArchive(entries: readonly ArchiveEntry[]): Buffer {
  const records = entries.map(({ name, content, executable = false }, index) =>
    content === undefined
      ? record(index + 1, name, folderMode, Buffer.alloc(0))
      : record(index + 1, name, executable ? programMode : fileMode, Buffer.from(content)),
  );
  return Buffer.concat([...records, record(0, 'TRAILER!!!', 0, Buffer.alloc(0))]);
}
