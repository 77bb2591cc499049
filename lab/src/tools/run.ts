/** The only place in the lab that starts a tool and waits for its end. Argument lists, never a shell. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { labErrors } from '../errors.ts';

export type Argv = readonly [string, ...string[]];

export interface RunOptions {
  readonly input?: string | Uint8Array | NodeJS.ReadableStream;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface Finished {
  /** The exit code; 128 + the signal's number when a signal ended it, as a shell would say. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const defaultTimeoutMs = 300_000;

/** Runs a tool to its end, whatever that is. Rejects only if it cannot start, is called off or takes too long. */
export function run(argv: Argv, options: RunOptions = {}): Promise<Finished> {
  const [command, ...args] = argv;
  const { input, timeoutMs = defaultTimeoutMs } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env === undefined ? process.env : { ...process.env, ...options.env },
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      ...(options.signal === undefined ? {} : { signal: options.signal, killSignal: 'SIGKILL' }),
    });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', (cause) => {
      clearTimeout(timer);
      if (options.signal?.aborted === true) reject(options.signal.reason);
      else reject(labErrors.error('TOOL_FAILED', `${command} does not start: ${cause.message}`, { cause }));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (late) {
        const said = Buffer.concat(stderr).toString().trim();
        reject(
          labErrors.error('TOOL_TIMEOUT', `${argv.join(' ')} did not end within ${timeoutMs} ms: ${said}`),
        );
        return;
      }
      resolve({
        code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]),
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      });
    });
    feed(child.stdin, input);
  });
}

function feed(stdin: NodeJS.WritableStream | null, input: RunOptions['input']): void {
  if (stdin === null || input === undefined) return;
  // A tool that ends without reading all of its input says why in its exit code; the broken pipe says nothing more.
  stdin.on('error', () => undefined);
  if (typeof input === 'string' || input instanceof Uint8Array) stdin.end(input);
  else input.pipe(stdin);
}

/** Runs a tool that has to succeed, and hands back what it wrote. */
export async function must(argv: Argv, options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(argv, options);
  if (code !== 0) {
    const said = (stderr.trim() === '' ? stdout : stderr).trim();
    throw labErrors.error('TOOL_FAILED', `${argv.join(' ')} ended with ${code}: ${said}`, {
      details: { argv, code },
    });
  }
  return stdout;
}
