/** What `nft` leaves beside an object for whoever lists it, and the kernel only keeps: comments above all. */
import { badValue } from '../model/index.ts';

/** The comment, of everything but a set. */
export const COMMENT = 0;
/** What `nft` notes of a set. */
export const SET_KEY_ORDER = 0;
export const SET_DATA_ORDER = 1;
export const SET_COMMENT = 7;

/** `nft` refuses longer ones, and one byte counts them. */
const LONGEST_COMMENT = 127;

export interface Note {
  readonly type: number;
  readonly value: Buffer;
}

export function comment(type: number, text: string): Note {
  const bytes = Buffer.byteLength(text);
  if (bytes > LONGEST_COMMENT || /[\0\n"]/.test(text)) {
    throw badValue(text, `a comment (up to ${LONGEST_COMMENT} bytes on one line, without double quotes)`);
  }
  return { type, value: Buffer.from(`${text}\0`) };
}

/** A small number, in the byte order of this machine. */
export function number(type: number, value: number): Note {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return { type, value: bytes };
}

export const writeNotes = (notes: readonly Note[]): Buffer =>
  Buffer.concat(notes.flatMap(({ type, value }) => [Buffer.of(type, value.length), value]));

/** Other programs may have put anything there: what is no list of notes has none. */
function readNotes(bytes: Buffer): Note[] {
  const notes: Note[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const end = at + 2 + (bytes[at + 1] ?? 0);
    if (end > bytes.length) return [];
    notes.push({ type: bytes[at] ?? 0, value: bytes.subarray(at + 2, end) });
    at = end;
  }
  return notes;
}

export function readComment(bytes: Buffer | undefined, type: number = COMMENT): string | undefined {
  const value = bytes === undefined ? undefined : readNotes(bytes).find((note) => note.type === type)?.value;
  if (value === undefined) return undefined;
  const nul = value.indexOf(0);
  return value.toString('utf8', 0, nul < 0 ? value.length : nul);
}
