/** A program as the first process of a container, where the kernel lets no signal end it that it does not handle. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const source = (folder: string) => JSON.stringify(join(import.meta.dirname, '..', folder));

/** Says "started" as soon as its code runs, and takes no signal for a while after that, as while it loads. */
const program = `
  import { writeSync } from 'node:fs';
  import { runDaemon } from ${source('lifecycle/index.ts')};
  import { createLog, stdoutSink } from ${source('log/index.ts')};
  writeSync(2, 'started');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  await runDaemon({ name: 'test', log: createLog({ sink: stdoutSink() }) }, async ({ scope }) => {
    await new Promise((resolve) => scope.signal.addEventListener('abort', resolve));
  });
`;

const [asFirstProcess, ...namespace] = [
  ...(['unshare', '--pid', '--mount-proc', '--fork', '--kill-child'] as const),
  process.execPath,
];

it.each(['SIGTERM', 'SIGINT'] as const)('hears a %s that came while it was loading', async (signal) => {
  const child = spawn(asFirstProcess, [...namespace, '--input-type=module-typescript', '--eval', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const ended = once(child, 'close');
  await once(child.stderr, 'data');
  const [first = ''] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ');
  process.kill(Number(first), signal);
  expect(await ended).toEqual([0, null]);
  expect(JSON.parse(log)).toMatchObject({ msg: 'signal received, shutting down' });
});
