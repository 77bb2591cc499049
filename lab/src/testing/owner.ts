/** A run of its own that brings a lab up and then hangs, to be killed: `node owner.ts NAME`. Says "up" when it is. */
import { labName } from '../names.ts';
import { defaultSpec } from '../spec.ts';
import { bringUp } from '../up.ts';

await bringUp(labName(process.argv[2] ?? ''), defaultSpec, {
  say: (line) => process.stdout.write(`${line}\n`),
  owned: true,
});
process.stdout.write('up\n');
setInterval(() => undefined, 60_000);
