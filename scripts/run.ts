/** Runs the project's own tools as child processes, by argv, and remembers what they said. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');
export const bin = (name: string): string => join(root, 'node_modules', '.bin', name);

export interface Finished {
  readonly code: number;
  readonly output: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Show the output while it comes, instead of keeping it. */
  readonly show?: boolean;
}

const running = new Set<() => void>();

/** Ends every child that is still running; for the signal handler. */
export function stopChildren(): void {
  for (const stop of running) stop();
}

export function run(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<Finished> {
  const [command, ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...options.env },
      stdio: options.show === true ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    const stop = (): void => void child.kill('SIGTERM');
    running.add(stop);
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', (error) => chunks.push(Buffer.from(`${command}: ${error.message}\n`)));
    child.on('close', (code) => {
      running.delete(stop);
      resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() });
    });
  });
}
