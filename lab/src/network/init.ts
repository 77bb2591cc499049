/**
 * The first process of a place. It only waits; everything that runs there lives in its process namespace, so that when it
 * dies, the kernel ends all the rest and takes back the mounts. That makes a lab easy to remove whatever happened to it.
 */
import { spawn } from 'node:child_process';
import { isInit, namespaceId, namespaceIdOfProcess, processesIn } from '../tools/proc.ts';
import type { Argv } from '../tools/run.ts';
import { waitFor } from '../tools/wait.ts';
import { inNamespace, namespacePathOf } from './namespace.ts';

export interface Life {
  /** The place dies with us, even if we are killed. Otherwise it stays until somebody takes it down. */
  readonly mortal: boolean;
}

const waiting: Argv = ['sleep', 'infinity'];

/** `parts`: what the place has of its own beside network and processes, as options of `unshare`. */
export async function startInit(
  namespace: string,
  { mortal }: Life,
  { parts = [], command = waiting }: { readonly parts?: readonly string[]; readonly command?: Argv } = {},
): Promise<number> {
  const [program, ...args] = [
    ...(mortal ? ['setpriv', '--pdeathsig', 'KILL'] : []),
    ...inNamespace(namespace, ['unshare', '--pid', ...parts, '--fork', '--kill-child', '--', ...command]),
  ] as [string, ...string[]];
  const child = spawn(program, args, { detached: true, stdio: 'ignore' });
  // What went wrong shows in the first process not being there.
  child.on('error', () => undefined);
  child.unref();
  return waitFor(`the first process in ${namespace}`, () => findInit(namespace), {
    timeoutMs: 60_000,
    everyMs: 2,
  });
}

/** The first process of the place, in our own numbering. `known` saves the search if it is still right. */
export function findInit(namespace: string, known?: number): number | undefined {
  const id = namespaceId(namespacePathOf(namespace));
  if (id === undefined) return undefined;
  if (known !== undefined && namespaceIdOfProcess(known) === id) return known;
  return processesIn(id).find(isInit);
}
