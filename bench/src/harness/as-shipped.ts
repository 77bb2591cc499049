/** Runs a case in a Node with the flags of the image: code that is never optimised has other costs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { BenchCase, Row } from './bench-case.ts';

/** As in the ENTRYPOINT of the Dockerfile, and as a daemon itself sets them when it has begun. */
export const shippedFlags = [
  '--max-semi-space-size=1',
  '--single-threaded-gc',
  '--no-opt',
  '--no-maglev',
] as const;

const isShipped = (): boolean => shippedFlags.every((flag) => process.execArgv.includes(flag));

export async function runAsShipped({ name }: BenchCase, quick: boolean): Promise<readonly Row[] | undefined> {
  if (isShipped()) return undefined;
  const main = join(import.meta.dirname, '..', 'main.ts');
  const args = [...shippedFlags, main, '--json', '-', ...(quick ? ['--quick'] : []), name];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [report, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (code !== 0) throw new Error(`${name} ended with ${code} in a process of its own`);
  const { results }: { readonly results: readonly { readonly rows: readonly Row[] }[] } = JSON.parse(report);
  return results.flatMap(({ rows }) => rows);
}
