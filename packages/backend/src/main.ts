/** The one executable of the lease backend. */
import { buildInfo } from '@berth/service';
import { runCommandLine } from './cli/index.ts';

process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  build: buildInfo,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  // Loaded when it is needed: to check a configuration takes none of it.
  serve: async (configFile) => (await import('./serve.ts')).serve(configFile, buildInfo),
});
