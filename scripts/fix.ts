/** `npm run fix`: formats everything, mends what the linter can mend by itself, and writes docs/reference anew. */
import { writeReferences } from './references.ts';
import { bin, root, run } from './run.ts';

const { code } = await run([bin('biome'), 'check', '--write', '.'], { show: true });
process.exitCode = code;
await writeReferences(root);
