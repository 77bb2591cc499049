/** The one executable of the lease backend. */
import { buildInfo } from '@berth/service';
import { runCommandLine } from './cli/index.ts';

process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  build: buildInfo,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  serve: async () => {
    process.stderr.write('this build has a command line only; it cannot serve leases\n');
    return 1;
  },
});
