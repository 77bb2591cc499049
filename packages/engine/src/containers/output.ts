import { engineErrors } from '../errors.ts';

export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Buffer;
}

const HEADER_BYTES = 8;

/**
 * Takes the engine's interleaved output apart: frames of one byte for the stream, three of nothing, four for the length,
 * and the data. Yields pieces as they come, so that one long frame is never held in memory as a whole.
 */
export async function* demultiplex(
  chunks: AsyncIterable<Buffer>,
  what: string,
): AsyncGenerator<OutputChunk, void, void> {
  let header = Buffer.alloc(0);
  let stream: OutputChunk['stream'] = 'stdout';
  let left = 0;
  for await (let chunk of chunks) {
    while (chunk.length > 0) {
      if (left > 0) {
        yield { stream, data: chunk.subarray(0, left) };
        const taken = Math.min(left, chunk.length);
        left -= taken;
        chunk = chunk.subarray(taken);
        continue;
      }
      const wanted = HEADER_BYTES - header.length;
      header = Buffer.concat([header, chunk.subarray(0, wanted)]);
      chunk = chunk.subarray(wanted);
      if (header.length < HEADER_BYTES) break;
      stream = streamOf(header, what);
      left = header.readUInt32BE(4);
      header = Buffer.alloc(0);
    }
  }
  if (left > 0 || header.length > 0)
    throw engineErrors.error('ENGINE_TRUNCATED', `cannot ${what}: the output ends in the middle of a frame`);
}

function streamOf(header: Buffer, what: string): OutputChunk['stream'] {
  const [kind] = header;
  // 0 is stdin, which is written to stdout. 3 is a message of the engine's own about the output.
  if (kind === 0 || kind === 1) return 'stdout';
  if (kind === 2 || kind === 3) return 'stderr';
  throw engineErrors.error('ENGINE_ANSWER', `cannot ${what}: the output has a frame of unknown kind ${kind}`);
}

/** Output of a container with a terminal: one stream without frames. */
export async function* terminalOutput(
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<OutputChunk, void, void> {
  for await (const data of chunks) yield { stream: 'stdout', data };
}

/** Collects output up to a limit, and cuts it between two characters. */
export class OutputCollector {
  readonly #limitBytes: number;
  readonly #chunks: OutputChunk[] = [];
  #bytes = 0;
  /** Whether something had to be left out. */
  truncated = false;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** false: it is full. */
  take({ stream, data }: OutputChunk): boolean {
    const room = this.#limitBytes - this.#bytes;
    if (data.length > room) this.truncated = true;
    if (room > 0) this.#chunks.push({ stream, data: data.subarray(0, room) });
    this.#bytes += Math.min(data.length, room);
    return !this.truncated;
  }

  text(stream?: OutputChunk['stream']): string {
    const wanted = this.#chunks.filter((chunk) => stream === undefined || chunk.stream === stream);
    const bytes = Buffer.concat(wanted.map((chunk) => chunk.data));
    return (this.truncated ? bytes.subarray(0, wholeCharacters(bytes)) : bytes).toString('utf8');
  }
}

/** How much of it there is without a UTF-8 character that was cut off at its end. */
export function wholeCharacters(bytes: Uint8Array): number {
  const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (isContinuation(byte)) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
