/** A program as the first process of a container, where the kernel lets no signal end it that it does not handle. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

const source = (folder: string) => JSON.stringify(join(import.meta.dirname, '..', folder));

/** Says "started" as soon as its code runs; then what the test wants comes before the daemon. */
const program = (before: string) => `
  import { writeSync } from 'node:fs';
  import { runDaemon } from ${source('lifecycle/index.ts')};
  import { createLog, stdoutSink } from ${source('log/index.ts')};
  writeSync(2, 'started');
  ${before}
  await runDaemon({ name: 'test', log: createLog({ sink: stdoutSink() }) }, async ({ scope }) => {
    await new Promise((resolve) => scope.signal.addEventListener('abort', resolve));
  });
`;
/** It takes no signal for a while, as while it loads. */
const busy = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);';
/** The signal comes when the daemon has looked for missed ones, and before it handles the first by itself. */
const inTheGap = (signal: string) => `
  const on = process.on;
  process.on = (event, listener) => {
    if (event === 'SIGTERM') process.kill(1, '${signal}');
    return on.call(process, event, listener);
  };
`;

const [asFirstProcess, ...namespace] = [
  ...(['unshare', '--pid', '--mount-proc', '--fork', '--kill-child'] as const),
  process.execPath,
];

function start(before: string) {
  const child = spawn(
    asFirstProcess,
    [...namespace, '--input-type=module-typescript', '--eval', program(before)],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const ended = once(child, 'close');
  return { child, ended: async () => ({ ended: await ended, said: JSON.parse(log) as unknown }) };
}

const inOrder = { ended: [0, null], said: { msg: 'signal received, shutting down' } };

it.each(['SIGTERM', 'SIGINT'] as const)('hears a %s that came while it was loading', async (signal) => {
  const { child, ended } = start(busy);
  await once(child.stderr, 'data');
  const [first = ''] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ');
  process.kill(Number(first), signal);
  expect(await ended()).toMatchObject(inOrder);
});

it.each(['SIGTERM', 'SIGINT'])('hears a %s that came between its look and its handler', async (signal) => {
  expect(await start(inTheGap(signal)).ended()).toMatchObject(inOrder);
});
