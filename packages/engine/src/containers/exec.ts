import { sleep } from '@berth/service';
import { engineErrors } from '../errors.ts';
import { type Api, type CallOptions, Fields, segment } from '../http/index.ts';
import type { ExecOptions, Executed } from './containers.ts';
import { demultiplex, OutputCollector } from './output.ts';

const OUTPUT_BYTES = 1024 * 1024;

export async function exec(
  api: Api,
  ref: string,
  argv: readonly string[],
  options: ExecOptions,
): Promise<Executed> {
  const what = `run ${argv[0] ?? 'nothing'} in container ${ref}`;
  const created = await api.json(
    {
      method: 'POST',
      path: `/containers/${segment(ref, what)}/exec`,
      json: {
        AttachStdout: true,
        AttachStderr: true,
        Cmd: argv,
        Env: options.env ?? [],
        User: options.user ?? '',
        WorkingDir: options.workingDir ?? '',
        Privileged: options.privileged ?? false,
      },
      what,
    },
    options,
  );
  const id = new Fields(created, 'the created exec').text('Id');
  const collected = new OutputCollector(options.maxBytes ?? OUTPUT_BYTES);
  using reply = await api.stream(
    { method: 'POST', path: `/exec/${id}/start`, json: { Detach: false, Tty: false }, what },
    options,
  );
  // Read to its end even where it is too much: the end of the output is the end of the program.
  for await (const chunk of demultiplex(reply, what)) collected.take(chunk);
  const exitCode = await exitCodeOf(api, id, what, options);
  return {
    exitCode,
    stdout: collected.text('stdout'),
    stderr: collected.text('stderr'),
    truncated: collected.truncated,
  };
}

/** The engine closes the output a moment before it notes that the program has ended. */
async function exitCodeOf(api: Api, id: string, what: string, options: CallOptions): Promise<number> {
  for (let pauseMs = 5; pauseMs < 2000; pauseMs *= 2) {
    const answer = await api.json({ method: 'GET', path: `/exec/${id}/json`, what }, options);
    const state = new Fields(answer, 'the exec');
    if (!state.flag('Running')) return state.number('ExitCode');
    await sleep(api.transport.clock, pauseMs, options.signal);
  }
  // This stream has no length and no last chunk: that it was cut off shows only here.
  throw engineErrors.error('ENGINE_TRUNCATED', `cannot ${what}: its output ended, but it still runs`);
}
