/** Where finished lines go. */
import { fstatSync, writeSync } from 'node:fs';
import { type Clock, systemClock } from '../clock.ts';

export interface LogSink {
  /** Takes a line with its line feed. Never throws and never waits. */
  write(line: string): void;
  /** Gets out what is still held back, waiting for a slow reader only for a moment. For the end of the process. */
  flush(): void;
  /** How many lines were lost since the last call, because the reader was too slow or gone; 0 until there is room again. */
  takeDropped(): number;
}

const HELD_BACK_BYTES = 1024 * 1024;
const RETRY_MS = 10;
const FLUSH_MS = 500;

/**
 * Writes to stdout or stderr. A pipe or socket whose reader has stopped (a stuck log driver) must not stop the program with
 * it: lines are held back up to a limit, and beyond it dropped and counted.
 */
export class DescriptorSink implements LogSink {
  readonly #fd: number;
  readonly #clock: Pick<Clock, 'after'>;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #dropped = 0;
  #waiting = false;

  constructor(fd: number, clock: Pick<Clock, 'after'> = systemClock) {
    this.#fd = fd;
    withoutBlocking(fd);
    this.#clock = clock;
  }

  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#held.length > 0 && this.#heldBytes + bytes.length > HELD_BACK_BYTES) {
      this.#dropped += 1;
      return;
    }
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (!this.#waiting) this.#drain();
  }

  flush(): void {
    const deadline = performance.now() + FLUSH_MS;
    while (!this.#push() && performance.now() < deadline) pause(RETRY_MS);
  }

  takeDropped(): number {
    // As long as there is hardly any room, the line that tells of the loss would be lost, too.
    if (this.#heldBytes > HELD_BACK_BYTES / 2) return 0;
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  #drain(): void {
    this.#waiting = !this.#push();
    if (this.#waiting) this.#clock.after(RETRY_MS, () => this.#drain());
  }

  /** Writes what it can; true when nothing is left. */
  #push(): boolean {
    for (let next = this.#held[0]; next !== undefined; next = this.#held[0]) {
      const written = this.#writeSome(next);
      if (written === undefined) return false;
      this.#heldBytes -= written;
      if (written < next.length) this.#held[0] = next.subarray(written);
      else this.#held.shift();
    }
    return true;
  }

  /** How much of it was written; undefined when the reader has to catch up first. */
  #writeSome(bytes: Buffer): number | undefined {
    try {
      return writeSync(this.#fd, bytes);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return undefined;
      // The reader is gone or the disk is full: nobody is left to tell.
      this.#dropped += 1;
      return bytes.length;
    }
  }
}

/**
 * Node sets a pipe or a socket to non-blocking as soon as somebody asks for the stream on top of it. The stream itself is not
 * used: it would queue without limit, and what it holds is lost when the process ends.
 */
function withoutBlocking(fd: number): void {
  try {
    const kind = fstatSync(fd);
    if (kind.isFIFO() || kind.isSocket()) void (fd === 1 ? process.stdout : process.stderr);
  } catch {
    // Closed: then every write fails, and is counted.
  }
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** A process that ends by itself gets out first what is held back. */
function flushedAtExit(sink: LogSink): LogSink {
  process.once('exit', () => sink.flush());
  return sink;
}

export const stdoutSink = (): LogSink => flushedAtExit(new DescriptorSink(1));
export const stderrSink = (): LogSink => flushedAtExit(new DescriptorSink(2));
