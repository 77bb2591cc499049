/** The daemon: reads its configuration, starts everything, and runs until it is told to stop. */
import { type BuildInfo, systemClock, systemIds, systemRandom, untilAborted } from '@berth/service';
import { runDaemon } from '@berth/service/lifecycle';
import { createLog, stdoutSink, textFormat } from '@berth/service/log';
import { type Doors, startBackend } from './backend.ts';
import { configFrom, readConfig } from './config/index.ts';
import { tellSettings } from './start-checks.ts';

/** Requests are drained for 30 s, and work is given time to come to a place where it can be taken up again. */
const stopWithinMs = 75_000;

/** `doors` let a test see, or end, what the program does. */
export async function serve(configFile: string, { version }: BuildInfo, doors?: Doors): Promise<never> {
  const log = createLog({ sink: stdoutSink(), format: textFormat });
  return await runDaemon({ name: 'docker-backend', log, stopWithinMs }, async ({ scope, stop }) => {
    const reading = await readConfig(configFile, process.env);
    const config = configFrom(reading);
    log.setLevel(config.logLevel === '' ? 'info' : config.logLevel);
    log.hide(config.callbackSecret);
    for (const { key, meant } of reading.unknown)
      log.warn('unknown key in the configuration', { key, meant });
    tellSettings(config, log);
    const address = await startBackend(scope, {
      config,
      log: log.with({ backend: config.name }),
      clock: systemClock,
      ids: systemIds,
      random: systemRandom,
      version,
      stop,
      ...(doors !== undefined && { doors }),
    });
    log.info('docker-backend is ready', { addr: address, version });
    await untilAborted(scope.signal);
    return undefined;
  });
}
