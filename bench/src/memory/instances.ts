/** Starts copies of a program, as it is shipped: bundled, with the Node that we run on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scope } from '@berth/service';
import { build } from 'esbuild';

/** Bundles a program into a folder that goes with the scope. */
export async function bundled(scope: Scope, entry: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-bench-'));
  scope.defer(() => rmSync(folder, { recursive: true, force: true }), 'bundle');
  const outfile = join(folder, 'main.mjs');
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    external: ['koffi', 'yaml'],
    logLevel: 'error',
  });
  return outfile;
}

const START_MS = 30_000;

export interface Start {
  readonly program: string;
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Running {
  readonly pid: number;
  /** What it said when it was ready. */
  readonly said: string;
}

/** A running copy, once it has said that it is ready. It ends with the scope. */
export async function started(scope: Scope, { program, flags, env }: Start): Promise<Running> {
  const child = spawn(process.execPath, [...flags, program], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  scope.defer(() => ended(child), 'instance');
  const said = await new Promise<string>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${program} was not ready in ${START_MS} ms`)), START_MS);
    child.stdout.on('data', (chunk: Buffer) => {
      if (!chunk.includes('ready')) return;
      clearTimeout(late);
      resolve(chunk.toString());
    });
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`${program} ended with ${code} before it was ready`)));
  });
  if (child.pid === undefined) throw new Error(`${program} has no process number`);
  return { pid: child.pid, said };
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.on('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
