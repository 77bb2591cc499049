/** The demo's Compose project, driven from outside as a user would: by the docker command. */
import { setTimeout as pause } from 'node:timers/promises';
import { labErrors } from '../errors.ts';
import type { Host } from '../host/host.ts';

const composeFile = new URL('compose.yaml', import.meta.url).pathname;

interface LogRecord {
  readonly msg: string;
  readonly [attribute: string]: unknown;
}

export class Project {
  readonly #host: Host;
  readonly #image: string;

  constructor(host: Host, image: string) {
    this.#host = host;
    this.#image = image;
  }

  compose(...args: readonly string[]): Promise<string> {
    return this.#host.must(['docker', 'compose', '--file', composeFile, '--progress', 'quiet', ...args], {
      env: { ANCHORD_IMAGE: this.#image },
      timeoutMs: 120_000,
    });
  }

  /** What a service of the project logged, as far as it is JSON. */
  async log(service: string): Promise<LogRecord[]> {
    const container = (await this.compose('ps', '--all', '--quiet', service)).trim();
    const text = await this.#host.docker('logs', container);
    return text.split('\n').flatMap((line) => {
      try {
        return [JSON.parse(line) as LogRecord];
      } catch {
        return [];
      }
    });
  }

  /** Waits until a service has logged a message; hands back the record. */
  async logged(service: string, msg: string, timeoutMs = 60_000): Promise<LogRecord> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const records = await this.log(service);
      const found = records.findLast((record) => record.msg === msg);
      if (found !== undefined) return found;
      if (performance.now() > deadline) {
        const said = records.map((record) => JSON.stringify(record)).join('\n');
        throw labErrors.error(
          'NOT_READY',
          `${service} did not log "${msg}" within ${timeoutMs} ms; it said:\n${said}`,
        );
      }
      await pause(100);
    }
  }
}

/** Tries until it works, and says how long that took. */
export async function untilItWorks<T>(
  what: string,
  attempt: () => Promise<T>,
  timeoutMs = 30_000,
): Promise<{ result: T; tookMs: number }> {
  const started = performance.now();
  for (;;) {
    try {
      return { result: await attempt(), tookMs: Math.round(performance.now() - started) };
    } catch (cause) {
      if (performance.now() - started > timeoutMs)
        throw labErrors.error('NOT_READY', `${what} did not work within ${timeoutMs} ms: ${String(cause)}`, {
          cause,
        });
      await pause(50);
    }
  }
}
