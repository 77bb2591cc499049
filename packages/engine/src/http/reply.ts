import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { engineErrors } from '../errors.ts';
import type { CallGuard } from './call-guard.ts';
import { connectionFailure } from './failures.ts';

/** An answer whose head has come. Its body is read once, to the end, or given up; either way the call is over then. */
export class Reply implements AsyncIterable<Buffer>, Disposable {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly what: string;
  readonly #message: IncomingMessage;
  readonly #guard: CallGuard;
  readonly #where: string;

  constructor(message: IncomingMessage, guard: CallGuard, what: string, where: string) {
    this.status = message.statusCode ?? 0;
    this.headers = message.headers;
    this.what = what;
    this.#message = message;
    this.#guard = guard;
    this.#where = where;
    guard.watch(message);
    // Whoever reads hears of an error by reading; a body that nobody reads yet must not bring the process down.
    message.on('error', () => guard.release());
  }

  /** Ends when the body is complete; throws when it breaks off. Leaving the loop early gives the rest up. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    try {
      for await (const chunk of this.#message) yield chunk as Buffer;
    } catch (error) {
      throw this.#guard.tripped ?? connectionFailure(error, this.what, 'answering', this.#where);
    } finally {
      this.#guard.release();
    }
  }

  /** The whole body as text; an answer beyond `limitBytes` is not Docker's and not worth our memory. */
  async text(limitBytes: number): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of this) {
      bytes += chunk.length;
      if (bytes > limitBytes)
        throw engineErrors.error(
          'ENGINE_ANSWER',
          `cannot ${this.what}: more than ${limitBytes} bytes of answer`,
        );
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  /** Gives up what is left of the body, and the connection with it. */
  [Symbol.dispose](): void {
    this.#guard.release();
    this.#message.destroy();
  }
}
