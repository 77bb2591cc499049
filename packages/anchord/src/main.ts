/** The one executable: picks the mode or the command and hands over to it. Each loads only what it needs. */
import { CodedError } from '@berth/service';
import { lifecycleMessages } from '@berth/service/lifecycle';
import { createLog, stdoutSink } from '@berth/service/log';
import { type DaemonMode, daemonModeOf } from './config/mode.ts';

async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const mode = daemonModeOf(argv, env);
  if (mode !== undefined) return await runDaemonMode(mode, env);
  const { runTool } = await import('./cli/run.ts');
  // Timers of the clock do not keep a process alive, and a command may wait for nothing else.
  const alive = setInterval(() => undefined, 2 ** 30);
  try {
    return await runTool(argv, {
      env,
      out: (text) => void process.stdout.write(text),
      err: (text) => void process.stderr.write(text),
    });
  } finally {
    clearInterval(alive);
  }
}

async function runDaemonMode(mode: DaemonMode, env: NodeJS.ProcessEnv): Promise<never> {
  const { runMode } = await import('./program.ts');
  switch (mode) {
    case 'service-anchor': {
      const { serviceAnchorMode } = await import('./modes/service-anchor.ts');
      return await runMode(serviceAnchorMode, env);
    }
    case 'network-anchor': {
      const { networkAnchorMode } = await import('./modes/network-anchor.ts');
      return await runMode(networkAnchorMode, env);
    }
    case 'external-rebinder': {
      const { externalRebinderMode } = await import('./modes/external-rebinder.ts');
      return await runMode(externalRebinderMode, env);
    }
    case 'wrap-rebinder': {
      const { wrapRebinderMode } = await import('./modes/wrap-rebinder.ts');
      return await runMode(wrapRebinderMode, env);
    }
  }
}

try {
  process.exitCode = await main(process.argv.slice(2), process.env);
} catch (err) {
  const known = err instanceof CodedError ? { code: err.code, remedy: err.remedy } : {};
  createLog({ sink: stdoutSink() }).say(lifecycleMessages.fatal, { err, ...known });
  process.exitCode = 1;
}
