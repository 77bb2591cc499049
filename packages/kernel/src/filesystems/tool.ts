/** The one place where a product runs another program: the tools of the file systems whose quotas have no other door. */
import { spawn } from 'node:child_process';
import { filesystemErrors } from './errors.ts';

export interface ToolAnswer {
  readonly code: number;
  readonly stdout: string;
  /** What it printed on either stream, in the order in which it came: for operators, never for tenants. */
  readonly output: string;
}

export interface ToolOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Runs one tool to its end. Rejects when it can't be started, runs out of time or is aborted; not on its exit code. */
export type RunTool = (argv: readonly [string, ...string[]], options: ToolOptions) => Promise<ToolAnswer>;

/** A tool that prints without end must not fill our memory; its answers are short. */
const longestOutput = 64 * 1024 * 1024;

export const runTool: RunTool = ([command, ...args], { timeoutMs, signal }) =>
  new Promise((resolve, reject) => {
    const what = [command, ...args].join(' ');
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      ...(signal === undefined ? {} : { signal }),
      // Answers are parsed: the words of the C locale, whatever the host speaks.
      env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    });
    const started = performance.now();
    const stdout: Buffer[] = [];
    const output: Buffer[] = [];
    let size = 0;
    const collect = (chunk: Buffer, to: readonly Buffer[][]): void => {
      size += chunk.length;
      if (size > longestOutput) child.kill('SIGKILL');
      else for (const list of to) list.push(chunk);
    };
    child.stdout.on('data', (chunk: Buffer) => collect(chunk, [stdout, output]));
    child.stderr.on('data', (chunk: Buffer) => collect(chunk, [output]));
    child.on('error', (cause) => {
      if (signal?.aborted) reject(signal.reason);
      else
        reject(
          filesystemErrors.error('TOOL_MISSING', `${command} does not start: ${cause.message}`, { cause }),
        );
    });
    child.on('close', (code, killedBy) => {
      const text = Buffer.concat(output).toString();
      if (code !== null) {
        resolve({ code, stdout: Buffer.concat(stdout).toString(), output: text });
      } else if (!signal?.aborted) {
        const why =
          size > longestOutput
            ? 'it printed without end'
            : performance.now() - started >= timeoutMs
              ? `it took longer than ${timeoutMs} ms`
              : `it was ended by ${killedBy}`;
        reject(
          filesystemErrors.error('TOOL_STUCK', `"${what}" was given up: ${why}`, {
            details: { output: text },
          }),
        );
      }
    });
  });

/** Runs a tool that has to succeed: any other exit code becomes an error with all that it said. */
export async function demand(
  run: RunTool,
  argv: readonly [string, ...string[]],
  options: ToolOptions,
): Promise<ToolAnswer> {
  const answer = await run(argv, options);
  if (answer.code !== 0) {
    throw filesystemErrors.error(
      'TOOL_FAILED',
      `"${argv.join(' ')}" ended with ${answer.code}: ${answer.output.trim() || 'it said nothing'}`,
      { details: { argv, code: answer.code } },
    );
  }
  return answer;
}
