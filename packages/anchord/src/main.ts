/** The one executable: picks the mode or the command and hands over to it. Each loads only what it needs. */
import { type DaemonMode, daemonModeOf } from './config/daemon-mode.ts';

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
  switch (mode) {
    case 'service-anchor':
      return await (await import('./modes/service-anchor.ts')).run(env);
    case 'network-anchor':
      return await (await import('./modes/network-anchor.ts')).run(env);
    case 'external-rebinder':
      return await (await import('./modes/external-rebinder.ts')).run(env);
    case 'wrap-rebinder':
      return await (await import('./modes/wrap-rebinder.ts')).run(env);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2), process.env);
} catch (error) {
  (await import('./fatal.ts')).sayFatal(error);
  process.exitCode = 1;
}
