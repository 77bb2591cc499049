/** The one executable: picks the mode and hands over to it. Each mode loads only what it needs. */
import { buildInfo } from '@berth/service';
import { lifecycleMessages } from '@berth/service/lifecycle';
import { createLog, stdoutSink } from '@berth/service/log';
import { readInvocation } from './config/mode.ts';
import { anchordErrors } from './errors.ts';

async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  if (argv[0] === '--version') {
    process.stdout.write(`anchord ${buildInfo.version} (${buildInfo.commit})\n`);
    return 0;
  }
  if (argv[0] === 'health') {
    const { health } = await import('./commands/health.ts');
    return await health(env, (line) => void process.stdout.write(`${line}\n`));
  }
  const { mode } = readInvocation(argv, env);
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
    default:
      throw anchordErrors.error('MODE_UNKNOWN', `mode ${mode} is not in this build`);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2), process.env);
} catch (error) {
  createLog({ sink: stdoutSink() }).say(lifecycleMessages.fatal, { err: error });
  process.exitCode = 1;
}
