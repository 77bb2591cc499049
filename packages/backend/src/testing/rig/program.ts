/** The whole program, in this process: as `main.ts` starts it, with a log that can be read. */
import { Scope, systemClock, systemIds, systemRandom } from '@berth/service';
import { RecordingLog } from '@berth/service/testing';
import { type Doors, startBackend } from '../../backend.ts';
import { configFrom, readConfig } from '../../config/index.ts';
import type { CrashDoors } from './crash-doors.ts';

export class Program implements AsyncDisposable {
  readonly logs: RecordingLog;
  readonly port: number;
  readonly #scope: Scope;

  private constructor(scope: Scope, logs: RecordingLog, port: number) {
    this.#scope = scope;
    this.logs = logs;
    this.port = port;
  }

  /** Resolves when it listens. Without a failure nothing of it may end by an exception of its own. */
  static async start(
    configFile: string,
    doors?: Doors & Partial<Pick<CrashDoors, 'onDeath'>>,
  ): Promise<Program> {
    const logs = new RecordingLog();
    const scope = new Scope('program', (error, task) =>
      logs.log.error('task failed', { task, error: String(error) }),
    );
    doors?.onDeath?.(() => scope.stop());
    try {
      const address = await startBackend(scope, {
        config: configFrom(await readConfig(configFile, {})),
        log: logs.log,
        clock: systemClock,
        ids: systemIds,
        random: systemRandom,
        version: 'test',
        stop: () => scope.stop(),
        ...(doors !== undefined && { doors }),
      });
      return new Program(scope, logs, Number(address.split(':').at(-1)));
    } catch (error) {
      await scope.close(error);
      throw error;
    }
  }

  /** Ends it in good order. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.close();
  }
}
