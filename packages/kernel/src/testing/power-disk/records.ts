/** The journal of disks, as it lies in its file: a head for each record, and after it the bytes of a write or of a mark. */
const kinds = ['write', 'flush', 'mark'] as const;
export type RecordKind = (typeof kinds)[number];

const headBytes = 16;

export function encodeRecord(kind: RecordKind, disk: number, offset: number, length: number): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt16LE(kinds.indexOf(kind), 0);
  head.writeUInt16LE(disk, 2);
  head.writeUInt32LE(length, 4);
  head.writeBigUInt64LE(BigInt(offset), 8);
  return head;
}

export interface DiskRecord {
  readonly kind: RecordKind;
  /** Which disk, from 0; of no account for a mark. */
  readonly disk: number;
  /** Where on the disk. */
  readonly offset: number;
  readonly data: Buffer;
}

export function decodeJournal(bytes: Buffer): readonly DiskRecord[] {
  const records: DiskRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    const kind = kinds[bytes.readUInt16LE(at)];
    if (kind === undefined) throw new Error(`the journal is damaged at byte ${at}`);
    const length = bytes.readUInt32LE(at + 4);
    const offset = Number(bytes.readBigUInt64LE(at + 8));
    const disk = bytes.readUInt16LE(at + 2);
    records.push({ kind, disk, offset, data: bytes.subarray(at + headBytes, at + headBytes + length) });
    at += headBytes + length;
  }
  return records;
}
