/** Programs of the machine, in a namespace of ours: the peers that do the same work. */
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Netns } from '@berth/kernel/netns';

export function inside(namespace: Netns, program: string, ...args: readonly string[]): string {
  const done = namespace.run(() =>
    spawnSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 28 }),
  );
  if (done.error !== undefined) throw done.error;
  if (done.status !== 0)
    throw new Error(`${program} ${args.join(' ')} ended with ${done.status}: ${done.stderr}`);
  return done.stdout;
}

export function startInside(
  namespace: Netns,
  program: string,
  ...args: readonly string[]
): ChildProcessByStdio<null, Readable, null> {
  return namespace.run(() => spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] }));
}
