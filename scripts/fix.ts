/** `npm run fix`: formats everything and mends what the linter can mend by itself. */
import { bin, run } from './run.ts';

const { code } = await run([bin('biome'), 'check', '--write', '.'], { show: true });
process.exitCode = code;
